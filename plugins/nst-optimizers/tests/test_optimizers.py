"""What the optimizers of this distribution promise beyond `test_conformance.py`: to the bit, in both precisions."""

from itertools import islice

import numpy as np
import pytest

import nst_optimizers

SPECS = {spec.name: spec for spec in nst_optimizers.nst_optimizers()}
RESUMABLE = [name for name, spec in SPECS.items() if spec.resumable]
KINDS = ["numpy", "torch"]


@pytest.mark.parametrize("name", RESUMABLE)
def test_torch_and_numpy_agree(make_textured, name):
    optimizer = SPECS[name].load()
    problems = make_textured("numpy"), make_textured("torch")
    for one, other in islice(zip(*(optimizer(problem, problem.start) for problem in problems), strict=True), 30):
        np.testing.assert_allclose(one.image, other.image.numpy(), atol=1e-6)
        assert one.evaluation.loss == pytest.approx(other.evaluation.loss, rel=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", RESUMABLE)
def test_resumes_with_the_very_iterates_that_would_have_followed(make_textured, name, kind, dtype):
    optimizer, problem = SPECS[name].load(), make_textured(kind, dtype=dtype)
    whole = list(islice(optimizer(problem, problem.start, lr=0.5), 30))
    for taken in (1, 7, 25):
        seen = len(problem.losses)
        parting = whole[taken - 1]
        rest = islice(optimizer(problem, parting.image, state=parting.state, lr=0.5), 4)
        for one, other in zip(whole[taken:], rest, strict=False):
            assert_same(one, other)
        assert len(problem.losses) <= seen + 5 + 2  # the parting image once more, and a backtrack or two


def assert_same(one, other):
    assert type(one.image) is type(other.image)
    assert one.image.dtype == other.image.dtype
    np.testing.assert_array_equal(np.asarray(one.image), np.asarray(other.image))
    assert one.evaluation.loss == other.evaluation.loss
    assert one.state.keys() == other.state.keys()
    for key, value in one.state.items():
        np.testing.assert_array_equal(np.asarray(value), np.asarray(other.state[key]))
