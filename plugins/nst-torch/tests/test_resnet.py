"""A network that is no VGG: a ResNet-18 of few channels, declared by its geometry alone, in everything nst does."""

from __future__ import annotations

import sys
import types

import numpy as np
import pytest
import torch
from torch import nn

from nst import BackendSpec, Plugins, Recipe, Window, chain, hookimpl, stylize
from nst.engine.problem import build_level
from nst.job.inputs import Sources
from nst.job.job import Job
from nst.plugins.discovery import EntryPoint
from nst.testing import FeatureBackendSuite
from nst.testing.pictures import photo
from nst_torch.namespace import Torch
from nst_torch.vgg import VGG

NAMES = ("conv1", "layer1", "layer2", "layer3", "layer4")


def windows():
    yield from (Window(7, 2, name="conv1"), Window(3, 2))
    for number, stride in enumerate((1, 2, 2, 2), start=1):
        yield from (Window(3, stride), Window(3), Window(3), Window(3, name=f"layer{number}"))


class Block(nn.Module):
    """Two convolutions beside a shortcut."""

    def __init__(self, channels, stride):
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, stride, 1)
        self.second = nn.Conv2d(channels, channels, 3, 1, 1)
        self.shortcut = nn.Conv2d(channels, channels, 1, stride)

    def forward(self, x):
        return torch.relu(self.second(torch.relu(self.first(x))) + self.shortcut(x))


class ResNet(VGG):
    """Everything but the network is the VGG backend's own."""

    def __init__(self, weights=None, *, device="auto", pooling="max", precision="auto"):
        torch.manual_seed(0)
        self.device, self.notes, self.precision = "cpu", [], "float32"
        self.xp = Torch("cpu")
        stages = [nn.Sequential(nn.Conv2d(3, 8, 7, 2, 3), nn.ReLU())]
        for number, stride in enumerate((1, 2, 2, 2)):
            pool = [] if number else [nn.MaxPool2d(3, 2, 1)]
            stages.append(nn.Sequential(*pool, Block(8, stride), Block(8, 1)))
        self.stages = nn.ModuleList(stages).requires_grad_(False)

    def features(self, image, layers):
        x, found = torch.as_tensor(image).permute(2, 0, 1)[None], {}
        for name, stage in zip(NAMES, self.stages, strict=True):
            if len(found) == len(layers):
                break
            x = stage(x)
            if name in layers:
                found[name] = x[0].permute(1, 2, 0)
        return found


SPEC = BackendSpec(
    name="resnet18",
    factory="resnet_plugin:ResNet",
    layers=chain(windows()),
    style_layers=("conv1", "layer1", "layer2"),
    content_layers=("layer2",),
    files="",
)


@hookimpl
def nst_backends():
    yield SPEC


@pytest.fixture(scope="module", autouse=True)
def module():
    """The plugin's module, importable by name."""
    plugin = types.ModuleType("resnet_plugin")
    plugin.nst_backends, plugin.ResNet = nst_backends, ResNet
    sys.modules[plugin.__name__] = plugin
    yield
    del sys.modules[plugin.__name__]


@pytest.fixture
def plugins():
    """Every plugin that is installed, and the ResNet."""
    installed = [plugin.entry for plugin in Plugins.from_environment().installed]
    return Plugins([*installed, EntryPoint("nst.v1", "resnet", "resnet_plugin", "nst-resnet", "1.0")], strict=True)


def recipe(**changes):
    return Recipe(**{"backend": "resnet18", "size": 70, "steps": 3, "bleed": 0, "levels": 1, **changes})


def job(plugins, masks=(), protect=None, styles=1, **changes):
    images = [photo(60, 50, seed=seed + 1) for seed in range(styles)]
    return Job(Sources(photo(53, 75), images, masks, protect), recipe(**changes), plugins)


class TestResNet(FeatureBackendSuite):
    @classmethod
    def specs(cls):
        return [SPEC]

    @pytest.fixture(scope="class")
    @classmethod
    def weights(cls):
        return None


def test_it_paints_on_its_own_layers(plugins):
    result = stylize(photo(53, 75), photo(60, 50, seed=1), recipe(), plugins=plugins)
    assert set(result.history[-1]["terms"]) >= {"gram conv1", "gram layer2", "content layer2"}
    assert result.history[-1]["loss"] < result.history[0]["loss"]
    assert result.recipe.style_layers == {"conv1": 1.0, "layer1": 1.0, "layer2": 1.0}


def test_it_takes_masks_and_protects(plugins):
    mask = np.zeros((53, 75), np.float32)
    mask[:, 40:] = 1
    result = job(plugins, masks=[(mask, [photo(40, 40, seed=7)])], protect=1 - mask).stylize()
    assert any("gram 2 conv1" in name or "conv1" in name for name in result.history[-1]["terms"])
    assert np.isfinite(result.history[-1]["loss"])


def test_it_takes_several_styles(plugins):
    one, two = (job(plugins, styles=count).stylize().pixels for count in (1, 2))
    assert np.abs(one - two).max() > 0.01


def test_its_tiles_are_exact(plugins):
    """Its sides round up, and a position at the picture's end sees less than a stride of pixels."""
    problem = job(plugins, tile="32", size=150).problem()
    level = problem.levels[0]
    image = level.backend.asarray(photo(106, 150, seed=9))
    whole, tiled = (build_level(problem, level, tile)(image) for tile in (0, 32))
    assert tiled.terms == pytest.approx(whole.terms, rel=1e-4)
    expected = level.backend.to_host(whole.gradient)
    np.testing.assert_allclose(level.backend.to_host(tiled.gradient), expected, atol=1e-4 * np.abs(expected).max())


def test_it_has_an_estimate(plugins):
    estimate = job(plugins).estimate()
    assert estimate.seconds > 0
