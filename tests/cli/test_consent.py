"""A run of more than an hour is started only on request."""

from __future__ import annotations

import io

import pytest

from nst.cli.consent import LONGEST, require_consent
from nst.errors import UserError

ANSWERS = [("y\n", True), ("Yes\n", True), ("\n", False), ("n\n", False), ("", False)]


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(("seconds", "yes"), [(LONGEST, False), (None, False), (10 * LONGEST, True)])
def test_a_short_an_unknown_and_an_agreed_run_are_not_asked_about(seconds, yes):
    require_consent(seconds, yes)


def test_where_nobody_can_answer_it_wants_yes():
    with pytest.raises(UserError, match=r"the run would take about 5.6 days") as error:
        require_consent(5.6 * 86400, False)
    assert "--yes" in error.value.hint


@pytest.mark.parametrize(
    ("answer", "starts"), [("y\n", True), ("Yes\n", True), ("\n", False), ("n\n", False), ("", False)]
)
def test_on_a_terminal_it_asks(answer, starts, monkeypatch):
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    monkeypatch.setattr("sys.stderr", asked := Terminal())
    if starts:
        require_consent(3 * LONGEST, False)
    else:
        with pytest.raises(UserError, match="the run was not started"):
            require_consent(3 * LONGEST, False)
    assert asked.getvalue() == "The run will take about 3.0 h. Start it? [y/N] "
