"""VGGs: a good one, which is that of nst-torch, and one with each defect. `breaks` names the tests that find it out."""

from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

import torch

from nst.specs import BackendSpec
from nst.testing import VGGSuite
from nst.vgg.preprocessing import TORCHVISION
from nst_torch import nst_backends
from nst_torch.vgg import VGG


@dataclass(frozen=True)
class Ready(BackendSpec):
    net: Any = None

    def load(self):
        return self.net


class Fake(VGGSuite):
    breaks = ()

    @classmethod
    def specs(cls):
        (good,) = (spec for spec in nst_backends() if spec.architecture == "vgg19")
        return [Ready(**vars(good), net=cls.Net)]


class TestGood(Fake):
    Net = VGG


class TestPoolsInOneWay(Fake):
    breaks = ("test_features_are_the_reference_s",)

    class Net(VGG):
        def __init__(self, network, *, pooling="max", **given):
            super().__init__(network, **given)


class TestTakesAnyInputForRGB(Fake):
    breaks = ("test_features_are_the_reference_s",)

    class Net(VGG):
        def __init__(self, network, **given):
            super().__init__(replace(network, preprocessing=TORCHVISION), **given)


class TestPadsInOneWay(Fake):
    breaks = (
        "test_features_are_the_reference_s_with_every_padding",
        "test_gradients_are_the_reference_s_with_every_padding",
    )

    class Net(VGG):
        def __init__(self, network, *, padding="zero", **given):
            super().__init__(network, **given)


class TestPadsInOneWayOnTheWayBack(Fake):
    breaks = (
        "test_gradients_are_the_reference_s_with_every_padding",
        "test_gradient_in_tiles_is_that_of_the_whole_picture",
    )

    class Net(VGG):
        def __init__(self, network, *, padding="zero", **given):
            super().__init__(network, padding=padding, **given)
            self.zeros = VGG(network, **given)

        def features(self, image, layers):
            back = isinstance(image, torch.Tensor) and image.requires_grad
            return self.zeros.features(image, layers) if back else super().features(image, layers)


class TestSeesNothingBeyondOne(Fake):
    breaks = (
        "test_losses_and_gradients_are_the_reference_s",
        "test_gradients_are_the_reference_s_with_every_padding",
    )

    class Net(VGG):
        def features(self, image, layers):
            return super().features(torch.as_tensor(image).clamp(max=1), layers)


class TestSeesWhereItIs(Fake):
    breaks = (
        "test_gradient_in_tiles_is_that_of_the_whole_picture",
        "test_memory_that_runs_out_in_a_loss_leads_to_tiles",
    )

    class Net(VGG):
        def features(self, image, layers):
            width = image.shape[1]
            ramp = torch.linspace(0, 0.1, width)[:, None] if width > 64 else 0.0
            return super().features(torch.as_tensor(image) + ramp, layers)


class TestTellsOfMemoryInItsOwnWords(Fake):
    breaks = ("test_memory_that_runs_out_in_a_loss_leads_to_tiles",)

    class Net(VGG):
        memory_errors = staticmethod(nullcontext)
