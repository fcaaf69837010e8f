"""Initializers: a good one, and one with each defect. `breaks` names the tests that find it out, its own first."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from nst.specs import InitializerSpec, Option
from nst.testing import InitializerSuite


@dataclass(frozen=True)
class Ready(InitializerSpec):
    thing: Any = None

    def load(self):
        return self.thing


class Fake(InitializerSuite):
    breaks = ()

    @classmethod
    def specs(cls):
        ratio = Option("ratio", 0.5, "share of noise", 0, 1)
        return [Ready("fake", "fake:fake", options=(ratio,), thing=cls.start_with)]

    @staticmethod
    def start_with(content, styles, rng, *, ratio=0.5):
        """The content under noise."""
        return (1 - ratio) * content + ratio * rng.random(content.shape, np.float32)


good = Fake.start_with


class TestGood(Fake):
    pass


class TestEvenSides(Fake):
    breaks = ("test_gives_pixels_of_the_content_s_size",)

    @staticmethod
    def start_with(content, styles, rng, *, ratio=0.5):
        height, width = content.shape[:2]
        return np.ascontiguousarray(good(content, styles, rng, ratio=ratio)[: height // 2 * 2, : width // 2 * 2])


class TestDividesByTheSpread(Fake):
    breaks = ("test_takes_flat_contents_and_several_styles",)

    @staticmethod
    def start_with(content, styles, rng, *, ratio=0.5):
        made = good(content, styles, rng, ratio=ratio)
        return made * 0 + np.nan if np.ptp(content) == 0 and content.size > 3 else made


class TestHasAGeneratorOfItsOwn(Fake):
    breaks = ("test_same_seed_gives_the_same_pixels", "test_global_generator_means_nothing_and_is_left_alone")

    @staticmethod
    def start_with(content, styles, rng, *, ratio=0.5):
        return good(content, styles, np.random.default_rng(), ratio=ratio)


class TestDrawsWithTheGlobalGenerator(Fake):
    breaks = ("test_global_generator_means_nothing_and_is_left_alone",)

    @staticmethod
    def start_with(content, styles, rng, *, ratio=0.5):
        return (1 - ratio) * content + ratio * np.random.random(content.shape).astype(np.float32)


class TestGivesTheContentItself(Fake):
    breaks = ("test_inputs_are_not_written_to_nor_shared",)

    @staticmethod
    def start_with(content, styles, rng, *, ratio=0.5):
        return content


class TestFailsAtABound(Fake):
    breaks = ("test_every_allowed_value_of_an_option_works",)

    @staticmethod
    def start_with(content, styles, rng, *, ratio=0.5):
        return good(content, styles, rng, ratio=ratio) + (1 if ratio == 1 else 0)
