from itertools import islice, pairwise
from math import inf, nan

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nst.protocols import Evaluation
from nst_optimizers.lbfgs import FIRST_STEP, _affordable, _direction, _Pair, lbfgs


def losses(problem, steps, **options):
    return [iterate.evaluation.loss for iterate in islice(lbfgs(problem, problem.start, **options), steps)]


@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_reaches_the_minimum_of_an_ill_conditioned_quadratic(make_quadratic, kind):
    assert losses(make_quadratic(kind, condition=1e3), 250)[-1] < 1e-10


@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_reaches_the_minimum_of_rosenbrock_and_ends(make_rosenbrock, kind):
    found = losses(make_rosenbrock(kind), 500)
    assert found[-1] < 1e-20
    assert len(found) < 100


@settings(max_examples=25)
@given(
    seed=st.integers(0, 99),
    condition=st.floats(1, 1e6),
    history=st.integers(1, 30),
    scale=st.floats(1e-3, 1),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_every_iterate_is_lower(make_quadratic, seed, condition, history, scale, dtype):
    problem = make_quadratic(condition=condition, seed=seed, dtype=dtype)
    found = losses(problem, 20, history=history, step_scale=scale)
    assert all(later < earlier for earlier, later in pairwise([problem.losses[0], *found]))


@settings(max_examples=25)
@given(seed=st.integers(0, 999), count=st.integers(1, 6))
def test_direction_is_that_of_the_dense_update(seed, count):
    """Nocedal & Wright, eq. 7.16, as a matrix."""
    rng = np.random.default_rng(seed)
    hessian = np.diag(rng.uniform(0.5, 2, 12))
    steps = rng.normal(size=(count, 12))
    pairs = [_Pair(s, hessian @ s, s @ hessian @ s) for s in steps]
    newest = pairs[-1]
    inverse = np.eye(12) * newest.curvature / (newest.change @ newest.change)
    for pair in pairs:
        turn = np.eye(12) - np.outer(pair.change, pair.step) / pair.curvature
        inverse = turn.T @ inverse @ turn + np.outer(pair.step, pair.step) / pair.curvature
    gradient = rng.normal(size=12)
    np.testing.assert_allclose(_direction(gradient, pairs), -inverse @ gradient, rtol=1e-8, atol=1e-8)


def torch_losses(problem, evaluations):
    """Every loss torch's own L-BFGS sees, strong Wolfe line search and all."""
    image = problem.start.clone().requires_grad_()
    limits = {"max_iter": evaluations, "max_eval": evaluations, "tolerance_grad": 0, "tolerance_change": 0}
    optimizer = torch.optim.LBFGS([image], history_size=20, line_search_fn="strong_wolfe", **limits)

    def closure():
        evaluation = problem(image.detach())
        image.grad = evaluation.gradient
        return torch.tensor(evaluation.loss)

    optimizer.step(closure)
    return problem.losses[:evaluations]


@pytest.mark.parametrize("evaluations", [50, 100])
@pytest.mark.parametrize(
    ("name", "options"),
    [("quadratic", {"condition": 1e2}), ("quadratic", {"condition": 1e4}), ("textured", {})],
)
def test_as_low_as_torch_in_like_evaluations(request, name, options, evaluations):
    make = request.getfixturevalue(f"make_{name}")
    ours = make("torch", **options)
    losses(ours, evaluations)
    assert min(ours.losses[: round(1.1 * evaluations)]) <= min(torch_losses(make("torch", **options), evaluations))


def test_a_step_costs_one_evaluation(make_textured):
    problem = make_textured("numpy")
    losses(problem, 60)
    assert len(problem.losses) <= 61 + 5


def test_first_step_changes_pixels_by_a_known_amount(make_quadratic):
    problem = make_quadratic(condition=1)
    for scale in (1, 0.5):
        step = next(lbfgs(problem, problem.start, step_scale=scale)).image - problem.start
        assert np.sqrt(np.mean(step**2)) == pytest.approx(FIRST_STEP * scale)


def test_lr_and_step_scale_shorten_every_step_alike(make_textured):
    problem = make_textured("numpy")
    assert losses(problem, 10, lr=0.25) == losses(problem, 10, step_scale=0.25) != losses(problem, 10)


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize("bad", [nan, inf, -inf])
@pytest.mark.parametrize("where", ["loss", "gradient"])
def test_survives_a_trial_that_is_not_finite(make_textured, bad, where):
    problem = make_textured("numpy")

    def breaking(image):
        evaluation = problem(image)
        if len(problem.losses) not in {2, 9, 10}:
            return evaluation
        if where == "loss":
            return Evaluation(bad, {}, evaluation.gradient)
        return Evaluation(evaluation.loss, {}, evaluation.gradient + bad)

    found = list(islice(lbfgs(breaking, problem.start), 40))
    assert len(found) == 40
    assert all(np.isfinite(iterate.evaluation.loss) and np.isfinite(iterate.image).all() for iterate in found)
    assert found[-1].evaluation.loss < 1.05 * losses(make_textured("numpy"), 40)[-1]


def test_a_start_that_is_not_finite_is_handed_to_the_engine(make_quadratic):
    start = make_quadratic().start
    found = list(lbfgs(lambda image: Evaluation(nan, {}, image), start))
    assert len(found) == 1
    assert np.isnan(found[0].evaluation.loss)


def test_backtracks_to_the_bottom_of_a_parabola(make_quadratic):
    problem = make_quadratic(condition=1)
    reach = problem.start - 0.5
    overshooting = {"step_0": reach, "change_0": reach / 4}  # curvature 1/4 where it is 1: a step 4 times too long
    found = next(lbfgs(problem, problem.start, state=overshooting))
    np.testing.assert_allclose(found.image, 0.5, atol=1e-12)
    assert len(problem.losses) == 3


@pytest.mark.parametrize("slope", [0, nan])
def test_ends_at_once_where_no_direction_leads_down(slope):
    images = []

    def level(image):
        images.append(image)
        return Evaluation(0.0, {}, slope * image)

    assert not list(lbfgs(level, np.ones((2, 3, 3), np.float32)))
    assert len(images) == 1


def test_forgets_curvature_that_misleads(make_quadratic):
    problem = make_quadratic(condition=1)
    uphill = {"step_0": problem.start, "change_0": -problem.start}  # what no step of its own would leave behind
    found = next(lbfgs(problem, problem.start, state=uphill))
    assert found.evaluation.loss < problem.losses[0]
    assert len(found.state) == 2


def test_leaves_out_a_step_that_shows_no_curvature():
    slope = np.linspace(0.5, 1, 12).reshape(2, 2, 3)
    found = list(islice(lbfgs(lambda image: Evaluation(float((slope * image).sum()), {}, slope), slope), 3))
    assert [iterate.state for iterate in found] == [{}] * 3


@pytest.mark.parametrize("history", [1, 3])
def test_keeps_as_much_history_as_asked(make_textured, history):
    problem = make_textured("numpy")
    found = list(islice(lbfgs(problem, problem.start, history=history), 6))
    assert len(found[-1].state) == 2 * history
    np.testing.assert_array_equal(found[-1].state[f"step_{history - 1}"], found[-1].image - found[-2].image)


@pytest.mark.parametrize(
    ("side", "bits", "pairs"),
    [(64, 32, 20), (1448, 32, 20), (1760, 32, 14), (4096, 32, 3), (16384, 32, 3), (1448, 64, 10)],
)
def test_history_fits_in_a_gibibyte_unless_told_otherwise(side, bits, pairs):
    """From 3 pairs, whatever they take, to 20."""
    image = side * side * 3 * bits // 8
    assert _affordable(image) == pairs
    assert pairs == 3 or 2 * image * pairs <= 2**30


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_history_is_decided_by_the_bytes_of_the_image(make_textured, monkeypatch, kind, dtype):
    problem = make_textured(kind, dtype=dtype)
    monkeypatch.setattr("nst_optimizers.lbfgs.MEMORY", 8 * np.asarray(problem.start).nbytes)
    found = next(islice(lbfgs(problem, problem.start), 9, None))
    assert len(found.state) == 2 * 4


def test_a_small_image_keeps_twenty_pairs(make_textured):
    assert losses(make_textured("torch"), 40) == losses(make_textured("torch"), 40, history=20)


def test_takes_gradients_of_any_layout(make_textured):
    problem = make_textured("torch")

    def channels_first(image):
        evaluation = problem(image)
        gradient = evaluation.gradient.permute(2, 0, 1).contiguous().permute(1, 2, 0)
        return Evaluation(evaluation.loss, {}, gradient)

    found = next(islice(lbfgs(channels_first, problem.start), 9, None))
    assert found.evaluation.loss == losses(make_textured("torch"), 10)[-1]
