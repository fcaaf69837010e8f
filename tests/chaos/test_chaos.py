"""Forty plugins, most of them broken in a way of their own, really installed at once: every command still works."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

pytestmark = pytest.mark.slow

HEAD = (
    "import os, sys, time\nfrom nst import BackendSpec, InitializerSpec, LossSpec, OptimizerSpec, WeightSet, hookimpl\n"
)
HOOK = "@hookimpl\ndef nst_optimizers():\n    "
OFFER = HOOK + "yield OptimizerSpec('{name}', 'math:sqrt')\n"
HEALTHY = """
@hookimpl
def nst_backends():
    compact = WeightSet("compact", "nst.weights:COMPACT", "ships with nst", "CC BY 4.0", "torchvision")
    yield BackendSpec("mirror", "chaos_mirror:Mirror", kind="image", weights=(compact,))
"""
MIRROR = """
class Mirror:
    device, precision, notes = "cpu", "float32", ()

    def __init__(self, network, *, device):
        pass

    def stylize(self, content, styles, *, blend, style_scale):
        return content[:, ::-1].copy()

    def peak_memory(self):
        return None
"""


@dataclass(frozen=True)
class Plugin:
    """A distribution `chaos-<name>`: what its module does, and the row it should have in the list.

    `reason` and `remedy` are parts of what the row says of a broken one, `note` of one that is ok.
    """

    name: str
    body: str
    reason: str = ""
    remedy: str = "pip uninstall chaos-{name}"
    note: str = ""
    status: str = ""
    table: str = "[nst.v1]\n{module} = {module}\n"

    @property
    def distribution(self) -> str:
        return f"chaos-{self.name}"

    @property
    def module(self) -> str:
        return f"chaos_{self.name.replace('-', '_')}"

    @property
    def entry_points(self) -> str:
        return self.table.format(module=self.module)

    @property
    def expected(self) -> str:
        return self.status or ("broken" if self.reason else "ok")


def offer(name: str) -> str:
    return OFFER.format(name=name)


HANGING = [
    Plugin("hangs-at-import", "time.sleep(3600)", status="disabled"),
    Plugin("hangs-busily", HOOK + "while True: pass", status="disabled"),
]
BROKEN = [
    Plugin("raises-at-import", "1 / 0", "ZeroDivisionError: division by zero"),
    Plugin("is-not-python", "def (:", "SyntaxError: "),
    Plugin("raises-in-hook", HOOK + "raise OSError('disk')", "OSError: disk"),
    Plugin("fails-midway", offer("early") + "    raise OSError('disk')", "OSError: disk"),
    Plugin("misspells", offer("a").replace("optimizers", "optimisers"), "did you mean nst_optimizers"),
    Plugin("wants-an-argument", offer("a").replace("()", "(config)"), "Argument(s) {'config'} are declared"),
    Plugin("answers-none", HOOK + "pass", "nst_optimizers gave None, not specs"),
    Plugin("answers-strings", HOOK + "return ['a', 'b']", "must be of type OptimizerSpec, not 'a'"),
    Plugin("answers-wrongly", HOOK + "yield InitializerSpec('a', 'b:c')", "not InitializerSpec(name='a'"),
    Plugin("offers-twice", offer("same") + "    yield OptimizerSpec('same', 'b:c')", "offers 'same' twice"),
    Plugin(
        "never-ends",
        HOOK + "import itertools\n    for i in itertools.count(): yield OptimizerSpec(f'o{i}', 'b:c')",
        "nst_optimizers offers more than 1000 specs",
    ),
    Plugin("names-no-factory", HOOK + "yield OptimizerSpec('a', 'nowhere')", "needs a name and a factory"),
    Plugin("lacks-a-module", "import not_there", "No module named 'not_there'", "pip install --upgrade chaos-{name}"),
    Plugin("is-not-there", "", "No module named 'elsewhere'", table="[nst.v1]\nx = elsewhere\n"),
    Plugin("is-no-module", "", "names 'a:b', which is not a module", table="[nst.v1]\nx = a:b\n"),
    Plugin("exits-at-import", "sys.exit(3)", "SystemExit: 3"),
    Plugin("exits-in-hook", HOOK + "sys.exit()", "SystemExit"),
    Plugin("raises-the-base", "class Odd(BaseException): pass\nraise Odd('why')", "Odd: why"),
    Plugin("recurses", "def f(): return f()\nf()", "RecursionError: maximum recursion depth exceeded"),
    Plugin("is-speechless", "class Odd(Exception):\n    def __str__(self): 1 / 0\nraise Odd", "Odd"),
    Plugin("is-verbose", "raise ValueError('\\x1b[31m' + 'no ' * 10**6)", "ValueError: \ufffd[31mno no"),
    Plugin("lost-its-metadata", offer("lost"), "METADATA has no name", "--force-reinstall chaos-lost-its-metadata"),
    Plugin("has-a-corrupt-table", offer("x"), "UnicodeDecodeError: ", "--force-reinstall chaos-has-a-corrupt-table"),
    Plugin(
        "is-too-new", "1 / 0", "made for nst.v2, this nst speaks nst.v1", "pip install --upgrade nst chaos-is-too-new",
        status="other-api", table="[nst.v2]\nx = chaos_is_too_new\n",
    ),
    Plugin(
        "is-too-old", "1 / 0", "made for nst.v0, this nst speaks nst.v1", "pip install --upgrade nst chaos-is-too-old",
        status="other-api", table="[nst.v0]\nx = chaos_is_too_old\n",
    ),
]  # fmt: skip
FINE = [
    Plugin("healthy", HEALTHY),
    Plugin("one", offer("same")),
    Plugin("other", offer("same")),
    Plugin(
        "needs-a-module",
        HEALTHY.replace('"mirror", ', '"needy", requires=("not_there",), install="chaos-not-there", factory='),
    ),
    Plugin("has-no-factory", HEALTHY.replace('"mirror"', '"ghost"').replace("chaos_mirror", "nowhere")),
    Plugin("has-a-bad-factory", HEALTHY.replace('"mirror"', '"bad"').replace("chaos_mirror", "chaos_bad_factory")),
    Plugin("imports-a-framework", "import torch\n" + offer("heavy"), note="imports torch to be listed"),
    Plugin("is-slow", "time.sleep(0.6)\n" + offer("slow"), note=" s to load"),
    Plugin("babbles", "print('{garbage'); os.write(1, b'{trash\\n')\n" + offer("loud")),
    Plugin("closes-stdout", "sys.stdout.close()\n" + offer("shut")),
    Plugin("closes-stderr", "sys.stderr.close()\n" + offer("dumb")),
    Plugin("replaces-stdout", "import io; sys.stdout = sys.stderr = io.StringIO()\n" + offer("deaf")),
    Plugin("warns", "import warnings; warnings.warn('beware')\n" + offer("wary")),
    Plugin("moves", "os.chdir('/'); sys.path.insert(0, '/nowhere')\n" + offer("moved")),
    Plugin("changes-the-locale", "import locale; locale.setlocale(locale.LC_ALL, 'C')\n" + offer("local")),
    Plugin(
        "leaves-a-thread",
        "import threading; threading.Thread(target=time.sleep, args=[3600], daemon=True).start()\n" + offer("t"),
    ),
    Plugin("sets-a-signal", "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + offer("signaled")),
    Plugin(
        "steals-a-name",
        "@hookimpl\ndef nst_losses(): yield LossSpec('gram', 'math:sqrt')",
        note="loss 'gram' is offered by nst too: write chaos-steals-a-name:gram",
    ),
    Plugin("is-not-ascii", "", table="[nst.v1]\nkäse = chaos_käse\n"),
    Plugin("is-huge", offer("huge"), table="[x]\n" + "a = b\n" * 300_000 + "[nst.v1]\nx = chaos_is_huge\n"),
    Plugin("is-unreadable", offer("hidden")),
    Plugin("exits-for-good", "if 'CHAOS_EXIT' in os.environ: os._exit(7)\n" + offer("final")),
]
ALL = [*HANGING, *BROKEN, *FINE]
EXTRA = {
    "chaos_mirror.py": MIRROR,
    "chaos_bad_factory.py": "raise OSError('no disk')\n",
    "chaos_käse.py": HEAD + offer("cheese"),
    "torch/__init__.py": "",
}
WITHOUT_HANGING = {"NST_DISABLE_PLUGINS": ",".join(plugin.distribution for plugin in HANGING)}


@pytest.fixture(scope="module")
def crowd() -> list[tuple[str, dict[str, str], str]]:
    plugins = [(item.distribution, {f"{item.module}.py": HEAD + item.body}, item.entry_points) for item in ALL]
    return [*plugins, ("chaos-extra", EXTRA, "")]


PAINT = ("stylize", "content.png", "style.png", "--backend", "mirror", "-o")
COMMANDS: Mapping[tuple[str, ...], str] = {
    ("--help",): "Usage: nst",
    ("--version",): "nst 0.",
    ("plugins", "list"): "chaos-healthy ",
    ("plugins", "list", "--json"): '"chaos-healthy"',
    ("plugins", "show", "chaos-healthy"): "mirror (backend, from chaos-healthy 1.0)",
    ("weights", "list"): "mirror       compact      fetched",
    (*PAINT, "out.png"): "",
}


@pytest.fixture(scope="module")
def answers(site):
    """The outcome of every command beside all the plugins; those that hang are disabled."""
    running = {words: site.start(*words, **WITHOUT_HANGING) for words in COMMANDS}
    return {words: command.outcome() for words, command in running.items()}


@pytest.fixture(scope="module")
def rows(answers) -> dict[str, dict[str, str]]:
    return {row["distribution"]: row for row in json.loads(answers["plugins", "list", "--json"].out)}


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_works_beside_them_all(answers, words) -> None:
    assert answers[words].code == 0, answers[words].err
    assert COMMANDS[words] in answers[words].out
    assert "Traceback" not in answers[words].err


def test_the_picture_is_painted(answers, site) -> None:
    assert answers[*PAINT, "out.png"].code == 0
    assert (site.desk / "out.png").is_file()


def test_every_installed_plugin_has_one_row(rows) -> None:
    hidden = {"chaos-is-unreadable"}  # whose table it was is not known
    assert set(rows) == {"nst", *(plugin.distribution for plugin in ALL)} - hidden


@pytest.mark.parametrize("plugin", [item for item in ALL if item.name != "is-unreadable"], ids=lambda item: item.name)
def test_each_row_says_how_its_plugin_is_and_what_to_do(rows, answers, plugin) -> None:
    row = rows[plugin.distribution]
    assert row["status"] == plugin.expected, row
    remedy = plugin.remedy.format(name=plugin.name) if plugin.reason else ""
    assert plugin.reason in row["reason"]
    assert remedy in row["remedy"]
    assert plugin.note in row["note"]
    if not plugin.reason:
        assert (row["reason"], row["remedy"]) == ("", "")
    (line,) = (line for line in answers["plugins", "list"].out.splitlines() if line.split()[0] == plugin.distribution)
    assert all(part in line for part in (plugin.reason, remedy, plugin.note))
    assert plugin.expected in line.split()


def test_each_broken_plugin_is_a_line_on_stderr(answers) -> None:
    lines = [line for line in answers["weights", "list"].err.splitlines() if line.startswith("warning: plugin ")]
    assert {line.split()[2] for line in lines} == {plugin.distribution for plugin in ALL if plugin.reason}


def test_one_name_of_two_plugins_is_settled_by_either_spelling(site) -> None:
    names = ("chaos-one:same", "chaos-other:same")
    commands = [site.start("plugins", "show", name, **WITHOUT_HANGING) for name in names]
    assert [command.outcome().out.splitlines()[0] for command in commands] == [
        "same (optimizer, from chaos-one 1.0)",
        "same (optimizer, from chaos-other 1.0)",
    ]


@pytest.mark.parametrize(
    ("backend", "culprit", "why"),
    [
        ("ghost", "chaos-has-no-factory", "(nowhere:Mirror) cannot be loaded: ModuleNotFoundError: No module named"),
        ("bad", "chaos-has-a-bad-factory", "(chaos_bad_factory:Mirror) cannot be loaded: OSError: no disk"),
    ],
)
def test_a_factory_that_fails_is_found_when_used(site, backend, culprit, why) -> None:
    words = ["--backend", backend, "-o", f"{backend}.png"]
    done = site.start("stylize", "content.png", "style.png", *words, **WITHOUT_HANGING).outcome()
    assert done.code == 1
    assert f"error: '{backend}' of {culprit} 1.0 {why}" in done.err
    assert f"hint: reinstall it: pip install --force-reinstall {culprit}\n" in done.err
    assert not (site.desk / f"{backend}.png").exists()


def test_a_module_that_a_spec_requires_is_missed_before_its_factory(site) -> None:
    words = ["--backend", "needy", "-o", "needy.png"]
    done = site.start("stylize", "content.png", "style.png", *words, **WITHOUT_HANGING).outcome()
    assert (done.code, done.out) == (2, "")
    assert "error: 'needy' needs not_there\nhint: pip install chaos-not-there\n" in done.err


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent to processes differently there")
@pytest.mark.parametrize("plugin", HANGING, ids=lambda plugin: plugin.name)
@pytest.mark.parametrize("words", [("plugins", "list"), ("weights", "list")], ids=" ".join)
def test_a_plugin_that_hangs_is_named_and_ctrl_c_ends_the_wait(site, plugin, words) -> None:
    others = ",".join(other.distribution for other in HANGING if other is not plugin)
    running = site.start(*words, NST_DISABLE_PLUGINS=others)
    line = f"waiting for plugin {plugin.module} of distribution {plugin.distribution} ".encode()
    assert any(text.startswith(line) for text in running.process.stderr)
    running.process.send_signal(signal.SIGINT)
    ended = running.outcome()
    assert (ended.code, ended.out) == (130, "")
    assert ended.err.endswith("interrupted\n")


def test_a_plugin_that_ends_the_process_can_be_left_out(site) -> None:
    """It cannot be survived: that is what `--no-plugins` is for."""
    commands = [
        site.start("weights", "list", CHAOS_EXIT="1", **WITHOUT_HANGING),
        site.start("weights", "list", "--no-plugins", CHAOS_EXIT="1"),
        site.start(
            "weights",
            "list",
            CHAOS_EXIT="1",
            NST_DISABLE_PLUGINS=f"{WITHOUT_HANGING['NST_DISABLE_PLUGINS']},chaos-exits-for-good",
        ),
    ]
    assert [command.outcome().code for command in commands] == [7, 0, 0]
