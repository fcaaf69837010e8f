"""Networks of one pass: a good one, and one with each defect. `breaks` names the tests that find it, its own first."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from nst.errors import UserError
from nst.specs import BackendSpec, Option
from nst.testing import ImageBackendSuite


@dataclass(frozen=True)
class Ready(BackendSpec):
    thing: Any = None

    def load(self):
        return self.thing


class Fake(ImageBackendSuite):
    breaks = ()

    @classmethod
    def specs(cls):
        strength = Option("strength", 0.5, "share of the style", 0, 1)
        return [
            Ready(
                "fake", "fake:fake", options=(strength,), kind="image", devices=("auto", "cpu", "cuda"), thing=cls.Net
            )
        ]


class Halfway:
    """Moves every pixel towards the mean color of the styles."""

    precision, notes = "float32", ()

    def __init__(self, weights, *, device="auto", strength=0.5):
        if device == "cuda":
            raise UserError("no GPU")
        self.device, self.strength = "cpu", strength

    def stylize(self, content, styles, *, blend, style_scale):
        mixed = sum(share * style.mean((0, 1)) for share, style in zip(blend, styles, strict=True))
        return ((1 - self.strength) * content + self.strength * mixed).astype(np.float32)

    def peak_memory(self):
        return None


class TestGood(Fake):
    Net = Halfway


class TestOnNoDevice(Fake):
    breaks = ("test_device_is_used_or_refused",)

    class Net(Halfway):
        def __init__(self, weights, *, device="auto", strength=0.5):
            self.device, self.strength = device, strength


class TestOneNote(Fake):
    breaks = ("test_tells_its_device_precision_and_notes",)

    class Net(Halfway):
        notes = "aGPUisidle"


class TestMemoryInGigabytes(Fake):
    breaks = ("test_peak_memory_is_a_number_of_bytes_or_none",)

    class Net(Halfway):
        def peak_memory(self):
            return 0.3


class TestEvenSides(Fake):
    breaks = ("test_gives_pixels_of_the_content_s_size",)

    class Net(Halfway):
        def stylize(self, content, styles, **given):
            height, width = content.shape[:2]
            return np.ascontiguousarray(super().stylize(content, styles, **given)[: height // 2 * 2, : width // 2 * 2])


class TestOneStyleForAll(Fake):
    breaks = ("test_another_style_gives_another_picture",)

    class Net(Halfway):
        def stylize(self, content, styles, **given):
            return super().stylize(content, [0 * style + np.float32(0.2) for style in styles], **given)


class TestIgnoresShares(Fake):
    breaks = ("test_style_of_share_0_leaves_no_trace",)

    class Net(Halfway):
        def stylize(self, content, styles, *, blend, style_scale):
            return super().stylize(content, styles, blend=[1 / len(styles)] * len(styles), style_scale=style_scale)


class TestFavorsTheFirst(Fake):
    breaks = ("test_order_of_styles_means_nothing",)

    class Net(Halfway):
        def stylize(self, content, styles, *, blend, style_scale):
            others = blend[1:]
            shares = [1 - sum(others) ** 2, *(other * sum(others) for other in others)]
            return super().stylize(content, styles, blend=shares, style_scale=style_scale)


class TestOnlyEnlarges(Fake):
    breaks = ("test_style_may_be_scaled",)

    class Net(Halfway):
        def stylize(self, content, styles, *, blend, style_scale):
            if style_scale < 1:
                raise ValueError
            return super().stylize(content, styles, blend=blend, style_scale=style_scale)


class TestPaintsOverTheContent(Fake):
    breaks = ("test_inputs_are_not_written_to_nor_shared",)

    class Net(Halfway):
        def stylize(self, content, styles, **given):
            content[:] = super().stylize(content, styles, **given)
            return content


class TestRandom(Fake):
    breaks = ("test_same_pictures_give_the_same_picture",)

    class Net(Halfway):
        def stylize(self, content, styles, **given):
            noise = 1e-4 * np.random.default_rng().random(content.shape, np.float32)
            return (super().stylize(content, styles, **given) + noise).clip(0, 1)


class TestFailsAtABound(Fake):
    breaks = ("test_every_allowed_value_of_an_option_works",)

    class Net(Halfway):
        def stylize(self, content, styles, **given):
            return super().stylize(content, styles, **given) + (1 if self.strength == 1 else 0)
