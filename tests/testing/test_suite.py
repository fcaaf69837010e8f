"""What an author writes, and what pytest then does: in a file of its own, run by a pytest inside this one."""

from __future__ import annotations

import importlib
import subprocess
import sys
from itertools import count

import pytest

import nst.testing

NUMBERS = count()  # Python keeps modules by name
HEAD = """
import pytest
from nst.testing import LossSuite

class Ours(LossSuite):
    distribution, entry_module = "nst", "nst.losses"

"""


@pytest.fixture
def author(run, tmp_path):
    """`author(code)`: what became of the tests of a file with that code."""

    def write(code):
        path = tmp_path / f"test_author_{next(NUMBERS)}.py"
        path.write_text(HEAD + code)
        return run(path)

    return write


def ids(found):
    return {node.partition("[")[2].rstrip("]").partition("-")[0] for node in found.passed}


def test_without_a_name_every_spec_of_the_distribution_is_tested(author):
    found = author("class TestAll(Ours): pass")
    assert {"gram", "content", "range"} < ids(found)
    assert not found.failed


def test_a_name_leaves_one(author):
    assert ids(author("class TestOne(Ours):\n    name = 'content'")) == {"content"}


def test_what_is_said_of_others_is_skipped(author):
    found = author("class TestOne(Ours):\n    name = 'content'")
    assert "test_even_weight_is_no_weight[none]" in found.skipped


@pytest.mark.parametrize("key", ["test_is_0_at_its_target", "test_is_0_at_its_target[gram]"])
def test_a_known_gap_is_expected(author, key):
    found = author(f"class TestGap(Ours):\n    name, zero, xfails = 'gram', -1.0, {{'{key}': 'a reason'}}")
    assert not found.failed
    assert "test_is_0_at_its_target[gram]" in found.skipped


def test_a_gap_that_is_closed_fails(author):
    found = author("class TestGap(Ours):\n    name, xfails = 'gram', {'test_is_0_at_its_target': 'a reason'}")
    assert found.failed == {"TestGap": {"test_is_0_at_its_target"}}


def test_a_gap_of_another_spec_does_not_count(author):
    found = author("class TestGap(Ours):\n    zero, xfails = -1.0, {'test_is_0_at_its_target[gram]': 'a reason'}")
    assert "test_is_0_at_its_target[gram]" in found.skipped
    assert "test_is_0_at_its_target" in found.failed["TestGap"]


def test_a_gap_that_names_no_test_fails(author):
    found = author("class TestGap(Ours):\n    name, xfails = 'gram', {'test_is_zero': 'a reason'}")
    assert "test_is_0_at_its_target" in found.failed["TestGap"]


def test_a_spec_may_be_given_instead_of_found(author):
    given = """
class TestGiven(LossSuite):
    @pytest.fixture(scope="class")
    @classmethod
    def spec(cls):
        from nst.specs import LossSpec
        return LossSpec("mine", "nst.losses.gram:Gram")

    @pytest.mark.parametrize("n", [1])
    def test_another(self, spec, n):
        assert spec.name == "mine"
"""
    found = author(given)
    assert "test_is_0_at_its_target" in found.passed
    assert "test_another[1]" in found.passed


def test_options_replace_the_spec_s_defaults(author):
    found = author("class TestOptions(Ours):\n    name, options = 'gram', {'colour': 1}")
    assert "test_is_0_at_its_target" in found.failed["TestOptions"]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("distribution = 'nst-nowhere'", "no distribution 'nst-nowhere' with a plugin is installed"),
        ("distribution, entry_module, name = 'nst', 'nst.losses', 'gramm'", "nst offers no loss called 'gramm'"),
        ("distribution, entry_module = 'nst-x', 'nst.recipe'", "nst.recipe implements no hook"),
    ],
)
def test_what_cannot_be_found_is_said_in_a_line(author, body, told):
    (trouble,) = author(f"class TestMine(LossSuite):\n    {body}").trouble
    assert told in trouble
    assert len(trouble.splitlines()) < 3


@pytest.mark.parametrize("name", nst.testing.__all__)
def test_every_suite_can_be_imported(name):
    assert getattr(nst.testing, name).__name__ == name
    assert name in dir(nst.testing)


def test_no_other_name_can():
    with pytest.raises(AttributeError, match="no attribute 'LosSuite'"):
        importlib.import_module("nst.testing").LosSuite  # noqa: B018


def test_the_kit_imports_no_framework():
    code = f"import sys; from nst.testing import {', '.join(nst.testing.__all__)}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "tensorflow", "jax"} & set(done.stdout.split())
