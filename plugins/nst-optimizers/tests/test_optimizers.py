"""What every optimizer of this distribution promises."""

import inspect
import subprocess
import sys
from itertools import islice

import numpy as np
import pytest
import torch

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


@pytest.mark.parametrize("name", RESUMABLE)
def test_resumes_on_torch_from_a_state_read_as_numpy(make_textured, name):
    optimizer, problem = SPECS[name].load(), make_textured("torch")
    *_, parting, following = islice(optimizer(problem, problem.start), 6)
    read = {key: value.numpy() if torch.is_tensor(value) else value for key, value in parting.state.items()}
    assert_same(next(optimizer(problem, parting.image, state=read)), following)


def assert_same(one, other):
    assert type(one.image) is type(other.image)
    assert one.image.dtype == other.image.dtype
    np.testing.assert_array_equal(np.asarray(one.image), np.asarray(other.image))
    assert one.evaluation.loss == other.evaluation.loss
    assert one.state.keys() == other.state.keys()
    for key, value in one.state.items():
        np.testing.assert_array_equal(np.asarray(value), np.asarray(other.state[key]))


@pytest.mark.parametrize("name", RESUMABLE)
def test_state_is_flat_and_shaped_like_the_image(make_textured, name):
    problem = make_textured("torch")
    last = next(islice(SPECS[name].load()(problem, problem.start), 4, None))
    for key, value in last.state.items():
        assert isinstance(key, str)
        assert isinstance(value, int | float) or (torch.is_tensor(value) and value.shape == problem.start.shape)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", SPECS)
def test_nothing_that_was_yielded_or_given_is_written_to(make_textured, name, kind):
    problem = make_textured(kind, dtype="float32")
    start = np.asarray(problem.start).copy()
    kept = []
    for iterate in islice(SPECS[name].load()(problem, problem.start), 12):
        arrays = {"image": iterate.image, "gradient": iterate.evaluation.gradient, **iterate.state}
        kept.append((arrays, {key: np.asarray(value).copy() for key, value in arrays.items()}))
    np.testing.assert_array_equal(np.asarray(problem.start), start)
    for arrays, copies in kept:
        for key, value in arrays.items():
            np.testing.assert_array_equal(np.asarray(value), copies[key])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", SPECS)
def test_evaluations_belong_to_their_images(make_textured, name, kind):
    problem = make_textured(kind, dtype="float32")
    for iterate in islice(SPECS[name].load()(problem, problem.start), 8):
        assert iterate.image.shape == problem.start.shape
        assert problem(iterate.image).loss == iterate.evaluation.loss


@pytest.mark.parametrize("name", SPECS)
def test_options_declared_are_those_taken(name):
    spec = SPECS[name]
    parameters = inspect.signature(spec.load()).parameters.values()
    taken = {item.name: item.default for item in parameters if item.kind is item.KEYWORD_ONLY}
    del taken["state"], taken["step_scale"]
    assert {option.name: option.default for option in spec.options} == taken
    for option in spec.options:
        assert option.help
        if not isinstance(option.default, bool):
            assert option.minimum <= option.default <= option.maximum


def test_the_entry_module_is_light():
    heavy = "{'numpy', 'scipy', 'torch', 'array_api_compat'}"
    code = f"import sys, nst_optimizers as n; list(n.nst_optimizers()); print({heavy} & set(sys.modules))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "set()"
