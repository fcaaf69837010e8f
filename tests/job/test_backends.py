"""One backend for each choice of weights, and no second one where the first will do."""

from __future__ import annotations

import pytest

from nst.job.backends import BackendCache
from nst.recipe.recipe import Recipe
from nst.vgg.network import write
from nst.weights.selection import choose_weights

pytestmark = pytest.mark.frameworks


@pytest.fixture
def file(make_network, tmp_path):
    """A neutral file of a small random VGG-19."""
    return str(write(tmp_path / "small.safetensors", make_network()))


@pytest.fixture
def opened(plugins):
    """What a job of some recipe opens; all of them share a mapping."""
    loaded = {}
    spec = plugins.find("backend", "torch-vgg19")

    def make(weights, **changes):
        backends = BackendCache(Recipe(device="cpu", **changes), spec, plugins, loaded)
        return backends.open(choose_weights(spec, weights))

    return make


def test_jobs_that_differ_in_nothing_the_backend_knows_share_it(opened, file):
    first = opened(file).backend
    assert opened(file, style_weight=3, steps=7, style_layers="relu1_1").backend is first
    assert opened(file, padding="zero").backend is first, "what auto means"


def test_jobs_that_differ_in_what_it_knows_do_not(opened, file):
    first, pooled = opened(file).backend, opened(file, pooling="average").backend
    others = [opened("compact").backend, opened(file, padding="reflect").backend]
    assert len({id(each) for each in [first, pooled, *others]}) == 4
    assert opened(file, pooling="average").backend is pooled


def test_weights_that_have_changed_under_their_name_are_loaded_anew(opened, file, make_network):
    first = opened(file)
    write(file, make_network(seed=1))
    second = opened(file)
    assert first.backend is not second.backend
    assert first.digest != second.digest


def test_the_outline_is_of_the_network(opened, file):
    assert opened(file).outline.channels["conv1_1"][0] == 3


def test_seconds_are_those_of_building_alone(plugins, file):
    spec = plugins.find("backend", "torch-vgg19")
    backends = BackendCache(Recipe(device="cpu"), spec, plugins)
    assert backends.seconds == 0
    backends.open(choose_weights(spec, file))
    once = backends.seconds
    assert once > 0
    backends.open(choose_weights(spec, file))
    assert backends.seconds == once
