"""Readers of recipe values: text and data give the same canonical value, anything else says what was wanted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nst import values
from nst.errors import UserError

READERS = [
    values.text,
    values.number,
    values.positive,
    values.whole,
    values.count,
    values.counts,
    values.shares,
    values.selection,
    values.settings,
]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.text("relu1_=.,e- ") | st.datetimes(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)


@pytest.mark.parametrize(
    ("read", "given", "value"),
    [
        (values.text, "lbfgs", "lbfgs"),
        (values.text, Path("a/b.png"), str(Path("a/b.png"))),
        (values.number, "0.5", 0.5),
        (values.number, 0, 0.0),
        (values.positive, "1e-3", 1e-3),
        (values.whole, "0", 0),
        (values.whole, 3.0, 3),
        (values.count, "512", 512),
        (values.counts, "128,181, 256", (128, 181, 256)),
        (values.counts, 128, (128,)),
        (values.counts, [128, "181,256"], (128, 181, 256)),
        (values.counts, "", ()),
        (values.shares, "2,1", (2.0, 1.0)),
        (values.shares, [0, 1], (0.0, 1.0)),
        (values.shares, (), ()),
        (values.selection, "block4_conv2=2 relu1_1", {"relu4_2": 2.0, "relu1_1": 1.0}),
        (values.selection, {"block4_conv2": "2"}, {"relu4_2": 2.0}),
        (values.selection, ["relu1_1=2", "relu2_1"], {"relu1_1": 2.0, "relu2_1": 1.0}),
        (values.settings, "lr=0.02,history=10", {"lr": "0.02", "history": "10"}),
        (values.settings, ["lr=0.02", "note=a=b"], {"lr": "0.02", "note": "a=b"}),
        (values.settings, {"lr": 0.02}, {"lr": 0.02}),
        (values.settings, (), {}),
    ],
)
def test_text_and_data_are_read(read: Callable[[Any], Any], given: Any, value: Any) -> None:
    found = read(given)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("read", "given", "message"),
    [
        (values.text, "  ", "is empty"),
        (values.text, None, "must be text, not None"),
        (values.text, 5, "must be text, not 5"),
        (values.number, "much", "must be a number, not 'much'"),
        (values.number, True, "must be a number, not 'True'"),
        (values.number, [1], "must be a number, not '[1]'"),
        (values.number, -1, "must be a finite number of 0 or more, not -1"),
        (values.number, "inf", "must be a finite number of 0 or more, not inf"),
        (values.number, "nan", "must be a finite number of 0 or more, not nan"),
        (values.positive, "0", "must be above 0, not 0"),
        (values.whole, "1.5", "must be a whole number, not '1.5'"),
        (values.whole, 1.5, "must be a whole number of 0 or more, not 1.5"),
        (values.whole, "-1", "must be a whole number of 0 or more, not -1"),
        (values.whole, False, "must be a whole number, not 'False'"),
        (values.whole, float("inf"), "must be a whole number, not 'inf'"),
        (values.count, 0, "must be 1 or more, not 0"),
        (values.count, 10**20, "must be 1,000,000 or less, not 100000000000000000000"),
        (values.counts, "128,big", "must be a whole number, not 'big'"),
        (values.counts, "128,0", "must be 1 or more, not 0"),
        (values.shares, "0,0", "must not all be 0"),
        (values.shares, "1,-1", "must be a finite number of 0 or more, not -1"),
        (values.selection, "relu1_1=-1", "must be a finite number of 0 or more, not -1.0"),
        (values.selection, {"relu1_1": "nan"}, "must be a finite number of 0 or more, not nan"),
        (values.selection, "relu1_1 = 1", "'=' names no layer"),
        (values.settings, "lr", "has 'lr' where name=value belongs"),
        (values.settings, "=1", "has '' where name=value belongs"),
        (values.settings, 5, "has '5' where name=value belongs"),
    ],
)
def test_a_wrong_value_says_what_was_wanted(read: Callable[[Any], Any], given: Any, message: str) -> None:
    with pytest.raises(UserError) as caught:
        read(given)
    assert caught.value.message == message


@pytest.mark.parametrize("read", READERS)
@settings(max_examples=60)
@given(value=ANYTHING)
def test_any_value_is_read_to_what_reads_as_itself_or_is_a_mistake(read: Callable[[Any], Any], value: Any) -> None:
    try:
        found = read(value)
    except UserError:
        return
    assert repr(read(found)) == repr(found)  # repr, for there may be a NaN among a plugin's settings


@given(st.lists(st.integers(1, 10**6)))
def test_counts_written_out_read_the_same(counts: list[int]) -> None:
    assert values.counts(",".join(map(str, counts))) == values.counts(counts) == tuple(counts)


@given(st.floats(0, allow_infinity=False))
def test_a_number_written_out_reads_the_same(number: float) -> None:
    assert values.number(repr(number)) == values.number(number) == number
