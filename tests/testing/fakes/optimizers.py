"""Optimizers: good ones, and one with each defect. `breaks` names the tests that find it out, its own first."""

import sys
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from nst.errors import NstError
from nst.protocols import Iterate
from nst.specs import OptimizerSpec, Option
from nst.testing import OptimizerSuite

STATE_BYTES = SimpleNamespace(whole=lambda image, steps, *, lr: image, half=lambda image, steps, *, lr: image // 2)
sys.modules["fake_state_bytes"] = STATE_BYTES  # where a spec's reference finds it


@dataclass(frozen=True)
class Ready(OptimizerSpec):
    thing: Any = None

    def load(self):
        return self.thing


class Fake(OptimizerSuite):
    breaks = ()
    resumable, carries, state_bytes = True, False, ""

    @classmethod
    def specs(cls):
        lr = Option("lr", 0.1, "step length per unit of gradient", 0.01, 0.2)
        promised = {"resumable": cls.resumable, "carries": cls.carries, "state_bytes": cls.state_bytes}
        return [Ready("fake", "fake:fake", options=(lr,), **promised, thing=cls.descend)]

    @classmethod
    def descend(cls, objective, image, *, state=None, step_scale=1.0, lr=0.1):
        """The heavy ball (Polyak 1964), its parts there to be spoiled."""
        state = cls.restored(state)
        velocity = state.get("velocity", np.zeros_like(image))
        gradient = objective(image).gradient
        for step in range(state.get("step", 0) + 1, 10_000):
            velocity = cls.moved(velocity, gradient, lr, step_scale)
            image = cls.placed(image + cls.scaled(velocity, step_scale), step, state)
            evaluation = cls.evaluated(objective, image)
            yield Iterate(image, evaluation, cls.state(step, velocity))
            gradient = evaluation.gradient

    restored = staticmethod(lambda state: state or {})
    moved = staticmethod(lambda velocity, gradient, lr, scale: 0.5 * velocity - lr * gradient)
    scaled = staticmethod(lambda velocity, scale: scale * velocity)
    placed = staticmethod(lambda image, step, state: image)
    evaluated = staticmethod(lambda objective, image: objective(image))
    state = staticmethod(lambda step, velocity: {"step": step, "velocity": velocity})


class TestGood(Fake):
    pass


class TestWritesToArrays(Fake):
    breaks = ("test_assigns_to_no_element_of_an_array",)

    @staticmethod
    def moved(velocity, gradient, lr, scale):
        velocity = velocity.copy()
        velocity[...] = 0.5 * velocity - lr * gradient
        return velocity


class TestGoodThatCarriesAndTells(Fake):
    carries, state_bytes = True, "fake_state_bytes:whole"


class TestGoodThatCannotResume(Fake):
    resumable = False

    @staticmethod
    def restored(state):
        if state:
            raise NstError("cannot resume")
        return {}


class TestInFloat64(Fake):
    breaks = ("test_image_is_of_the_shape_and_kind_it_was_given",)
    placed = staticmethod(lambda image, step, state: image.astype(np.float64))


class TestUphill(Fake):
    breaks = ("test_lowers_a_quadratic_and_rosenbrock_s_function",)
    moved = staticmethod(lambda velocity, gradient, lr, scale: 0.01 * lr * gradient)


class TestTellsAnotherLoss(Fake):
    breaks = ("test_evaluation_is_of_that_very_image",)

    @staticmethod
    def evaluated(objective, image):
        found = objective(image)
        return replace(found, loss=0.9 * found.loss)


class TestNormalized(Fake):
    breaks = ("test_goes_on_or_ends_where_no_step_improves",)
    moved = staticmethod(lambda velocity, gradient, lr, scale: -lr * gradient / np.linalg.norm(gradient))


class TestWritesItsStart(Fake):
    breaks = ("test_image_given_is_not_written_to", "test_step_of_a_resumed_run_is_as_long_as_step_scale_says")

    @classmethod
    def descend(cls, objective, image, **options):
        try:
            yield from Fake.descend(objective, image, **options)
        finally:
            image += 1


class TestWritesWhatItYielded(Fake):
    breaks = ("test_nothing_yielded_is_written_to_later",)

    @classmethod
    def descend(cls, objective, image, **options):
        yielded = []
        for iterate in Fake.descend(objective, image, **options):
            yielded.append(iterate.image)
            if len(yielded) == 10:
                yielded[0] += 1
            yield iterate


class TestStateOfAnotherShape(Fake):
    breaks = ("test_state_is_serializable",)
    state = staticmethod(lambda step, velocity: {"step": step, "velocity": velocity, "past": np.zeros(3)})


class TestForgets(Fake):
    breaks = ("test_resumes_with_the_iterates_that_would_have_followed",)
    state = staticmethod(lambda step, velocity: {"step": step})


class TestIgnoresAStateItCannotUse(Fake):
    breaks = ("test_state_is_refused_where_it_cannot_be_resumed",)
    resumable = False
    restored = staticmethod(lambda state: {})


class TestIgnoresStepScale(Fake):
    breaks = (
        "test_step_is_as_long_as_step_scale_says",
        "test_step_of_a_resumed_run_is_as_long_as_step_scale_says",
    )
    scaled = staticmethod(lambda velocity, scale: velocity)


class TestKeepsItsOldPace(Fake):
    breaks = ("test_step_of_a_resumed_run_is_as_long_as_step_scale_says",)
    moved = staticmethod(lambda velocity, gradient, lr, scale: 0.5 * velocity - lr * scale * gradient)
    scaled = staticmethod(lambda velocity, scale: velocity)


class TestCarriesWhatIsOfOneSize(Fake):
    breaks = ("test_state_resized_starts_well_at_another_size",)
    carries = True
    state = staticmethod(lambda step, velocity: {"step": step, "velocity": velocity, "high": len(velocity)})
    placed = staticmethod(
        lambda image, step, state: image if state.get("high", len(image)) == len(image) else 0 * image
    )


class TestTakesMoreThanItTells(Fake):
    breaks = ("test_state_takes_no_more_bytes_than_are_told",)
    state_bytes = "fake_state_bytes:half"


class TestRaisesForNan(Fake):
    breaks = ("test_loss_that_is_not_finite_is_no_error",)

    @staticmethod
    def evaluated(objective, image):
        found = objective(image)
        if not np.isfinite(found.loss):
            raise FloatingPointError
        return found


class TestStartsAtRandom(Fake):
    breaks = ("test_same_start_gives_the_same_iterates",)

    @staticmethod
    def placed(image, step, state):
        jitter = 1e-4 if step == 1 and not state else 0
        return image + np.float32(jitter) * np.random.default_rng().random(image.shape, np.float32)


class TestFailsAtABound(Fake):
    breaks = ("test_every_allowed_value_of_an_option_works",)
    moved = staticmethod(lambda velocity, gradient, lr, scale: gradient * (np.nan if lr == 0.2 else -lr))
