"""The tape's gradients are the numeric ones, its infinities a framework's."""

from __future__ import annotations

import numpy as np
import pytest

from nst.protocols import Namespace
from nst.testing.calls import CALLS, X
from nst.testing.tape import Tape, TapeNamespace, gradient
from nst.vgg.reference import ReferenceVGG, _numeric_gradient

xp = TapeNamespace()


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_call_means_what_it_means_in_numpy(call):
    expected = call(ReferenceVGG.xp, X)
    for found in (call(xp, Tape(X)).value, call(xp, X)):
        np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_its_gradient_is_the_numeric_one(call):
    leaf, weight = Tape(X), np.cos(np.arange(np.size(call(ReferenceVGG.xp, X)))).reshape(np.shape(call(xp, X)))
    found = gradient(xp.sum(call(xp, leaf) * weight), leaf)
    expected = _numeric_gradient(lambda x: float(np.sum(call(ReferenceVGG.xp, x) * weight)), X.copy(), 1e-6)
    np.testing.assert_allclose(found, expected, atol=1e-7)


def test_every_function_of_the_namespace_is_called():
    promised = {name for name in vars(Namespace) if not name.startswith("_")}
    assert promised <= {call.split()[0] for call in CALLS}


def test_what_is_used_twice_counts_twice():
    leaf = Tape(3.0)
    assert gradient(leaf * leaf + leaf, leaf) == 7


def test_what_has_no_part_has_no_slope():
    leaf = Tape([1.0, 2.0])
    np.testing.assert_array_equal(gradient(xp.sum(Tape([3.0])), leaf), [0, 0])


def test_a_root_at_0_has_the_slope_of_every_framework():
    leaf = Tape([0.0, 4.0])
    with np.errstate(divide="ignore"):
        np.testing.assert_array_equal(gradient(xp.sum(xp.sqrt(leaf)), leaf), [np.inf, 0.25])


@pytest.mark.parametrize("use", [lambda x: x > 0, lambda x: float(x), lambda x: x.mean(), lambda x: np.exp(x)])
def test_what_no_namespace_offers_fails(use):
    with pytest.raises((TypeError, AttributeError)):
        use(Tape([1.0]))
