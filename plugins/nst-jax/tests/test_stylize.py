"""Whole runs: every optimizer on this backend as it is on any other, and no compiling from one picture to the next."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from nst import Recipe, stylize
from nst.job import Job, Sources
from nst.vgg import network

pytestmark = pytest.mark.frameworks

LAYERS = {"content_layers": "relu2_2", "style_layers": "relu1_1,relu2_1"}


@pytest.fixture(scope="module")
def file(make_network, tmp_path_factory):
    return str(network.write(tmp_path_factory.mktemp("weights") / "small.safetensors", make_network()))


@pytest.fixture
def compiled(caplog):
    """What JAX says that it has compiled since the last call."""

    def names():
        messages = [record.getMessage() for record in caplog.records]
        caplog.clear()
        return [message for message in messages if message.startswith("Finished XLA compilation")]

    jax.config.update("jax_log_compiles", True)
    yield names
    jax.config.update("jax_log_compiles", False)


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam", "laplacian-rmsprop", "scipy-lbfgs"])
def test_every_optimizer_lowers_the_loss(plugins, photo, file, optimizer):
    recipe = Recipe(backend="jax-vgg19", weights=file, optimizer=optimizer, sizes="24,32", steps="6,12", **LAYERS)
    result = stylize(photo(40, 60), photo(50, 40, seed=1), recipe, plugins=plugins)
    losses = [row["loss"] for row in result.history if row["size"] == 32]
    assert result.pixels.shape == (21, 32, 3)
    assert result.pixels.dtype == np.float32
    assert result.facts["device"] in ("cpu", "cuda")
    assert len(result.history) == 18
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_a_run_repeated_gives_the_same_bytes(plugins, photo, file, optimizer):
    recipe = Recipe(
        backend="jax-vgg19", weights=file, optimizer=optimizer, size=32, levels=1, steps=5, device="cpu", **LAYERS
    )
    runs = [stylize(photo(40, 60), photo(50, 40, seed=1), recipe, plugins=plugins) for _ in range(2)]
    assert runs[0].pixels.tobytes() == runs[1].pixels.tobytes()


def test_vgg16_pools_by_average(plugins, photo, make_network, tmp_path):
    file = str(network.write(tmp_path / "small.safetensors", make_network("vgg16", "caffe")))
    recipe = Recipe(backend="jax-vgg16", weights=file, pooling="average", size=32, levels=1, steps=3, **LAYERS)
    result = stylize(photo(), photo(seed=1), recipe, plugins=plugins)
    assert result.history[-1]["loss"] < result.history[0]["loss"]


@pytest.mark.parametrize("tile", ["off", "64"])
def test_the_second_picture_of_a_size_compiles_nothing(plugins, photo, file, compiled, tile):
    recipe, loaded = Recipe(backend="jax-vgg19", weights=file, size=96, levels=1, steps=3, tile=tile, **LAYERS), {}
    for seed in (0, 5):
        pictures = photo(60, 96, seed=seed), photo(50, 40, seed=seed + 1)
        Job(Sources(pictures[0], [pictures[1]]), recipe, plugins, loaded=loaded).stylize()
        names = compiled()
        assert bool(names) == (seed == 0), names
