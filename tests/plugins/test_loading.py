"""Loading beside the caller: whoever hangs is left behind, and whoever is only slow is not torn apart."""

from __future__ import annotations

import importlib
import sys
import threading
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from nst.plugins.loading import Loaded, TooSlowError, load

NUMBERS = count()
GOOD = "from nst import LossSpec, hookimpl\n@hookimpl\ndef nst_losses():\n    yield LossSpec('mine', 'a:b')\n"
Make = Callable[..., str]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Write an entry module and give its name: `make("body")`."""

    def written(body: str = GOOD) -> str:
        name = f"guarded_module_{next(NUMBERS)}"
        (tmp_path / f"{name}.py").write_text(f"FOLDER = {str(tmp_path)!r}\n{body}")
        importlib.invalidate_caches()
        return name

    monkeypatch.syspath_prepend(tmp_path)
    yield written
    for name in [name for name in sys.modules if name.startswith("guarded_module_")]:
        del sys.modules[name]


def offered(loaded: Loaded) -> list[str]:
    return [spec.name for specs in loaded.offer.values() for spec in specs]


def appears(path: Path) -> bool:
    """Whether a file is written in the next half minute."""
    deadline = time.monotonic() + 30
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    return path.exists()


@pytest.mark.parametrize("timeout", [0, 60])
def test_what_each_offers_or_raises_comes_in_order(make: Make, timeout: float) -> None:
    first, second, third = load([make(), make("1 / 0"), make()], timeout)
    assert (offered(first), offered(third)) == (["mine"], ["mine"])
    assert isinstance(second.error, ZeroDivisionError)
    assert offered(second) == []


def test_nothing_to_load_is_nothing(make: Make) -> None:
    assert load([], 5) == load([], 0) == []


@pytest.mark.parametrize(
    "body",
    [
        "import time; time.sleep(60)",
        "while True: pass",
        "import time\nwhile True:\n    try: time.sleep(60)\n    except BaseException: pass",
        GOOD + "    import time; time.sleep(60)",
    ],
)
def test_whoever_hangs_is_left_behind(make: Make, body: str) -> None:
    stuck = make(body)
    loaded = load([make(), stuck, make(), stuck, make()], 0.5)
    assert [type(each.error) for each in loaded] == [type(None), TooSlowError, type(None), TooSlowError, type(None)]
    assert str(loaded[1].error) == "took longer than 0.5 s to load"


def test_an_endless_loop_is_stopped_so_that_it_slows_nobody(make: Make, tmp_path: Path) -> None:
    body = "i = 0\ntry:\n    while True:\n        i += 1\nfinally:\n    open(FOLDER + '/stopped', 'w').close()"
    load([make(body)], 0.2)
    assert appears(tmp_path / "stopped")


def test_whoever_imports_a_framework_may_finish_it(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "jax.py").write_text("import time; time.sleep(1)\nwhole = True")
    monkeypatch.delitem(sys.modules, "jax", raising=False)
    try:
        (loaded,) = load([make("import jax; open(FOLDER + '/imported', 'w').close()")], 0.2)
        assert isinstance(loaded.error, TooSlowError)
        assert appears(tmp_path / "imported")
        assert importlib.import_module("jax").whole
    finally:
        sys.modules.pop("jax", None)


def test_the_seconds_are_each_plugin_s_own(make: Make) -> None:
    """Together they may take longer than any of them may."""
    slow = "import time; time.sleep(0.4)\n" + GOOD
    loaded = load([make(slow) for _ in range(4)], 1.2)
    assert [each.error for each in loaded] == [None] * 4
    assert all(each.seconds >= 0.4 for each in loaded)


def test_the_first_to_import_a_framework_is_the_one_named(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mlx.py").touch()
    monkeypatch.delitem(sys.modules, "mlx", raising=False)
    loaded = load([make(), make("import mlx\n" + GOOD), make("import mlx\n" + GOOD)], 60)
    del sys.modules["mlx"]
    assert [each.frameworks for each in loaded] == [set(), {"mlx"}, set()]


def test_no_limit_loads_on_the_caller_s_thread(make: Make) -> None:
    body = "import threading; threading.here = threading.get_ident()\n" + GOOD
    load([make(body)], 0)
    assert threading.__dict__.pop("here") == threading.get_ident()
    load([make(body)], 60)
    assert threading.__dict__.pop("here") != threading.get_ident()


def test_a_keyboard_interrupt_is_the_plugin_s_own_unless_it_may_be_a_person_s(make: Make) -> None:
    (loaded,) = load([make("raise KeyboardInterrupt")], 60)
    assert isinstance(loaded.error, KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        load([make("raise KeyboardInterrupt")], 0)


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent differently there")
def test_ctrl_c_ends_the_wait(make: Make) -> None:
    body = "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(2)"
    with pytest.raises(KeyboardInterrupt):
        load([make(body), make()], 3600)


def test_any_thread_may_load(make: Make) -> None:
    modules, found = [make(), make("import time; time.sleep(60)"), make()], []
    thread = threading.Thread(target=lambda: found.extend(load(modules, 0.5)))
    thread.start()
    thread.join()
    assert [type(each.error) for each in found] == [type(None), TooSlowError, type(None)]


def test_a_thread_that_a_plugin_starts_does_not_keep_the_process(make: Make) -> None:
    body = "import threading, time\nthread = threading.Thread(target=time.sleep, args=[1])\nthread.start()\n" + GOOD
    name = make(body)
    load([name], 60)
    assert sys.modules[name].thread.daemon
