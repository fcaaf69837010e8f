"""A run for which memory is too short even in tiles is refused before it starts, with a size that fits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nst.errors import UserError
from nst.job import limits
from nst.job.inputs import Sources
from nst.job.job import Job
from nst.recipe.recipe import Recipe

pytestmark = pytest.mark.frameworks


@pytest.fixture(scope="module")
def picture():
    return np.random.default_rng(0).random((96, 128, 3), np.float32)


@pytest.fixture
def plan(picture, monkeypatch):
    """`plan(size, free, tile)`: the plan of a run where `free` bytes are left."""

    def make(size, free, tile="auto"):
        monkeypatch.setattr("nst.job.plan.available_memory", lambda: free)
        run_plan = Job(
            Sources(picture, [picture]), Recipe(size=size, device="cpu", weights="compact", tile=tile)
        ).run_plan
        limits.require_memory(run_plan)
        return run_plan

    return make


def test_a_run_that_fits_in_tiles_is_allowed(plan):
    assert plan(1024, 10**12).tiles[-1] == 0
    assert plan(1024, 14 * 10**8).tiles[-1] > 0


@pytest.mark.parametrize("tile", ["auto", "256", "off"])
def test_a_run_that_does_not_fit_is_refused(plan, tile):
    with pytest.raises(UserError, match=r"px needs .* GB .*; 0.1 GB is free|px needs .* is free") as error:
        plan(4096, 10**8, tile)
    assert error.value.hint.startswith(("a size of ", "close other programs"))


def test_the_size_in_the_hint_fits(plan):
    with pytest.raises(UserError) as error:
        plan(6000, 10**9)
    size = int(error.value.hint.split()[3])
    assert 64 <= size < 6000
    plan(size, 10**9)
    with pytest.raises(UserError):
        plan(size + 4 * limits.STEP, 10**9)


def test_an_unknown_memory_is_allowed(plan):
    limits.require_memory(replace(plan(64, 10**12), estimator=None))


@pytest.mark.parametrize(
    ("sizes", "steps", "large"), [((512,), (145,), False), ((2048,), (151,), True), ((64,), (0,), False)]
)
def test_a_run_of_many_pixels_and_steps_is_large(sizes, steps, large):
    assert limits.is_large(sizes, steps) is large


def test_python_refuses_it_too(picture, monkeypatch):
    monkeypatch.setattr("nst.job.plan.available_memory", lambda: 10**8)
    job = Job(Sources(picture, [picture]), Recipe(size=4096, device="cpu", weights="compact"))
    with pytest.raises(UserError, match="is free"):
        job.stylize()
