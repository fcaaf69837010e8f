"""No cycle of references keeps what a run needs: memory is free when the run ends, and not when Python collects."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from nst import Recipe
from nst.engine.level_run import LevelRun
from nst.engine.objective import AutoTiledObjective, Tiled
from nst.engine.problem import Problem
from nst.engine.terms import PointwiseTerm, StyleTerm
from nst.job.inputs import Sources
from nst.job.job import Job
from nst.vgg.network import write

HELD = (Job, Problem, LevelRun, AutoTiledObjective, Tiled, StyleTerm, PointwiseTerm)

pytestmark = pytest.mark.frameworks


@pytest.fixture(scope="module")
def weights(make_network, tmp_path_factory):
    return write(tmp_path_factory.mktemp("weights") / "small.safetensors", make_network())


@pytest.fixture
def no_collection(plugins):
    plugins.load(plugins.find("backend", "torch-vgg19"))  # its import leaves a traceback, once
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def living():
    """Objects of a run that are alive, and large arrays of the backend."""
    return [type(item).__name__ for item in gc.get_objects() if type(item) in HELD or type(item).__name__ == "Tensor"]


@pytest.mark.parametrize("words", [{}, {"optimizer": "adam", "average": 0.5}, {"tile": 24}], ids=str)
@pytest.mark.parametrize("end", ["finished", "interrupted"])
def test_a_run_leaves_nothing_behind(photo, plugins, weights, no_collection, words, end):
    def on_iterate(progress):
        if end == "interrupted" and progress.step == 4:
            raise KeyboardInterrupt

    def stopped():
        layers = {"style_layers": "relu1_1,relu2_1", "content_layers": "relu2_2"}
        recipe = Recipe(sizes=(32, 48), steps=(3, 3), device="cpu", weights=str(weights), **layers, **words)
        return Job(Sources(photo(36, 48), [photo(40, 40, seed=1)]), recipe, plugins).stylize(on_iterate).stopped

    before = living()
    assert stopped() == end
    assert living() == before


def test_a_job_is_gone_with_its_last_reference(photo, plugins, weights, no_collection):
    job = Job(Sources(photo(36, 48), [photo(40, 40)]), Recipe(size=128, device="cpu", weights=str(weights)), plugins)
    job.estimate()
    assert np.isfinite(job.problem().start).all()
    del job
    assert "Job" not in living()
