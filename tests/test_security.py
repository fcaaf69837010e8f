"""What no code of ours does: run what it reads."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RESTRICTED = ROOT / "plugins/nst-jax/src/nst_jax/pth.py"
"""Reads PyTorch checkpoints by an unpickler that knows what a tensor is made of, and nothing else; it has tests."""

SHIPPED = sorted([*ROOT.glob("nst/**/*.py"), *ROOT.glob("plugins/*/src/**/*.py")])

RUN_WHAT_THEY_READ = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "yaml", "code"}
CALLS = {"eval", "exec", "compile", "__import__", "os.system", "os.popen", "tempfile.mktemp", "np.fromfile"}
NEEDS = {"torch.load": ("weights_only", True), "load_model": ("safe_mode", True)}


def dotted(node: ast.expr) -> str:
    return ast.unparse(node) if isinstance(node, ast.Name | ast.Attribute) else ""


def dangers(source: str) -> Iterator[str]:
    """Each call or import that could run what a file or a person says, with its line."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            module = node.module if isinstance(node, ast.ImportFrom) else None
            names = [module or ""] if module else [alias.name for alias in node.names]
            yield from (f"{node.lineno}: {name}" for name in names if name.partition(".")[0] in RUN_WHAT_THEY_READ)
        if isinstance(node, ast.Call):
            given = {each.arg: getattr(each.value, "value", None) for each in node.keywords}
            name = dotted(node.func)
            option, value = next((NEEDS[each] for each in NEEDS if name.endswith(each)), ("", None))
            if (
                name in CALLS
                or given.get("shell")
                or given.get("allow_pickle")
                or (option and given.get(option) is not value)
            ):
                yield f"{node.lineno}: {name}"


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_code_of_ours_runs_what_it_reads(path):
    found = [danger.partition(": ")[2] for danger in dangers(path.read_text("utf-8"))]
    assert found == (["pickle"] if path == RESTRICTED else [])


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from yaml import load",
        "import torch\ntorch.load('x')",
        "import torch\ntorch.load('x', weights_only=False)",
        "np.load('x', allow_pickle=True)",
        "keras.models.load_model('x')",
        "eval('1')",
        "exec(text)",
        "os.system('ls')",
        "subprocess.run('ls', shell=True)",
    ],
)
def test_the_check_sees_what_it_is_for(source):
    assert list(dangers(source))


def test_the_check_lets_pass_what_is_meant():
    assert not list(dangers("torch.load('x', weights_only=True)\nre.compile('x')\nsubprocess.run(['ls'])"))
