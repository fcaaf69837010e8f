from itertools import islice

import numpy as np
import pytest
import torch

from nst.protocols import Evaluation
from nst_optimizers.adam import adam

OPTIONS = {"lr": 0.03, "beta1": 0.8, "beta2": 0.95, "epsilon": 1e-6}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["quadratic", "rosenbrock", "textured"])
def test_every_step_is_torchs(request, name, dtype):
    problem = request.getfixturevalue(f"make_{name}")("torch", dtype=dtype)
    image = problem.start.clone().requires_grad_()
    optimizer = torch.optim.Adam([image], lr=0.03, betas=(0.8, 0.95), eps=1e-6)
    for iterate in islice(adam(problem, problem.start, **OPTIONS), 40):
        image.grad = problem(image.detach()).gradient
        optimizer.step()
        torch.testing.assert_close(iterate.image, image.detach())


def test_a_step_costs_one_evaluation(make_quadratic):
    problem = make_quadratic()
    list(islice(adam(problem, problem.start), 10))
    assert len(problem.losses) == 11


def test_step_scale_multiplies_every_step(make_quadratic):
    problem = make_quadratic()
    halved, slower = (adam(problem, problem.start, **options) for options in ({"step_scale": 0.5}, {"lr": 0.01}))
    for one, other in islice(zip(halved, slower, strict=False), 5):
        np.testing.assert_array_equal(one.image, other.image)


def test_first_step_is_as_long_as_lr(make_quadratic):
    problem = make_quadratic()
    step = next(adam(problem, problem.start, lr=0.05)).image - problem.start
    np.testing.assert_allclose(np.abs(step), 0.05, rtol=1e-4)


def test_a_loss_that_is_not_finite_is_handed_to_the_engine(make_quadratic):
    start = make_quadratic().start
    found = list(islice(adam(lambda image: Evaluation(np.nan, {}, image * np.nan), start), 2))
    assert all(np.isnan(iterate.evaluation.loss) for iterate in found)


def test_a_state_resized_like_the_image_is_that_of_the_other_size():
    """Each pixel repeated: a loss that is a mean over pixels stays what it was, and its gradient is a quarter."""
    small, goal = np.random.default_rng(0).uniform(size=(2, 6, 5, 3))

    def repeated(array):
        return array.repeat(2, axis=0).repeat(2, axis=1)

    def towards(target):
        return lambda image: Evaluation(np.mean((image - target) ** 2), {}, 2 * (image - target) / target.size)

    one = next(islice(adam(towards(goal), small, epsilon=1e-16), 7, None))
    other = next(islice(adam(towards(repeated(goal)), repeated(small), epsilon=1e-16), 7, None))
    for name in ("mean", "square"):
        np.testing.assert_allclose(repeated(one.state[name]), other.state[name])
