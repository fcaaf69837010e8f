"""Errors carry a message, a hint and an exit code, and several are reported as one."""

from __future__ import annotations

import pytest

from nst.errors import Findings, Mistakes, NstError, UserError, raise_all, unknown

FIRST, SECOND = UserError("first", "do this"), UserError("second")


def raises(error: Exception) -> None:
    raise error


def test_the_callers_mistakes_exit_with_2_and_failures_with_1() -> None:
    assert (NstError("").exit_code, UserError("").exit_code, Mistakes([FIRST, SECOND]).exit_code) == (1, 2, 2)


def test_an_error_reads_as_its_message() -> None:
    assert (str(FIRST), FIRST.hint, SECOND.hint) == ("first", "do this", "")


def test_no_errors_raise_nothing() -> None:
    raise_all([])


def test_one_error_is_raised_itself() -> None:
    with pytest.raises(UserError) as caught:
        raise_all([FIRST])
    assert caught.value is FIRST


def test_several_errors_are_raised_together_in_order() -> None:
    with pytest.raises(Mistakes, match=r"^first; second$") as caught:
        raise_all([FIRST, SECOND])
    assert caught.value.errors == (FIRST, SECOND)


def test_findings_keep_errors_and_drop_none() -> None:
    found = Findings()
    found.add(None, FIRST, None, SECOND)
    assert found.errors == [FIRST, SECOND]


def test_an_attempt_returns_what_the_action_does() -> None:
    found = Findings()
    assert found.attempt(lambda: 3) == 3
    assert found.errors == []


def test_an_attempt_keeps_each_mistake_on_its_own() -> None:
    found = Findings()
    assert found.attempt(lambda: raises(SECOND)) is None
    assert found.attempt(lambda: raises(Mistakes([FIRST, SECOND]))) is None
    assert found.errors == [SECOND, FIRST, SECOND]


@pytest.mark.parametrize("error", [NstError("disk full"), KeyError("x")])
def test_an_attempt_lets_failures_through(error: Exception) -> None:
    with pytest.raises(type(error)):
        Findings().attempt(lambda: raises(error))


@pytest.mark.parametrize("name", ["lbgfs", "LBFGS", "l-bfgs"])
def test_a_near_miss_is_suggested(name: str) -> None:
    error = unknown("optimizer", name, ["adam", "lbfgs"])
    assert (error.message, error.hint) == (f"unknown optimizer '{name}'", "did you mean lbfgs?")


def test_the_two_nearest_misses_are_suggested() -> None:
    names = ["relu1_1", "relu1_2", "relu5_4", "pool5"]
    assert unknown("layer", "relu1_3", names).hint == "did you mean relu1_2 or relu1_1?"


def test_what_is_nowhere_near_lists_what_there_is() -> None:
    assert unknown("optimizer", "xyz", ["lbfgs", "adam"]).hint == "choose from adam, lbfgs"
    assert unknown("optimizer", "xyz", []).hint == "choose from none"


def test_a_further_hint_follows_the_suggestion() -> None:
    assert unknown("optimizer", "adm", ["adam"], "or install one").hint == "did you mean adam? or install one"
