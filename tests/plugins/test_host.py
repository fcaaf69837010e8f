"""The plugin host: whatever one plugin does, the others work, and the one says what is wrong with it."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nst.errors import NstError, UserError
from nst.plugins.discovery import EntryPoint
from nst.plugins.host import HOMES, OURS, Plugin, Plugins
from nst.specs import OptimizerSpec

Make = Callable[..., EntryPoint]

NUMBERS = count()
HEAD = """\
from nst import BackendSpec, InitializerSpec, LossSpec, OptimizerSpec, Option, WeightSet, hookimpl
from nst.specs import MemoryModel
"""
GOOD = HEAD + "@hookimpl\ndef nst_optimizers():\n    yield OptimizerSpec(name='{name}', factory='math:sqrt')\n"
BROKEN = {
    "raises at import": ("1 / 0", "ZeroDivisionError: division by zero"),
    "exits at import": ("import sys; sys.exit('no GPU')", "SystemExit: no GPU"),
    "exits without a word": ("raise SystemExit", "SystemExit"),
    "lacks a module": ("import not_there_at_all", "ModuleNotFoundError: No module named 'not_there_at_all'"),
    "is not Python": ("def (:", "SyntaxError: "),
    "raises in its hook": ("@hookimpl\ndef nst_optimizers(): raise OSError('disk')", "OSError: disk"),
    "exits in its hook": ("@hookimpl\ndef nst_optimizers(): raise SystemExit(3)", "SystemExit: 3"),
    "fails midway": (
        "@hookimpl\ndef nst_optimizers():\n    yield OptimizerSpec('early', 'a:b')\n    raise OSError('disk')",
        "OSError: disk",
    ),
    "fails in its second hook": (
        "@hookimpl\ndef nst_initializers():\n    yield InitializerSpec('early', 'a:b')\n"
        "@hookimpl\ndef nst_optimizers(): raise OSError('disk')",
        "OSError: disk",
    ),
    "has an error of many lines": ("raise ValueError('one\\n\\n  two')", "ValueError: one two"),
    "answers None": ("@hookimpl\ndef nst_optimizers(): pass", "nst_optimizers gave None, not specs"),
    "answers a name": ("@hookimpl\ndef nst_optimizers(): return 'mine'", "nst_optimizers gave 'mine', not specs"),
    "answers one spec": (
        "@hookimpl\ndef nst_optimizers(): return OptimizerSpec('mine', 'a:b')",
        "TypeError: 'OptimizerSpec' object is not iterable",
    ),
    "yields a name": (
        "@hookimpl\ndef nst_optimizers(): yield 'mine'",
        "each optimizer must be of type OptimizerSpec, not 'mine'",
    ),
    "yields another kind": (
        "@hookimpl\ndef nst_optimizers(): yield InitializerSpec('mine', 'a:b')",
        "each optimizer must be of type OptimizerSpec, not InitializerSpec(name='mine', factory='a:b'",
    ),
    "offers a name twice": (
        "@hookimpl\ndef nst_losses(): return [LossSpec('mine', 'a:b'), LossSpec('mine', 'a:c')]",
        "nst_losses offers 'mine' twice",
    ),
    "offers without end": (
        "import itertools\n@hookimpl\ndef nst_losses():\n    for i in itertools.count(): yield LossSpec(f'{i}', 'a:b')",
        "nst_losses offers more than 1000 specs",
    ),
    "raises what nobody catches": ("class Odd(BaseException): pass\nraise Odd('why')", "Odd: why"),
    "cannot say what is wrong": ("class Odd(Exception):\n    def __str__(self): 1 / 0\nraise Odd", "Odd"),
    "speaks in control characters": ("raise ValueError('\\x1b[2J')", "ValueError: \ufffd[2J"),
    "has an endless error": ("raise ValueError('no' * 10**6)", "nono…"),
    "misspells a hook": (
        "@hookimpl\ndef nst_optimisers(): yield OptimizerSpec('mine', 'a:b')",
        "unknown hook 'nst_optimisers'; did you mean nst_optimizers",
    ),
    "asks a hook for an argument": (
        "@hookimpl\ndef nst_optimizers(config): yield OptimizerSpec('mine', 'a:b')",
        "PluginValidationError: Plugin ",
    ),
    "forgets the marker": (
        "def nst_optimizers(): yield OptimizerSpec('mine', 'a:b')",
        " implements no hook; is the function marked with @hookimpl?",
    ),
}
SPECS = {
    "OptimizerSpec('', 'a:b')": "optimizer '' needs a name and a factory 'package.module:attribute'",
    r"OptimizerSpec('a\nb', 'a:b')": r"optimizer 'a\nb' needs a name and a factory 'package.module:attribute'",
    "OptimizerSpec('nst:adam', 'a:b')": (
        "optimizer 'nst:adam' has a colon in its name; a colon separates distribution and name"
    ),
    "OptimizerSpec('mine', 'nowhere')": "optimizer 'mine' needs a name and a factory 'package.module:attribute'",
    "OptimizerSpec('mine', 'a:')": "optimizer 'mine' needs a name and a factory 'package.module:attribute'",
    "OptimizerSpec('mine', 'a.:b')": "optimizer 'mine' needs a name and a factory 'package.module:attribute'",
    "OptimizerSpec('mine', 'a:b:c')": "optimizer 'mine' needs a name and a factory 'package.module:attribute'",
    "OptimizerSpec('mine', print)": "optimizer 'mine': factory must be of type str, not <built-in function print>",
    "OptimizerSpec(5, 'a:b')": "optimizer '5': name must be of type str, not 5",
    "OptimizerSpec('mine', 'a:b', requires=('torch'))": "optimizer 'mine': requires must be of type tuple, not 'torch'",
    "OptimizerSpec('mine', 'a:b', requires=(5,))": "optimizer 'mine': requires must contain only str, not (5,)",
    "OptimizerSpec('mine', 'a:b', options=('lr',))": "optimizer 'mine': options must contain only Option, not ('lr',)",
    "BackendSpec('mine', 'a:b', weights=('all',))": "backend 'mine': weights must contain only WeightSet, not ('all',)",
    "BackendSpec('mine', 'a:b', files='a')": "backend 'mine' names 'a', which is no 'package.module:attribute'",
    "BackendSpec('mine', 'a:b', weights=(WeightSet('w', 'a', '', '', ''),))": (
        "backend 'mine' names 'a', which is no 'package.module:attribute'"
    ),
    "OptimizerSpec('mine', 'a:b', state_bytes='a')": (
        "optimizer 'mine' names 'a', which is no 'package.module:attribute'"
    ),
    "BackendSpec('mine', 'a:b', compressor='a')": "backend 'mine' names 'a', which is no 'package.module:attribute'",
    "OptimizerSpec('mine', 'a:b', resumable='no')": "optimizer 'mine': resumable must be of type bool, not 'no'",
    "BackendSpec('mine', 'a:b', kind='images')": "backend 'mine': kind must be one of feature, image, not 'images'",
    "LossSpec('mine', 'a:b', copies='2')": "loss 'mine': copies must be of type float, not '2'",
    "BackendSpec('mine', 'a:b', memory=MemoryModel(base='2 GB'))": (
        "backend 'mine': memory: base must be of type int, not '2 GB'"
    ),
    "BackendSpec('mine', 'a:b', weights=(WeightSet('w', 'a:b', '', '', '', size='2 GB'),))": (
        "backend 'mine': weights 'w': size must be of type int, not '2 GB'"
    ),
    "OptimizerSpec('mine', 'a:b', options=(Option('lr', None, ''),))": (
        "optimizer 'mine': options 'lr': default must be of type bool | int | float | str, not None"
    ),
    "OptimizerSpec('mine', 'a:b', options=(Option('lr', 1, '', minimum='0'),))": (
        "optimizer 'mine': options 'lr': minimum must be of type float | None, not '0'"
    ),
    "OptimizerSpec('mine', 'a:b', options=(Option('way', 'a', '', choices=('a', 1)),))": (
        "optimizer 'mine': options 'way': choices must contain only str, not ('a', 1)"
    ),
    "OptimizerSpec('mine', 'a:b', options=(Option('lr', 1, ''), Option('lr', 2, '')))": (
        "optimizer 'mine': options must have different names"
    ),
}


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Write a plugin's module and give its entry point: `make("dist", "body")`."""
    monkeypatch.syspath_prepend(tmp_path)
    yield lambda distribution, body, group="nst.v1": written(tmp_path, distribution, body, group)
    for name in [name for name in sys.modules if name.startswith("plugin_under_test_")]:
        del sys.modules[name]


def written(folder: Path, distribution: str, body: str, group: str = "nst.v1") -> EntryPoint:
    name = f"plugin_under_test_{next(NUMBERS)}"
    (folder / f"{name}.py").write_text(HEAD + body)
    importlib.invalidate_caches()
    return EntryPoint(group, distribution, name, distribution, "1.2.3")


def good(make: Make, distribution: str, name: str = "") -> EntryPoint:
    return make(distribution, GOOD.format(name=name or distribution))


def only(plugins: Plugins) -> Plugin:
    (plugin,) = plugins.installed
    return plugin


def test_a_plugin_offers_its_specs_by_kind(make: Make) -> None:
    plugins = Plugins([good(make, "mine")])
    assert only(plugins).status == "ok"
    assert only(plugins).specs == {"optimizer": [OptimizerSpec("mine", "math:sqrt")]}
    assert [(plugin.distribution, spec.name) for plugin, spec in plugins.offered("optimizer")] == [("mine", "mine")]
    assert list(plugins.offered("loss")) == []
    assert plugins.find("optimizer", "mine").load() is __import__("math").sqrt


@pytest.mark.parametrize(
    ("hook", "kind", "spec"),
    [
        ("nst_backends", "backend", "BackendSpec"),
        ("nst_optimizers", "optimizer", "OptimizerSpec"),
        ("nst_initializers", "initializer", "InitializerSpec"),
        ("nst_losses", "loss", "LossSpec"),
    ],
)
def test_each_hook_offers_its_kind(make: Make, hook: str, kind: str, spec: str) -> None:
    entry = make("mine", f"@hookimpl\ndef {hook}():\n    return [{spec}('a', 'x:y'), {spec}('b', 'x:z')]")
    assert [spec.name for spec in only(Plugins([entry])).specs[kind]] == ["a", "b"]


def test_a_backend_may_take_no_weights_of_the_user_s(make: Make) -> None:
    assert (
        only(Plugins([make("mine", "@hookimpl\ndef nst_backends(): yield BackendSpec('a', 'x:y', files='')")])).status
        == "ok"
    )


def test_a_hook_may_yield_nothing(make: Make) -> None:
    plugin = only(Plugins([make("mine", "@hookimpl\ndef nst_losses(): return []")]))
    assert (plugin.status, plugin.specs) == ("ok", {"loss": []})


@pytest.mark.parametrize(("body", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_broken_plugin_is_a_row_and_nothing_more(make: Make, body: str, reason: str) -> None:
    plugins = Plugins([good(make, "before"), make("bad", body), good(make, "after")])
    bad = plugins.installed[1]
    assert bad.status == "broken"
    assert reason in bad.reason
    assert "\n" not in bad.reason
    upgrade = "pip install --upgrade bad, or " if "ModuleNotFoundError" in reason else ""
    assert bad.remedy == f"{upgrade}pip uninstall bad"
    assert len(bad.reason) < 310
    assert bad.specs == {}
    assert [spec.name for _, spec in plugins.offered("optimizer")] == ["before", "after"]
    assert list(plugins.offered("initializer")) == []


@pytest.mark.parametrize(("spec", "reason"), SPECS.items(), ids=SPECS)
def test_a_spec_that_would_hurt_later_breaks_its_plugin_now(make: Make, spec: str, reason: str) -> None:
    hook = {"B": "nst_backends", "L": "nst_losses", "O": "nst_optimizers"}[spec[0]]
    plugin = only(Plugins([make("bad", f"@hookimpl\ndef {hook}():\n    yield {spec}")]))
    assert (plugin.status, plugin.reason) == ("broken", reason)


def test_a_whole_number_is_a_number(make: Make) -> None:
    option = "Option('a', 1.0, '', minimum=0, maximum=2)"
    body = f"@hookimpl\ndef nst_losses():\n    yield LossSpec('mine', 'a:b', copies=2, options=({option},))"
    assert only(Plugins([make("mine", body)])).status == "ok"


@pytest.mark.parametrize("module", ["my_package:plugin", "my_package [torch]", "", "my-package"])
def test_an_entry_point_must_name_a_module(module: str) -> None:
    plugin = only(Plugins([EntryPoint("nst.v1", "bad", module, "bad", "1")]))
    assert plugin.reason == f"its entry point names '{module}', which is not a module"


def test_modules_in_packages_are_named_with_dots() -> None:
    plugins = Plugins([EntryPoint("nst.v1", "nst", "nst.losses", "nst", "1")])
    assert only(plugins).status == "ok"
    assert plugins.find("loss", "gram").factory == "nst.losses.gram:Gram"


def test_ctrl_c_ends_the_loading(make: Make) -> None:
    with pytest.raises(KeyboardInterrupt):
        Plugins([good(make, "before"), make("slow", "import signal; signal.raise_signal(signal.SIGINT)")])


def test_corrupt_metadata_breaks_its_plugin(make: Make) -> None:
    plugins = Plugins([EntryPoint("nst.v1", "", "", "bad", "", ValueError("no version")), good(make, "after")])
    bad, after = plugins.installed
    assert (bad.status, bad.reason) == ("broken", "ValueError: no version")
    assert bad.remedy == "pip install --force-reinstall bad, or pip uninstall bad"
    assert after.status == "ok"


def test_a_plugin_that_is_slow_to_load_is_ok_and_says_so(make: Make) -> None:
    slow = make("slow", "import time; time.sleep(0.5)\n" + GOOD.format(name="a"))
    plugins = Plugins([slow, good(make, "quick")])
    assert [plugin.status for plugin in plugins.installed] == ["ok", "ok"]
    assert re.fullmatch(r"takes \d+\.\d s to load", plugins.installed[0].note)


def test_a_plugin_that_imports_a_framework_to_be_listed_is_ok_and_says_so(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mlx.py").touch()
    monkeypatch.setitem(sys.modules, "mlx", None)
    del sys.modules["mlx"]
    plugin = only(Plugins([make("eager", "import mlx\n" + GOOD.format(name="a"))]))
    assert (plugin.status, plugin.note) == ("ok", "imports mlx to be listed")


def test_strict_lets_the_exception_through(make: Make) -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        Plugins([make("bad", "1 / 0")], strict=True)
    assert caught.value.__notes__ == ["in plugin bad 1.2.3"]


@pytest.mark.parametrize(("value", "strict"), [("1", True), ("yes", True), ("0", False), ("", False)])
def test_the_environment_says_how_strict(make: Make, monkeypatch: pytest.MonkeyPatch, value: str, strict: bool) -> None:
    entry = make("bad", "1 / 0")
    monkeypatch.setattr("nst.plugins.host.discover", lambda: [entry])
    monkeypatch.setenv("NST_STRICT_PLUGINS", value)
    monkeypatch.delenv("NST_DISABLE_PLUGINS", raising=False)
    if strict:
        with pytest.raises(ZeroDivisionError):
            Plugins.from_environment()
    else:
        assert only(Plugins.from_environment()).status == "broken"


def test_a_plugin_for_another_api_is_left_alone(make: Make) -> None:
    plugin = only(Plugins([make("old", "1 / 0", group="nst.v2")], strict=True))
    assert (plugin.status, plugin.specs) == ("other-api", {})
    assert plugin.reason == "made for nst.v2, this nst speaks nst.v1"
    assert plugin.remedy == "pip install --upgrade nst old"


@pytest.mark.parametrize(
    ("disabled", "statuses"),
    [
        ((), ["ok", "ok", "ok"]),
        (("my-plugin",), ["ok", "disabled", "ok"]),
        (("My_Plugin", "no-such"), ["ok", "disabled", "ok"]),
        (("*",), ["ok", "disabled", "disabled"]),
        (("nst", "other"), ["disabled", "ok", "disabled"]),
    ],
)
def test_plugins_are_disabled_by_name_or_all_but_our_own(
    make: Make, monkeypatch: pytest.MonkeyPatch, disabled: tuple[str, ...], statuses: list[str]
) -> None:
    entries = [good(make, name) for name in ("nst", "my-plugin", "other")]
    assert [plugin.status for plugin in Plugins(entries, disabled=disabled).installed] == statuses
    monkeypatch.setattr("nst.plugins.host.discover", lambda: entries)
    monkeypatch.setenv("NST_DISABLE_PLUGINS", " , ".join(disabled))
    assert [plugin.status for plugin in Plugins.from_environment().installed] == statuses


def test_the_environment_adds_to_what_the_caller_disables(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [good(make, name) for name in ("one", "two")]
    monkeypatch.setattr("nst.plugins.host.discover", lambda: entries)
    monkeypatch.setenv("NST_DISABLE_PLUGINS", "one")
    assert {plugin.status for plugin in Plugins.from_environment(["two"]).installed} == {"disabled"}


def test_a_disabled_plugin_is_not_imported(make: Make) -> None:
    plugin = only(Plugins([make("bad", "1 / 0")], disabled=["bad"], strict=True))
    assert (plugin.status, plugin.reason, plugin.remedy) == ("disabled", "", "")


def test_two_plugins_with_one_name_are_settled_by_the_distribution(make: Make) -> None:
    plugins = Plugins([good(make, "b", "same"), good(make, "a", "same"), good(make, "c", "other")])
    with pytest.raises(UserError) as caught:
        plugins.find("optimizer", "same")
    assert caught.value.message == "optimizer 'same' is offered by 2 plugins"
    assert caught.value.hint == "say which: a:same or b:same"
    assert plugins.find("optimizer", "a:same") is plugins.installed[1].specs["optimizer"][0]
    assert plugins.find("optimizer", "b:same") is plugins.installed[0].specs["optimizer"][0]
    assert plugins.find("optimizer", "other").name == "other"
    assert {plugin.status for plugin in plugins.installed} == {"ok"}


def test_a_clash_is_noted_on_both_plugins(make: Make) -> None:
    plugins = Plugins([good(make, "b", "same"), good(make, "a", "same"), good(make, "c", "other")])
    assert [plugin.note for plugin in plugins.installed] == [
        "optimizer 'same' is offered by a too: write b:same",
        "optimizer 'same' is offered by b too: write a:same",
        "",
    ]


@pytest.mark.parametrize("owner", sorted(OURS))
def test_a_plain_name_is_that_of_our_own_distribution(make: Make, owner: str) -> None:
    plugins = Plugins([good(make, "thief", "lbfgs"), good(make, owner, "lbfgs")])
    thief, own = plugins.installed
    assert plugins.find("optimizer", "lbfgs") is own.specs["optimizer"][0]
    assert plugins.find("optimizer", f"{owner}:lbfgs") is own.specs["optimizer"][0]
    assert plugins.find("optimizer", "thief:lbfgs") is thief.specs["optimizer"][0]
    assert (thief.note, own.note) == (f"optimizer 'lbfgs' is offered by {owner} too: write thief:lbfgs", "")


def test_every_distribution_of_this_checkout_is_our_own() -> None:
    folders = {folder.name for folder in (Path(__file__).parents[2] / "plugins").iterdir()} - {"nst-example"}
    assert folders <= OURS


def test_one_name_for_two_kinds_is_no_clash(make: Make) -> None:
    start = make("starts", "@hookimpl\ndef nst_initializers(): yield InitializerSpec('same', 'a:b')")
    plugins = Plugins([good(make, "same"), start])
    assert plugins.find("optimizer", "same").factory == "math:sqrt"
    assert plugins.find("initializer", "same").factory == "a:b"


def test_one_module_in_two_distributions_is_a_clash_like_any_other(make: Make) -> None:
    entry = good(make, "old-name", "same")
    plugins = Plugins([entry, EntryPoint("nst.v1", "new", entry.module, "new-name", "2")])
    assert [plugin.status for plugin in plugins.installed] == ["ok", "ok"]
    with pytest.raises(UserError, match="offered by 2 plugins"):
        plugins.find("optimizer", "same")
    assert plugins.find("optimizer", "new-name:same").name == "same"


def test_a_distribution_that_offers_a_name_twice_is_told_so(make: Make) -> None:
    plugins = Plugins([good(make, "mine", "same"), good(make, "mine", "same")])
    for name in ("same", "mine:same"):
        with pytest.raises(UserError, match="offered by 2 plugins") as caught:
            plugins.find("optimizer", name)
        assert caught.value.hint == "one distribution offers it twice"


def test_an_unknown_name_suggests_the_near_miss(make: Make) -> None:
    with pytest.raises(UserError, match=r"^unknown optimizer 'admam'$") as caught:
        Plugins([good(make, "adam"), good(make, "other")]).find("optimizer", "admam")
    assert caught.value.hint == "did you mean adam?"


def test_an_unknown_name_mentions_every_plugin_not_loaded(make: Make) -> None:
    entries = [make("old", "", group="nst.v0"), make("bad", "1 / 0"), good(make, "off"), good(make, "adam")]
    with pytest.raises(UserError) as caught:
        Plugins(entries, disabled=["off"]).find("optimizer", "admam")
    assert caught.value.hint == (
        "did you mean adam? (not loaded: bad, broken, off, disabled, old, other-api; see nst plugins list)"
    )


def test_where_nothing_is_offered_the_pip_line_is_given() -> None:
    with pytest.raises(UserError) as caught:
        Plugins([]).find("backend", "torch-vgg19")
    assert caught.value.hint == "choose from none (no plugin offers any backend: pip install 'nst[torch]')"


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[EntryPoint]]:
    """Plugins that work, clash, fail in every way, and are made for another API."""
    folder = tmp_path_factory.mktemp("crowd")
    bodies = {"a": GOOD.format(name="same"), "b": GOOD.format(name="same"), "c": GOOD.format(name="other")}
    bodies |= {f"bad-{i}": body for i, (body, _) in enumerate(BROKEN.values())}
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        entries = [written(folder, name, body) for name, body in bodies.items()]
        twin = EntryPoint("nst.v1", "twin", entries[2].module, "twin", "1")
        yield [*entries, twin, written(folder, "old", "", "nst.v9")]


def outcome(entries: list[EntryPoint]) -> tuple[object, ...]:
    plugins = Plugins(entries, disabled=["bad-0"])
    statuses = {plugin.distribution: (plugin.status, plugin.reason) for plugin in plugins.installed}
    offered = {(plugin.distribution, spec) for plugin, spec in plugins.offered("optimizer")}
    return (
        statuses,
        offered,
        *(outcome_of(plugins, name) for name in ("same", "b:same", "other", "twin:other", "early")),
    )


def outcome_of(plugins: Plugins, name: str) -> object:
    try:
        return plugins.find("optimizer", name)
    except UserError as error:
        return error.message, error.hint


@settings(max_examples=25)
@given(data=st.data())
def test_nothing_depends_on_the_order(crowd: list[EntryPoint], data: st.DataObject) -> None:
    assert outcome(data.draw(st.permutations(crowd))) == outcome(crowd)


@pytest.mark.parametrize(
    ("name", "home"),
    [
        ("torch-vgg19", "nst-torch"),
        ("keras-vgg16", "nst-keras"),
        ("jax-vgg19", "nst-jax"),
        ("tfhub-fast", "nst-tfhub"),
    ],
)
def test_a_backend_of_ours_that_is_missing_says_what_to_install(make: Make, name: str, home: str) -> None:
    with pytest.raises(UserError, match=f"backend '{name}' is not installed") as caught:
        Plugins([good(make, "adam")]).find("backend", name)
    assert caught.value.hint == f"pip install {home}"


def test_every_home_is_where_its_backend_or_executor_lives() -> None:
    """The hint of an installation is checked against the plugins in this checkout."""
    names = [
        folder.name for folder in (Path(__file__).parents[2] / "plugins").iterdir() if folder.name != "nst-example"
    ]
    entries = [EntryPoint("nst.v1", name, name.replace("-", "_"), name, "0") for name in names]
    host, kinds = Plugins(entries), ("backend", "executor")
    assert {spec.name: plugin.distribution for kind in kinds for plugin, spec in host.offered(kind)} == HOMES


@pytest.mark.parametrize(
    ("factory", "reason"),
    [
        ("nowhere:f", "ModuleNotFoundError: No module named 'nowhere'"),
        ("math:nothing", "AttributeError: module 'math' has no attribute 'nothing'"),
        ("math:pi", "it is a float, which cannot be called"),
    ],
)
def test_a_factory_that_cannot_be_loaded_names_its_plugin(make: Make, factory: str, reason: str) -> None:
    plugins = Plugins([make("mine", GOOD.format(name="ghost").replace("math:sqrt", factory))])
    with pytest.raises(NstError) as caught:
        plugins.load(plugins.find("optimizer", "ghost"))
    assert caught.value.message == f"'ghost' of mine 1.2.3 ({factory}) cannot be loaded: {reason}"
    assert caught.value.hint == "reinstall it: pip install --force-reinstall mine"


@pytest.mark.parametrize("raised", ["OSError('disk')", "SystemExit(3)", "GeneratorExit('why')"])
def test_a_factory_whose_module_raises_names_its_plugin(make: Make, raised: str) -> None:
    part = make("mine", f"raise {raised}")
    body = GOOD.format(name="ghost").replace("'math:sqrt'", f"'{part.module}:f', install='mine[gpu]'")
    plugins = Plugins([make("mine", body)])
    with pytest.raises(NstError, match=re.escape("cannot be loaded: ") + r"\w+: ") as caught:
        plugins.load(plugins.find("optimizer", "ghost"))
    assert caught.value.hint == "reinstall it: pip install --force-reinstall mine[gpu]"


def test_a_factory_is_loaded(make: Make) -> None:
    plugins = Plugins([good(make, "mine")])
    assert plugins.load(plugins.find("optimizer", "mine")) is __import__("math").sqrt
