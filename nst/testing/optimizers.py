"""Test the requirements on optimizers: `nst.protocols.Optimizer`, `Iterate` and `State`."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load, save

from nst.errors import NstError
from nst.images import stretch
from nst.protocols import Array, Evaluation, Iterate, State
from nst.specs import OptimizerSpec, resolve
from nst.testing.immutable import immutable
from nst.testing.options import bounds
from nst.testing.suite import Suite, said_of

HostArray = NDArray[Any]
MakeArray = Callable[[HostArray], Array]


class RecordingObjective:
    """An objective on arrays of one kind, computed in NumPy, that records every evaluated image.

    `function` gives the loss and its gradient at values `(H, W, 3)`; `start` is the initial image.
    """

    patience = 10_000  # evaluations after which an optimizer counts as lost

    def __init__(
        self, function: Callable[[HostArray], tuple[Any, HostArray]], start: HostArray, make: MakeArray
    ) -> None:
        self._function, self._make = function, make
        self.start = make(start.astype(np.float32))
        self.asked: list[Array] = []

    def __call__(self, image: Array) -> Evaluation:
        """Evaluate and record; fail after too many evaluations."""
        self.asked.append(image)
        assert len(self.asked) < self.patience, f"{self.patience} evaluations and no end"
        loss, gradient = self._function(np.asarray(image).astype(np.float64))
        gradient = gradient.astype(np.asarray(image).dtype)
        kind = gradient if isinstance(image, np.ndarray) else self._make(gradient)
        return Evaluation(float(loss), {"all": float(loss)}, kind)


def quadratic(make: MakeArray, shape: tuple[int, ...] = (5, 7, 3), spread: float = 0.4) -> RecordingObjective:
    """Return a quadratic with minimum 0 at pixels of 0.5 and curvatures of 1 to 10; start within `spread` of it."""
    start = 0.5 + np.random.default_rng(0).uniform(-spread, spread, size=shape)
    curvature = np.geomspace(1, 10, start.size).reshape(shape)
    return RecordingObjective(lambda x: (np.sum(curvature * (x - 0.5) ** 2) / 2, curvature * (x - 0.5)), start, make)


def rosenbrock(make: MakeArray) -> RecordingObjective:
    """Return Rosenbrock's function on the two rows of `(2, 4, 3)`, moved into 0..1, with curvatures up to about 10.

    From -1.2, 1 as usual: 0.1, 0.83 in our units, of which the old ones are 3 x - 1.5. Lowest, at 0, at 0.83.
    """

    def function(image: HostArray) -> tuple[Any, HostArray]:
        x, y = 3 * image - 1.5
        bend = y - x**2
        slopes = np.stack([-400 * x * bend - 2 * (1 - x), 200 * bend])
        return np.sum(100 * bend**2 + (1 - x) ** 2) / 1000, 3 * slopes / 1000

    start = (np.broadcast_to(np.array([-1.2, 1.0])[:, None, None], (2, 4, 3)) + 1.5) / 3
    return RecordingObjective(function, start, make)


class OptimizerSuite(Suite):
    """Tests of optimizers, on NumPy's arrays and on those of the subclass.

    `arrays` maps a name to a function that creates an array of values: `{"numpy": np.array, "torch": torch.tensor}`.
    """

    kind = "optimizer"

    arrays: ClassVar[Mapping[str, MakeArray]] = {"numpy": np.array}

    steps: ClassVar[int] = 100
    """In which an optimizer should have come down: a hundred is what a coarse size of the default recipe gets."""

    share: ClassVar[float] = 0.5
    """Of the first loss that may be left then. Any descent leaves less of Rosenbrock's, once it is in the valley."""

    step_tolerance: ClassVar[float] = 0.1
    """Of the length of a step scaled, relative: a line search may end a little off the length it first tried."""

    resume_tolerance: ClassVar[float] = 1e-6
    """Between iterates resumed and unbroken, in units of a pixel's 0..1: float32 is good to 6e-8."""

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run a test once per spec and kind of array."""
        super().pytest_generate_tests(metafunc)
        if "make" in metafunc.fixturenames:
            metafunc.parametrize("make", self.arrays.values(), ids=self.arrays)

    def run(
        self, spec: OptimizerSpec, problem: RecordingObjective, start: Array = None, **options: Any
    ) -> Iterator[Iterate]:
        """Yield the optimizer's iterates on a problem."""
        image = problem.start if start is None else start
        iterates: Iterator[Iterate] = spec.load()(problem, image, **self.settings(spec) | options)
        return iterates

    def test_image_is_of_the_shape_and_kind_it_was_given(self, spec: OptimizerSpec, make: MakeArray) -> None:
        """It gives the objective, and yields, images shaped like the one it was given, of its kind or NumPy's."""
        for shape in ((5, 7, 3), (1, 1, 3)):
            problem = quadratic(make, shape)
            yielded = [iterate.image for iterate in islice(self.run(spec, problem), 3)]
            assert yielded
            for image in [*problem.asked, *yielded]:
                assert isinstance(image, np.ndarray | type(problem.start))
                assert tuple(image.shape) == shape
                assert np.asarray(image).dtype == np.float32

    def test_assigns_to_no_element_of_an_array(self, spec: OptimizerSpec) -> None:
        """Arrays may be immutable: it assigns to no element of one."""
        for iterate in islice(self.run(spec, quadratic(immutable)), 12):
            assert np.isfinite(np.asarray(iterate.image)).all()

    @pytest.mark.parametrize("function", [quadratic, rosenbrock])
    def test_lowers_a_quadratic_and_rosenbrock_s_function(
        self, spec: OptimizerSpec, make: MakeArray, function: Callable[[MakeArray], RecordingObjective]
    ) -> None:
        """It lowers a quadratic and Rosenbrock's function."""
        problem = function(make)
        losses = [iterate.evaluation.loss for iterate in islice(self.run(spec, problem), self.steps)]
        assert min(losses) <= self.share * problem(problem.start).loss

    def test_evaluation_is_of_that_very_image(self, spec: OptimizerSpec, make: MakeArray) -> None:
        """The evaluation is that of this very image."""
        problem = quadratic(make)
        for iterate in islice(self.run(spec, problem), 8):
            expected = problem(iterate.image)
            assert iterate.evaluation.loss == expected.loss
            np.testing.assert_array_equal(np.asarray(iterate.evaluation.gradient), np.asarray(expected.gradient))

    def test_goes_on_or_ends_where_no_step_improves(self, spec: OptimizerSpec, make: MakeArray) -> None:
        """Yield one iterate per step, without end or until no step improves."""
        problem = quadratic(make, spread=0.0)
        for iterate in islice(self.run(spec, problem), 3):
            assert np.isfinite(np.asarray(iterate.image)).all()

    def test_image_given_is_not_written_to(self, spec: OptimizerSpec, make: MakeArray) -> None:
        """`image` is not written to."""
        problem = quadratic(make)
        before = np.asarray(problem.start).copy()
        list(islice(self.run(spec, problem), 4))
        np.testing.assert_array_equal(np.asarray(problem.start), before)

    def test_nothing_yielded_is_written_to_later(self, spec: OptimizerSpec, make: MakeArray) -> None:
        """Neither `image` nor `state` is written to after it has been yielded."""
        copied = []
        for iterate in islice(self.run(spec, quadratic(make)), 12):
            yielded = {"image": iterate.image, **iterate.state}
            copied.append((yielded, {name: np.asarray(value).copy() for name, value in yielded.items()}))
        for yielded, copies in copied:
            for name, value in yielded.items():
                np.testing.assert_array_equal(np.asarray(value), copies[name], err_msg=name)

    def test_state_is_serializable(self, spec: OptimizerSpec, make: MakeArray) -> None:
        """An optimizer's whole memory: names to arrays shaped like the image, or to ints and floats."""
        problem = quadratic(make)
        for iterate in islice(self.run(spec, problem), 4):
            for name, value in iterate.state.items():
                assert isinstance(name, str)
                assert isinstance(value, int | float) or tuple(value.shape) == tuple(problem.start.shape), name
            serialized(iterate.state)

    @said_of(resumable=(True,))
    @pytest.mark.parametrize("taken", [1, 4, 9])
    def test_resumes_with_the_iterates_that_would_have_followed(
        self, spec: OptimizerSpec, make: MakeArray, taken: int
    ) -> None:
        """`state` is an earlier iterate's, with `image` that iterate's image: the iterates that follow are those that
        would have followed.
        """
        problem = quadratic(make)
        iterates = list(islice(self.run(spec, problem), taken + 4))
        parting = iterates[taken - 1]
        rest = self.run(spec, problem, parting.image, state=serialized(parting.state))
        for expected in iterates[taken:]:
            iterate = next(rest)
            expected_image = np.asarray(expected.image)
            np.testing.assert_allclose(np.asarray(iterate.image), expected_image, rtol=0, atol=self.resume_tolerance)

    @said_of(resumable=(False,))
    def test_state_is_refused_where_it_cannot_be_resumed(self, spec: OptimizerSpec, make: MakeArray) -> None:
        """One that is not `resumable` refuses a state with `NstError`."""
        with pytest.raises(NstError):
            next(self.run(spec, quadratic(make), state={"step": 1}))

    def test_step_is_as_long_as_step_scale_says(self, spec: OptimizerSpec, make: MakeArray) -> None:
        """Every step's length is multiplied by `step_scale`; the engine halves it after a loss that was not finite."""
        lengths = []
        for scale in (1.0, 0.5):
            problem = quadratic(make, spread=0.1)
            start = np.asarray(problem.start).copy()
            first = next(self.run(spec, problem, step_scale=scale))
            lengths.append(float(np.linalg.norm(np.asarray(first.image) - start)))
        assert lengths[1] == pytest.approx(lengths[0] / 2, rel=self.step_tolerance)

    @said_of(resumable=(True,))
    def test_step_of_a_resumed_run_is_as_long_as_step_scale_says(self, spec: OptimizerSpec, make: MakeArray) -> None:
        """Every step's length is multiplied by `step_scale`; the engine halves it after a loss that was not finite."""
        problem = quadratic(make)
        *_, parting = islice(self.run(spec, problem), 4)
        lengths = []
        for scale in (1.0, 2**-10):  # a line search may end far from the whole step, but not from so short a one
            resumed = next(self.run(spec, problem, parting.image, state=serialized(parting.state), step_scale=scale))
            lengths.append(float(np.linalg.norm(np.asarray(resumed.image) - np.asarray(parting.image))))
        assert lengths[1] <= lengths[0] / 100

    @said_of(carries=(True,))
    def test_state_resized_starts_well_at_another_size(self, spec: OptimizerSpec, make: MakeArray) -> None:
        """`carries` says that such a state, its arrays resized bilinearly, like the image, starts well at another
        size.
        """
        *_, parting = islice(self.run(spec, quadratic(make)), 4)
        parts = {"image": np.asarray(parting.image), **serialized(parting.state)}
        state = {
            name: make(stretch(value, (7, 10))) if isinstance(value, np.ndarray) else value
            for name, value in parts.items()
        }
        problem, start = quadratic(make, (7, 10, 3)), state.pop("image")
        losses = [step.evaluation.loss for step in islice(self.run(spec, problem, start, state=state), self.steps)]
        assert min(losses) <= self.share * problem(start).loss

    def test_state_takes_no_more_bytes_than_are_told(self, spec: OptimizerSpec, make: MakeArray) -> None:
        """the bytes that its state takes for an image of so many bytes after so many steps."""
        if not spec.state_bytes:
            pytest.skip("it does not tell")
        problem, state_bytes = quadratic(make), resolve(spec.state_bytes)
        image = np.asarray(problem.start).nbytes
        for steps, iterate in enumerate(islice(self.run(spec, problem), 30), start=1):
            taken = sum(
                np.asarray(value).nbytes for value in iterate.state.values() if not isinstance(value, float | int)
            )
            assert taken <= state_bytes(image, steps, **self.settings(spec))

    @pytest.mark.parametrize("call", [1, 2, 4])
    def test_loss_that_is_not_finite_is_no_error(self, spec: OptimizerSpec, make: MakeArray, call: int) -> None:
        """Such a loss is yielded or stepped back from, and no error."""
        problem = quadratic(make)

        def objective(image: Array) -> Evaluation:
            evaluation = problem(image)
            nowhere = Evaluation(math.nan, {}, evaluation.gradient * math.nan)
            return nowhere if len(problem.asked) == call else evaluation

        with np.errstate(invalid="ignore"):
            list(islice(spec.load()(objective, problem.start, **self.settings(spec)), 6))

    def test_same_start_gives_the_same_iterates(self, spec: OptimizerSpec, make: MakeArray) -> None:
        """The same start gives the same iterates."""
        runs = [list(islice(self.run(spec, quadratic(make)), 5)) for _ in range(2)]
        for one, other in zip(*runs, strict=True):
            np.testing.assert_array_equal(np.asarray(one.image), np.asarray(other.image))

    def test_every_allowed_value_of_an_option_works(self, spec: OptimizerSpec, make: MakeArray) -> None:
        """Every value that is allowed works."""
        for options in bounds(spec):
            for iterate in islice(self.run(spec, quadratic(make), **options), 3):
                assert np.isfinite(np.asarray(iterate.image)).all(), options


def serialized(state: State) -> State:
    """Write and read a state: arrays by safetensors, which returns NumPy arrays, numbers by JSON."""
    numbers = {name: value for name, value in state.items() if isinstance(value, int | float)}
    arrays = {name: np.ascontiguousarray(value) for name, value in state.items() if name not in numbers}
    return dict(json.loads(json.dumps(numbers))) | load(save(arrays))
