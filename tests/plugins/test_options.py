"""A plugin's options: read as the type of their default, within their bounds, all mistakes together."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nst.errors import Mistakes, UserError
from nst.plugins.options import read_option, read_options
from nst.specs import OptimizerSpec, Option

HISTORY = Option("history", 20, "pairs kept", minimum=1, maximum=200)
LR = Option("lr", 0.02, "change per step", minimum=0)
CEILING = Option("ceiling", 1.0, "the most", maximum=5)
LENGTH = Option("length", 1.0, "of anything")
BOUNDED = Option("bounded", True, "keep pixels in 0..1")
MATCH = Option("match", "content", "whose colors", choices=("content", "style"))
NAME = Option("name", "x", "any text")
SPEC = OptimizerSpec(name="mine", factory="a:b", options=(HISTORY, LR, BOUNDED, MATCH))

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=4,
)


@pytest.mark.parametrize(
    ("option", "given", "value"),
    [
        (HISTORY, "7", 7),
        (HISTORY, 7.0, 7),
        (LENGTH, "1e-3", 1e-3),
        (LENGTH, -3, -3.0),
        (BOUNDED, "No", False),
        (BOUNDED, "false", False),
        (BOUNDED, "0", False),
        (BOUNDED, "YES", True),
        (BOUNDED, "true", True),
        (BOUNDED, "1", True),
        (BOUNDED, False, False),
        (MATCH, "style", "style"),
        (HISTORY, 1, 1),
        (HISTORY, 200, 200),
    ],
)
def test_a_value_is_read_as_the_type_of_the_default(option: Option, given: Any, value: Any) -> None:
    converted = read_option(option, given)
    assert (converted, type(converted)) == (value, type(option.default))


@pytest.mark.parametrize(
    ("option", "given", "message"),
    [
        (HISTORY, "2.5", "history must be a whole number, not '2.5'"),
        (HISTORY, 2.5, "history must be a whole number, not '2.5'"),
        (HISTORY, True, "history must be a whole number, not 'True'"),
        (HISTORY, [3], "history must be a whole number, not '[3]'"),
        (HISTORY, float("inf"), "history must be a whole number, not 'inf'"),
        (LR, "fast", "lr must be a number, not 'fast'"),
        (LR, True, "lr must be a number, not 'True'"),
        (BOUNDED, "maybe", "bounded must be yes or no, not 'maybe'"),
        (NAME, 5, "name must be text, not '5'"),
        (HISTORY, 0, "history must be 1 to 200, not 0"),
        (HISTORY, 201, "history must be 1 to 200, not 201"),
        (LR, -0.5, "lr must be 0 or more, not -0.5"),
        (LR, "nan", "lr must be 0 or more, not nan"),
        (LR, "inf", "lr must be 0 or more, not inf"),
        (CEILING, 6, "ceiling must be 5 or less, not 6"),
        (LENGTH, "-inf", "length must be finite, not -inf"),
    ],
)
def test_a_wrong_value_says_what_is_allowed_and_what_it_is_for(option: Option, given: Any, message: str) -> None:
    with pytest.raises(UserError) as caught:
        read_option(option, given)
    assert (caught.value.message, caught.value.hint) == (message, option.help)


def test_a_near_choice_is_suggested() -> None:
    with pytest.raises(UserError, match="unknown match 'contents'") as caught:
        read_option(MATCH, "contents")
    assert caught.value.hint == "did you mean content?"


@given(st.sampled_from([HISTORY, LR, CEILING, LENGTH, BOUNDED, MATCH, NAME]), ANYTHING)
def test_any_value_is_read_or_a_mistake(option: Option, given: Any) -> None:
    try:
        value = read_option(option, given)
    except UserError:
        return
    assert type(value) is type(option.default)
    assert read_option(option, value) == value
    assert read_option(option, str(value)) == value


def test_what_is_not_given_has_its_default() -> None:
    assert read_options(SPEC, {"lr": "0.5"}) == {"history": 20, "lr": 0.5, "bounded": True, "match": "content"}


def test_a_plugin_without_options_says_so() -> None:
    with pytest.raises(UserError, match="'plain' has no option 'lr'") as caught:
        read_options(OptimizerSpec("plain", "a:b"), {"lr": 1})
    assert caught.value.hint == "'plain' takes no options"


def test_every_mistake_is_reported() -> None:
    with pytest.raises(Mistakes) as caught:
        read_options(SPEC, {"histroy": "3", "lr": "-1", "bounded": "maybe"})
    assert [(error.message, error.hint) for error in caught.value.errors] == [
        ("unknown option of mine: 'histroy'", "did you mean history?"),
        ("lr must be 0 or more, not -1", "change per step"),
        ("bounded must be yes or no, not 'maybe'", "keep pixels in 0..1"),
    ]
