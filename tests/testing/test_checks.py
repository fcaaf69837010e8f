"""The checks of a plugin that is not run: what each says, and that it says so in its place."""

from __future__ import annotations

import sys

import pytest

from nst.plugins.discovery import EntryPoint
from nst.plugins.host import Plugins
from nst.testing.checks import CHECKS, Subject, ask, examine, worst_level

HEAD = "from nst import BackendSpec, InitializerSpec, Layer, LossSpec, OptimizerSpec, Option, WeightSet, hookimpl\n"
HOOK = "@hookimpl\ndef nst_optimizers():\n    yield OptimizerSpec('mine', '{factory}', 'a way down', {rest})\n"


@pytest.fixture
def subject(tmp_path, monkeypatch, request):
    """`subject(factory="module:attribute", rest="options=…", module="…", requires="nst>=0.1")`: a plugin on disk."""
    name = "checked_" + "".join(letter for letter in request.node.name if letter.isalnum())
    monkeypatch.syspath_prepend(tmp_path)

    def make(factory="math:sqrt", rest="", module="", requires="nst>=0.1", group="nst.v1", **files):
        (tmp_path / f"{name}.py").write_text(HEAD + (module or HOOK.format(factory=factory, rest=rest)))
        for file, text in files.items():
            (tmp_path / f"{file}.py").write_text(text)
        info = tmp_path / "nst_checked-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Name: nst-checked\nVersion: 1.0\nRequires-Dist: {requires}\n\nReadme.\n")
        return Subject(Plugins([EntryPoint(group, "checked", name, "nst-checked", "1.0")]), "NST_Checked")

    yield make
    for module in [module for module in sys.modules if module.startswith("checked_")]:
        del sys.modules[module]


def one(check, subject):
    (finding,) = ask(check, subject)
    return finding


def test_all_is_well_with_each_plugin_of_ours(plugins):
    for plugin in plugins.installed:
        found = examine(Subject(plugins, plugin.distribution))
        assert [finding for finding in found if finding.status == "failed"] == []
        assert [finding.name for finding in found] == list(CHECKS)


def test_a_plugin_that_cannot_be_loaded_is_not_asked_further(subject):
    (found,) = examine(subject(module="1 / 0"))
    assert (found.name, found.status, found.message) == ("loading", "failed", "ZeroDivisionError: division by zero")
    assert "NST_STRICT_PLUGINS=1" in found.hint


def test_one_for_another_api_says_what_to_install(subject):
    found = one("loading", subject(group="nst.v9"))
    assert found.message == "made for nst.v9, this nst speaks nst.v1"
    assert found.hint == "pip install --upgrade nst nst-checked"


def test_what_an_entry_module_imports_is_named_once(subject):
    found = one(
        "import",
        subject(
            module="import numpy.linalg, yaml_of_ours\n" + HOOK.format(factory="a:b", rest=""),
            yaml_of_ours="import nst.errors, wave",
        ),
    )
    assert found.status == "failed"
    assert found.message.endswith(" imports numpy, yaml_of_ours")


def test_what_its_hooks_import_counts_too(subject):
    hook = "@hookimpl\ndef nst_losses():\n    import numpy\n    return []\n"
    assert one("import", subject(module=hook)).message.endswith(" imports numpy")


def test_a_light_one_is_told_its_milliseconds(subject):
    found = one("import", subject())
    assert found.status == "ok"
    assert found.message.endswith(" ms.")


@pytest.mark.parametrize(
    ("factory", "trouble"),
    [
        ("not_there:mine", "cannot be imported: ModuleNotFoundError: No module named 'not_there'"),
        ("math:nothing", "cannot be imported: AttributeError: module 'math' has no attribute 'nothing'"),
        ("math:pi", "cannot be called"),
        ("exiting:mine", "cannot be imported: SystemExit: no GPU"),
        ("factories:positional", "does not take what it is called with: got an unexpected keyword argument 'lr'"),
        ("factories:needy", "does not take what it is called with: missing a required argument: 'more'"),
        ("factories:other", "has lr=0.2, its spec 0.1"),
        ("factories:sided", "does not take what it is called with: got an unexpected keyword argument 'step_scale'"),
    ],
)
def test_a_factory_that_fails_says_how(subject, factory, trouble):
    factories = """
def positional(objective, image, *, state=None, step_scale=1.0): pass
def needy(objective, image, *, more, state=None, step_scale=1.0, lr=0.1): pass
def other(objective, image, *, state=None, step_scale=1.0, lr=0.2): pass
def sided(objective, image, *, state=None, lr=0.1): pass
"""
    made = subject(factory, "(Option('lr', 0.1, 'x'),)", factories=factories, exiting="raise SystemExit('no GPU')")
    assert one("factories", made).message == f"optimizer mine: {factory} {trouble}"


def test_an_option_that_has_the_name_of_what_nst_gives_is_told(subject):
    code = "def mine(objective, image, *, state=None, step_scale=1.0): pass"
    found = one("factories", subject("factories:mine", "(Option('state', 0.1, 'x'),)", factories=code))
    reason = "cannot have an option 'state': nst itself gives it something of that name"
    assert found.message == f"optimizer mine: factories:mine {reason}"


@pytest.mark.parametrize(
    ("hook", "spec", "lacking"),
    [
        ("nst_losses", "LossSpec('mine', 'made:Thing', 's')", "StatisticLoss: it has no distance()"),
        ("nst_losses", "LossSpec('mine', 'made:Thing', 's', shape='pointwise')", "PointwiseLoss: it has no energy()"),
        ("nst_backends", "BackendSpec('mine', 'made:Thing', 's', kind='image')", "ImageBackend: it has no stylize()"),
    ],
)
def test_a_class_that_is_not_of_its_protocol_says_what_it_lacks(subject, hook, spec, lacking):
    code = "class Thing:\n    def __init__(self, *weights, **given): pass\n    "
    code += "statistic = difference = peak_memory = print\n"
    found = one("factories", subject(module=f"@hookimpl\ndef {hook}():\n    yield {spec}\n", made=code))
    assert found.message.endswith(f" mine: made:Thing is no {lacking}")


@pytest.mark.parametrize(
    ("state_bytes", "trouble"),
    [
        ("nowhere:state_bytes", "cannot be asked: ModuleNotFoundError: No module named 'nowhere'"),
        ("sizes:shy", "cannot be asked: TypeError: shy() got an unexpected keyword argument 'lr'"),
        ("sizes:vague", "tells None, which is no number of bytes"),
        ("framed:state_bytes", "imports jax"),
    ],
)
def test_what_tells_the_bytes_of_a_state_is_asked(subject, state_bytes, trouble):
    sizes = "def shy(image, steps): return 0\ndef vague(image, steps, **options): pass\n"
    code = "def mine(objective, image, *, state=None, step_scale=1.0, lr=0.1): pass"
    made = subject(
        "factories:mine",
        f"(Option('lr', 0.1, 'x'),), state_bytes='{state_bytes}'",
        factories=code,
        sizes=sizes,
        framed="import jax\ndef state_bytes(image, steps, **options): return 0\n",
        jax="",
    )
    assert one("factories", made).message == f"optimizer mine: state_bytes ({state_bytes}) {trouble}"


def test_what_makes_weights_of_a_file_and_what_compresses_can_be_imported(subject):
    given = "kind='image', files='nowhere:File', compressor='math:pi'"
    module = f"@hookimpl\ndef nst_backends():\n    yield BackendSpec('net', 'factories:mine', 'a network', {given})\n"
    found = ask("factories", subject(module=module, factories="def mine(weights, *, device): pass"))
    assert [finding.message for finding in found] == [
        "backend net: nowhere:File cannot be imported: ModuleNotFoundError: No module named 'nowhere'",
        "backend net: math:pi cannot be called",
    ]


@pytest.mark.parametrize(
    ("hook", "spec", "told"),
    [
        (
            "losses",
            "LossSpec('x', 'a:b', shape='pointwise')",
            "loss x is pointwise, which is no shape for role 'style'",
        ),
        ("backends", "BackendSpec('x', 'a:b')", "backend x has no layers"),
        ("backends", "BackendSpec('x', 'a:b', layers=(Layer('relu1_1'),), pooling=())", "backend x has no pooling"),
        (
            "backends",
            "BackendSpec('x', 'a:b', layers=(Layer('block1_conv1'),))",
            "backend x: layer 'block1_conv1' cannot be asked for by that name",
        ),
        (
            "backends",
            "BackendSpec('x', 'a:b', kind='image', devices=('cuda',))",
            "backend x has no device 'auto', which is what nst asks for",
        ),
        (
            "backends",
            "BackendSpec('x', 'a:b', layers=(Layer('relu1_1'),), pooling=('average',))",
            "backend x has no pooling 'max', which is what nst asks for",
        ),
    ],
)
def test_what_nobody_could_choose_is_told(subject, hook, spec, told):
    found = one("uses", subject(module=f"@hookimpl\ndef nst_{hook}():\n    yield {spec}\n"))
    assert found.message == told
    assert found.status == ("warned" if "'max'" in told else "failed")


def test_bounds_that_a_whole_number_cannot_have_are_told(subject):
    found = one("options", subject(rest="(Option('history', 1, 'x', 0.5, 3),)"))
    assert found.message == "optimizer mine: option 'history' is a whole number, but its bounds are not"


def test_a_factory_that_takes_more_than_its_spec_tells_is_doubted(subject):
    code = "def mine(objective, image, *, state=None, step_scale=1.0, lr=0.1, beta=1): pass"
    found = one("factories", subject("factories:mine", "(Option('lr', 0.1, 'x'),)", factories=code))
    assert found.status == "warned"
    assert found.message == "optimizer mine: factories:mine takes 'beta', which is no option of its spec"


@pytest.mark.parametrize("code", ["def mine(*arguments, **options): pass", "from math import hypot as mine"])
def test_a_factory_that_takes_anything_is_well(subject, code):
    assert one("factories", subject("factories:mine", "(Option('lr', 0.1, 'x'),)", factories=code)).status == "ok"


def test_a_factory_that_kills_its_process_hurts_nobody(subject):
    made = subject("factories:mine", factories="import os, sys; sys.stderr.write('boom'); os._exit(7)")
    assert one("factories", made).message == "the process that imports its factories ended with 7: boom"


def test_what_was_found_before_a_factory_that_kills_its_process_is_told(subject):
    made = subject(module="import numpy\n" + HOOK.format(factory="fatal:mine", rest=""), fatal="import os; os._exit(7)")
    assert one("import", made).message.endswith(" imports numpy")


def test_what_a_factory_prints_does_no_harm(subject):
    code = "print('hello')\ndef mine(objective, image, state, step_scale): pass"
    assert one("factories", subject("factories:mine", factories=code)).status == "ok"


def test_a_factory_that_takes_for_ever_is_ended(subject, monkeypatch):
    monkeypatch.setattr("nst.testing.probe.PATIENCE", 0.5)
    found = one("factories", subject("factories:mine", factories="import time; time.sleep(60)"))
    assert found.message == "importing its factories took more than 0.5 seconds"


@pytest.mark.parametrize(
    ("source", "trouble"),
    [
        ("sources:MISSING", "cannot be imported: AttributeError: module 'sources' has no attribute 'MISSING'"),
        ("sources:PARTIAL", "has no verify()"),
        ("sources:LOST", "cannot tell its path: OSError: no home"),
        ("sources:VAGUE", "cannot tell its path: TypeError: expected str, bytes or os.PathLike object, not NoneType"),
        ("framed:SOURCE", "imports wave"),
    ],
)
def test_a_weight_source_that_fails_says_how(subject, source, trouble):
    weights = f"weights=(WeightSet('all', '{source}', 'me', 'CC0-1.0', 'unit'),), requires=('wave',), install='x'"
    module = f"@hookimpl\ndef nst_backends():\n    yield BackendSpec('net', 'math:sqrt', 'a network', {weights})\n"
    sources = """
class PARTIAL:
    path = fetch = load = print
class VAGUE:
    path = fetch = load = verify = print
class LOST(VAGUE):
    def path():
        raise OSError('no home')
"""
    framed = "import wave\nclass SOURCE:\n    path = str\n    fetch = load = verify = print\n"
    found = one("weights", subject(module=module, sources=sources, framed=framed))
    assert found.message == f"backend net: the source of weights 'all' ({source}) {trouble}"


@pytest.mark.parametrize(
    ("requires", "status"),
    [
        ("nst>=0.1", "ok"),
        ("nst (>=0.1,<2)", "ok"),
        ("NST~=0.1; python_version > '3'", "ok"),
        ("nst[demo]>=0.1", "ok"),
        ("nst", "warned"),
        ("nst[demo]", "warned"),
        ("nst ; python_version > '3'", "warned"),
        ("nst-torch>=1", "failed"),
        ("nst>=0.1; extra == 'all'", "failed"),
        ("nst>=", "failed"),
    ],
)
def test_the_requirement_of_nst_is_read_as_pip_writes_it(subject, requires, status):
    assert one("versions", subject(requires=requires)).status == status


def test_a_plugin_without_metadata_is_told_to_be_installed(plugins):
    made = Subject(Plugins([EntryPoint("nst.v1", "x", "nst.losses", "nst-nowhere", "1")]), "nst-nowhere")
    for check in ("versions", "metadata"):
        found = one(check, made)
        assert (found.status, found.hint) == ("failed", "pip install -e .")


def test_the_worst_finding_decides(subject):
    code = "def mine(objective, image, *, state=None, step_scale=1.0): pass"
    found = examine(subject("factories:mine", requires="nst", factories=code))
    assert worst_level([each for each in found if each.status == "ok"]) == "ok"
    assert worst_level([each for each in found if each.name != "metadata"]) == "warned"
    assert worst_level(found) == "failed"  # no license
