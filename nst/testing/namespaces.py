"""Test the requirements on the functions that a loss may call: `nst.protocols.Namespace`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pytest

from nst.protocols import Evaluation, FeatureBackend, Tensor
from nst.testing.calls import CALLS, X
from nst.testing.tape import Tape, TapeNamespace, gradient
from nst.vgg.reference import ReferenceVGG


class NamespaceTests:
    """Tests of the namespace of a `backend`, a fixture of the suite that has these tests."""

    tolerance: ClassVar[float] = 1e-4
    """Of what a namespace computes in float32, relative to the largest: sums of a hundred numbers are good to 1e-5."""

    @pytest.mark.parametrize("call", CALLS)
    def test_namespace_gives_what_numpy_gives(self, backend: FeatureBackend, call: str) -> None:
        """Each gives what NumPy's gives."""
        expected = CALLS[call](ReferenceVGG.xp, X)
        plain = backend.to_host(CALLS[call](backend.xp, backend.asarray(X.astype(np.float32))))  # as targets are
        np.testing.assert_allclose(plain, expected, rtol=0, atol=self.tolerance * np.abs(expected).max())
        weight = np.random.default_rng(1).uniform(0.5, 1, np.shape(expected))
        evaluation = self._weighted(backend, call, weight)
        scale = np.abs(expected * weight).sum()
        assert evaluation.loss == pytest.approx((expected * weight).sum(), abs=self.tolerance * scale)

    @pytest.mark.parametrize("call", CALLS)
    def test_namespace_has_the_gradient_of_what_it_gives(self, backend: FeatureBackend, call: str) -> None:
        """Each has the gradient of what it gives."""
        leaf, xp = Tape(X), TapeNamespace()
        weight = np.random.default_rng(1).uniform(0.5, 1, np.shape(CALLS[call](ReferenceVGG.xp, X)))
        expected = gradient(xp.sum(CALLS[call](xp, leaf) * weight), leaf)
        actual = np.asarray(self._weighted(backend, call, weight).gradient)
        np.testing.assert_allclose(actual, expected, rtol=0, atol=self.tolerance * np.abs(expected).max())

    def _weighted(self, backend: FeatureBackend, call: str, weight: Any) -> Evaluation:
        """Return the weighted sum of a call's result; the weights differ, so that values cannot be exchanged."""

        def loss(x: Tensor, weight: Tensor) -> Mapping[str, Tensor]:
            result = CALLS[call](backend.xp, x)
            assert tuple(result.shape) == tuple(weight.shape)
            return {"all": backend.xp.sum(result * weight)}

        return backend.value_and_grad(loss)(X.astype(np.float32), weight.astype(np.float32))
