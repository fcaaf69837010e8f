from itertools import islice

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import interpolate

from nst.protocols import Evaluation
from nst_optimizers.laplacian_rmsprop import _gather, _sizes, _sum, laplacian_rmsprop

SIZES = st.tuples(st.integers(1, 33), st.integers(1, 33))


def random_levels(sizes, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(*size, 3)) for size in sizes]


def torch_sum(levels):
    """The same pyramid, enlarged by torch: `(H, W, 3)` from levels of that layout."""
    total = levels[-1]
    for level in levels[-2::-1]:
        enlarged = interpolate(total.permute(2, 0, 1)[None], scale_factor=2, mode="bilinear", align_corners=False)
        total = level + enlarged[0].permute(1, 2, 0)[: level.shape[0], : level.shape[1]]
    return total


@given(size=SIZES, levels=st.integers(1, 6))
def test_levels_are_enlarged_as_torch_enlarges(size, levels):
    sizes = _sizes(size, levels)
    parts = random_levels(sizes)
    np.testing.assert_allclose(_sum(parts, sizes), torch_sum([torch.tensor(part) for part in parts]), atol=1e-12)


@given(size=SIZES, levels=st.integers(1, 6))
def test_gathering_is_the_adjoint_of_summing(size, levels):
    sizes = _sizes(size, levels)
    parts, image = random_levels(sizes), np.random.default_rng(1).normal(size=(*size, 3))
    there = np.vdot(_sum(parts, sizes), image)
    back = sum(np.vdot(part, found) for part, found in zip(parts, _gather(image, sizes), strict=True))
    assert there == pytest.approx(back, abs=1e-9)


@pytest.mark.parametrize(
    ("size", "expected"),
    [((9, 14), [(9, 14), (5, 7), (3, 4), (2, 2), (1, 1)]), ((1, 40), [(1, 40)]), ((2, 5), [(2, 5), (1, 3)])],
)
def test_levels_halve_until_the_short_side_is_one_pixel(size, expected):
    assert _sizes(size, 9) == expected


@pytest.mark.parametrize("levels", [2, 3, 9])
@pytest.mark.parametrize("name", ["quadratic", "rosenbrock", "textured"])  # 5 x 7, 4 x 4 and 8 x 8 pixels
def test_every_step_is_torchs_on_the_pyramids_levels(request, name, levels):
    problem = request.getfixturevalue(f"make_{name}")("torch")
    shapes = [(*size, 3) for size in _sizes(problem.start.shape[:2], levels)]
    parts = [problem.start.clone(), *(torch.zeros(shape, dtype=problem.start.dtype) for shape in shapes[1:])]
    optimizer = torch.optim.RMSprop([part.requires_grad_() for part in parts], lr=0.01, alpha=0.9, eps=1e-6)
    options = {"lr": 0.01, "alpha": 0.9, "epsilon": 1e-6, "levels": levels}
    for iterate in islice(laplacian_rmsprop(problem, problem.start, **options), 30):
        image = torch_sum(parts)
        optimizer.zero_grad()
        image.backward(problem(image.detach()).gradient)
        optimizer.step()
        torch.testing.assert_close(iterate.image, torch_sum(parts).detach())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["quadratic", "rosenbrock", "textured"])
def test_one_level_is_torchs_rmsprop(request, name, dtype):
    problem = request.getfixturevalue(f"make_{name}")("torch", dtype=dtype)
    image = problem.start.clone().requires_grad_()
    optimizer = torch.optim.RMSprop([image], lr=0.01, alpha=0.9, eps=1e-6)
    for iterate in islice(laplacian_rmsprop(problem, problem.start, lr=0.01, alpha=0.9, epsilon=1e-6, levels=1), 40):
        image.grad = problem(image.detach()).gradient
        optimizer.step()
        torch.testing.assert_close(iterate.image, image.detach())


@given(size=SIZES, levels=st.integers(1, 6))
def test_state_holds_every_level_in_two_images(size, levels):
    start = np.random.default_rng(0).uniform(size=(*size, 3))

    def towards_gray(image):
        return Evaluation(float(np.sum((image - 0.5) ** 2)), {}, 2 * (image - 0.5))

    whole = list(islice(laplacian_rmsprop(towards_gray, start, levels=levels), 4))
    assert [array.shape for array in whole[0].state.values()] == [start.shape] * 2
    resumed = laplacian_rmsprop(towards_gray, whole[1].image, state=whole[1].state, levels=levels)
    for one, other in zip(whole[2:], resumed, strict=False):
        np.testing.assert_array_equal(one.image, other.image)
        np.testing.assert_array_equal(one.state["coarser"], other.state["coarser"])


def test_step_scale_multiplies_every_step(make_quadratic):
    problem = make_quadratic()
    halved, slower = (
        laplacian_rmsprop(problem, problem.start, **options) for options in ({"step_scale": 0.5}, {"lr": 0.001})
    )
    for one, other in islice(zip(halved, slower, strict=False), 5):
        np.testing.assert_array_equal(one.image, other.image)


def test_a_coarse_level_moves_a_flat_error_at_once():
    """What the pyramid is for: all pixels wrong alike take one step together, and each level adds its own."""
    start = np.zeros((8, 8, 3))

    def far(image):
        return Evaluation(float(np.sum((image - 9) ** 2)), {}, 2 * (image - 9))

    plain, pyramid = (next(laplacian_rmsprop(far, start, alpha=0, lr=0.1, levels=levels)) for levels in (1, 3))
    np.testing.assert_allclose(plain.image, 0.1)
    np.testing.assert_allclose(pyramid.image, 0.3)


def test_a_step_costs_one_evaluation(make_quadratic):
    problem = make_quadratic()
    list(islice(laplacian_rmsprop(problem, problem.start), 10))
    assert len(problem.losses) == 11
