"""One plugin is imported on the caller's thread: its error is returned, and a slow plugin is named on stderr."""

from __future__ import annotations

import importlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from nst.plugins import loading
from nst.plugins.discovery import EntryPoint
from nst.plugins.validation import manager

NUMBERS = count()
GOOD = "from nst import LossSpec, hookimpl\n@hookimpl\ndef nst_losses():\n    yield LossSpec('mine', 'a:b')\n"
Make = Callable[..., str]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Write an entry module and give its name: `make("body")`."""

    def written(body: str = GOOD) -> str:
        name = f"loaded_module_{next(NUMBERS)}"
        (tmp_path / f"{name}.py").write_text(body)
        importlib.invalidate_caches()
        return name

    monkeypatch.syspath_prepend(tmp_path)
    yield written
    for name in [name for name in sys.modules if name.startswith("loaded_module_")]:
        del sys.modules[name]


def load(module: str) -> loading.Loaded:
    return loading.load_plugin(EntryPoint("nst.v1", "slow", module, "nst-slow", "1.0"), manager())


def test_the_specs_are_returned_by_kind(make: Make) -> None:
    loaded = load(make())
    assert [spec.name for spec in loaded.offer["loss"]] == ["mine"]
    assert loaded.error is None


@pytest.mark.parametrize("raised", ["1 / 0", "raise SystemExit(3)", "raise BaseException('odd')"])
def test_an_error_is_returned(make: Make, raised: str) -> None:
    loaded = load(make(raised))
    assert loaded.error is not None
    assert loaded.offer == {}


@pytest.mark.parametrize("body", ["{}", GOOD + "    {}"], ids=["at import", "in its hook"])
def test_ctrl_c_is_raised(make: Make, body: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        load(make(body.format("import signal; signal.raise_signal(signal.SIGINT)")))


def test_the_error_of_corrupt_metadata_is_returned() -> None:
    error = ValueError("no version")
    assert loading.load_plugin(EntryPoint("nst.v1", "", "", "mine", "", error), manager()).error is error


def test_the_module_is_imported_on_the_caller_s_thread(make: Make) -> None:
    assert load(make("import threading; THREAD = threading.get_ident()\n" + GOOD)).error is None
    (module,) = [module for name, module in sys.modules.items() if name.startswith("loaded_module_")]
    assert threading.get_ident() == module.THREAD


def test_a_plugin_that_sets_a_signal_handler_is_healthy(make: Make) -> None:
    before = signal.getsignal(signal.SIGTERM)
    try:
        body = "import signal; signal.signal(signal.SIGTERM, signal.default_int_handler)\n"
        assert load(make(body + GOOD)).error is None
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_slow_plugin_is_named_on_stderr(
    make: Make, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(loading, "PATIENCE", 0.1)
    loaded = load(make("import time; time.sleep(0.5)\n" + GOOD))
    assert loaded.error is None
    assert loaded.seconds >= 0.5
    assert capfd.readouterr().err == (
        "waiting for plugin slow of distribution nst-slow (NST_DISABLE_PLUGINS=nst-slow leaves it out)\n"
    )


def test_a_quick_plugin_is_not_named(
    make: Make, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(loading, "PATIENCE", 0.1)
    load(make())
    threading.Event().wait(0.3)
    assert capfd.readouterr().err == ""


def test_a_slow_plugin_that_replaces_stderr_is_named_too(
    make: Make, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(loading, "PATIENCE", 0.1)
    monkeypatch.setattr(sys, "stderr", sys.stderr)
    assert load(make("import io, sys, time; sys.stderr = io.StringIO(); time.sleep(0.5)\n" + GOOD)).error is None
    assert capfd.readouterr().err.startswith("waiting for plugin slow")


@pytest.mark.parametrize("raised", ["1 / 0", "raise SystemExit"])
def test_the_modules_of_a_broken_plugin_are_removed(make: Make, tmp_path: Path, raised: str) -> None:
    package = tmp_path / "loaded_module_package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "part.py").write_text("")
    (package / "entry.py").write_text(f"import loaded_module_package.part, {make('')}\n{raised}")
    importlib.invalidate_caches()
    load("loaded_module_package.entry")
    modules = {name for name in sys.modules if name.startswith("loaded_module_")}
    assert len(modules) == 1, "another package's module stays"
    assert not any(name.startswith("loaded_module_package") for name in modules)


def test_the_modules_of_a_plugin_whose_hook_fails_are_removed(make: Make) -> None:
    name = make(GOOD + "    1 / 0")
    assert isinstance(load(name).error, ZeroDivisionError)
    assert name not in sys.modules


def test_modules_imported_before_a_plugin_fails_stay(make: Make, tmp_path: Path) -> None:
    (tmp_path / "loaded_module_kept").mkdir()
    (tmp_path / "loaded_module_kept" / "bad.py").write_text("1 / 0")
    importlib.invalidate_caches()
    importlib.import_module("loaded_module_kept")
    assert load("loaded_module_kept.bad").error is not None
    assert "loaded_module_kept" in sys.modules


def test_the_first_plugin_to_import_a_framework_is_the_one_named(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mlx.py").touch()
    monkeypatch.delitem(sys.modules, "mlx", raising=False)
    modules = [make(), make("import mlx\n" + GOOD), make("import mlx\n" + GOOD)]
    frameworks = [load(module).frameworks for module in modules]
    del sys.modules["mlx"]
    assert frameworks == [set(), {"mlx"}, set()]
