import threading
from itertools import islice

import numpy as np
import pytest
from scipy.optimize import minimize

from nst.errors import NstError
from nst.protocols import Evaluation
from nst_optimizers.scipy_lbfgs import FIRST_STEP, _unit, scipy_lbfgs


@pytest.fixture(autouse=True)
def no_thread_left():
    before = threading.active_count()
    yield
    assert threading.active_count() == before


def scipy_images(problem, steps, bounded):
    """The iterates of a direct call, with the variables in the same unit and rounded where ours are."""
    unit = _unit(problem(problem.start).gradient, FIRST_STEP, bounded)
    images = []

    def image_of(x):
        return (x * unit).reshape(problem.start.shape).astype(np.float32)

    def loss(x):
        evaluation = problem(image_of(x))
        return evaluation.loss, unit * evaluation.gradient.ravel().astype(np.float64)

    limits = {"maxiter": steps, "maxcor": 7, "ftol": 0, "gtol": 0}
    bounds = [(0, 1 / unit)] * problem.start.size if bounded else None
    start = problem.start.ravel().astype(np.float64) / unit
    arguments = {"method": "L-BFGS-B", "jac": True, "bounds": bounds, "options": limits}
    minimize(loss, start, callback=lambda x: images.append(image_of(x)), **arguments)
    return images


@pytest.mark.parametrize("bounded", [True, False])
@pytest.mark.parametrize("name", ["quadratic", "textured"])
def test_iterates_are_those_of_a_direct_call(request, name, bounded):
    problem = request.getfixturevalue(f"make_{name}")("numpy", dtype="float32")
    found = list(islice(scipy_lbfgs(problem, problem.start, history=7, bounded=bounded), 25))
    for iterate, image in zip(found, scipy_images(problem, 25, bounded), strict=True):
        np.testing.assert_array_equal(iterate.image, image)
        assert iterate.evaluation.loss == problem(image).loss


@pytest.mark.parametrize("bounded", [True, False])
@pytest.mark.parametrize("scale", [1, 0.1])
def test_first_trial_is_short_and_scaled(make_quadratic, bounded, scale):
    start = make_quadratic(dtype="float32").start.clip(0.2, 0.8)
    images = []

    def recording(image):
        images.append(image)
        return pulled_out(image)

    next(scipy_lbfgs(recording, start, bounded=bounded, step_scale=scale))
    np.testing.assert_array_equal(images[0], start)
    assert np.abs(images[1] - start).max() == pytest.approx(FIRST_STEP * scale, rel=1e-4)


def test_descends_rosenbrock_and_ends(make_rosenbrock):
    problem = make_rosenbrock(dtype="float32")
    assert list(scipy_lbfgs(problem, problem.start, bounded=False))[-1].evaluation.loss < 1e-6


def test_a_step_costs_about_one_evaluation(make_textured):
    problem = make_textured("numpy", dtype="float32")
    list(islice(scipy_lbfgs(problem, problem.start), 30))
    assert len(problem.losses) <= 31 + 8


def pulled_out(image):
    """Lowest far outside 0..1."""
    return Evaluation(float(((image - 3) ** 2).sum()), {}, 2 * (image - 3))


def test_pixels_stay_in_bounds_unless_told_otherwise(make_quadratic):
    start = make_quadratic(dtype="float32").start
    free = list(scipy_lbfgs(pulled_out, start, bounded=False))
    kept = list(scipy_lbfgs(pulled_out, start * 1.5 - 0.2))
    assert free[-1].image.max() > 2.9
    assert all(iterate.image.min() >= 0 and iterate.image.max() <= 1 for iterate in kept)
    assert kept[-1].image.min() == 1


@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_objective_and_consumer_get_host_images(make_quadratic, kind):
    start = make_quadratic(kind).start

    def checked(image):
        assert threading.current_thread() is threading.main_thread()
        assert_host_image(image, start.shape)
        return pulled_out(image)

    for iterate in islice(scipy_lbfgs(checked, start), 3):
        assert_host_image(iterate.image, start.shape)


def assert_host_image(image, shape):
    assert isinstance(image, np.ndarray)
    assert image.dtype == np.float32
    assert image.flags.c_contiguous
    assert image.shape == shape


def test_cannot_resume(make_quadratic):
    problem = make_quadratic()
    with pytest.raises(NstError, match="cannot resume"):
        next(scipy_lbfgs(problem, problem.start, state={"step": 1}))
    assert next(scipy_lbfgs(problem, problem.start, state={})).state == {}


def test_closing_ends_the_thread(make_textured):
    problem = make_textured("numpy")
    for taken in range(3):
        iterates = scipy_lbfgs(problem, problem.start)
        list(islice(iterates, taken))
        iterates.close()


def test_an_abandoned_generator_ends_its_thread(make_textured):
    problem = make_textured("numpy")
    next(scipy_lbfgs(problem, problem.start))


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt, StopIteration])
@pytest.mark.parametrize("call", [1, 2, 5])
def test_what_the_objective_raises_arrives(make_textured, error, call):
    problem = make_textured("numpy")

    def failing(image):
        if len(problem.losses) == call - 1:
            raise error
        return problem(image)

    # a StopIteration inside a generator becomes a RuntimeError: PEP 479
    with pytest.raises(RuntimeError if error is StopIteration else error):
        list(islice(scipy_lbfgs(failing, problem.start), 20))


def test_what_scipy_raises_arrives(make_textured):
    problem = make_textured("numpy")
    with pytest.raises(ValueError, match="negative"):
        next(scipy_lbfgs(problem, problem.start, history=-3))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("call", [1, 2, 6])
def test_a_loss_that_is_not_finite_is_the_last_iterate(make_textured, bad, call):
    problem = make_textured("numpy")

    def breaking(image):
        evaluation = problem(image)
        return Evaluation(bad, {}, evaluation.gradient * bad) if len(problem.losses) == call else evaluation

    found = [iterate.evaluation.loss for iterate in scipy_lbfgs(breaking, problem.start)]
    assert len(problem.losses) == call
    assert not np.isfinite(found[-1])
    assert np.isfinite(found[:-1]).all()
