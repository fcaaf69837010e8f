"""Readers of recipe values: text and data give the same canonical value, anything else says what was wanted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nst.errors import UserError
from nst.recipe import fields

READERS = [
    fields.text,
    fields.number,
    fields.positive,
    fields.whole,
    fields.count,
    fields.counts,
    fields.shares,
    fields.selection,
    fields.settings,
]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.text("relu1_=.,e- ") | st.datetimes(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)


@pytest.mark.parametrize(
    ("read", "given", "value"),
    [
        (fields.text, "lbfgs", "lbfgs"),
        (fields.text, Path("a/b.png"), str(Path("a/b.png"))),
        (fields.number, "0.5", 0.5),
        (fields.number, 0, 0.0),
        (fields.positive, "1e-3", 1e-3),
        (fields.whole, "0", 0),
        (fields.whole, 3.0, 3),
        (fields.count, "512", 512),
        (fields.counts, "128,181, 256", (128, 181, 256)),
        (fields.counts, 128, (128,)),
        (fields.counts, [128, "181,256"], (128, 181, 256)),
        (fields.counts, "", ()),
        (fields.shares, "2,1", (2.0, 1.0)),
        (fields.shares, [0, 1], (0.0, 1.0)),
        (fields.shares, (), ()),
        (fields.selection, "block4_conv2=2 relu1_1", {"relu4_2": 2.0, "relu1_1": 1.0}),
        (fields.selection, {"block4_conv2": "2"}, {"relu4_2": 2.0}),
        (fields.selection, ["relu1_1=2", "relu2_1"], {"relu1_1": 2.0, "relu2_1": 1.0}),
        (fields.settings, "lr=0.02,history=10", {"lr": "0.02", "history": "10"}),
        (fields.settings, ["lr=0.02", "note=a=b"], {"lr": "0.02", "note": "a=b"}),
        (fields.settings, {"lr": 0.02}, {"lr": 0.02}),
        (fields.settings, (), {}),
    ],
)
def test_text_and_data_are_read(read: Callable[[Any], Any], given: Any, value: Any) -> None:
    found = read(given)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("read", "given", "message"),
    [
        (fields.text, "  ", "is empty"),
        (fields.text, None, "must be text, not None"),
        (fields.text, 5, "must be text, not 5"),
        (fields.number, "much", "must be a number, not 'much'"),
        (fields.number, True, "must be a number, not 'True'"),
        (fields.number, [1], "must be a number, not '[1]'"),
        (fields.number, -1, "must be a finite number of 0 or more, not -1"),
        (fields.number, "inf", "must be a finite number of 0 or more, not inf"),
        (fields.number, "nan", "must be a finite number of 0 or more, not nan"),
        (fields.positive, "0", "must be above 0, not 0"),
        (fields.whole, "1.5", "must be a whole number, not '1.5'"),
        (fields.whole, 1.5, "must be a whole number of 0 or more, not 1.5"),
        (fields.whole, "-1", "must be a whole number of 0 or more, not -1"),
        (fields.whole, False, "must be a whole number, not 'False'"),
        (fields.whole, float("inf"), "must be a whole number, not 'inf'"),
        (fields.count, 0, "must be 1 or more, not 0"),
        (fields.count, 10**20, "must be 1,000,000 or less, not 100000000000000000000"),
        (fields.counts, "128,big", "must be a whole number, not 'big'"),
        (fields.counts, "128,0", "must be 1 or more, not 0"),
        (fields.shares, "0,0", "must not all be 0"),
        (fields.shares, "1,-1", "must be a finite number of 0 or more, not -1"),
        (fields.selection, "relu1_1=-1", "must be a finite number of 0 or more, not -1.0"),
        (fields.selection, {"relu1_1": "nan"}, "must be a finite number of 0 or more, not nan"),
        (fields.selection, "relu1_1 = 1", "'=' names no layer"),
        (fields.settings, "lr", "has 'lr' where name=value belongs"),
        (fields.settings, "=1", "has '' where name=value belongs"),
        (fields.settings, 5, "has '5' where name=value belongs"),
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
    assert fields.counts(",".join(map(str, counts))) == fields.counts(counts) == tuple(counts)


@given(st.floats(0, allow_infinity=False))
def test_a_number_written_out_reads_the_same(number: float) -> None:
    assert fields.number(repr(number)) == fields.number(number) == number


def test_numbers_of_numpy_become_plain_numbers() -> None:
    given = {"a": np.float32(0.5), "b": np.int64(3), "c": np.bool_(True), "d": np.array(2.0), "e": "text"}
    plain = fields.settings(given)
    assert plain == {"a": 0.5, "b": 3, "c": True, "d": 2.0, "e": "text"}
    assert [type(value) for value in plain.values()] == [float, int, bool, float, str]
    assert type(fields.number(np.float32(0.5))) is float
    assert [type(value) for value in fields.counts(np.array([3, 4]))] == [int, int]


def test_an_array_where_one_value_belongs_is_refused() -> None:
    with pytest.raises(UserError, match=r"has an array of shape \(2,\) where one value belongs"):
        fields.settings({"lr": np.array([0.1, 0.2])})
    with pytest.raises(UserError, match="must be a number"):
        fields.number(np.bool_(True))
