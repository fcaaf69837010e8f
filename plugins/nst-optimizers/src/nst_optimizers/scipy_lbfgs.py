"""SciPy's L-BFGS-B (Byrd, Lu, Nocedal & Zhu 1995) as a generator: a reference to measure others by, and bounds.

SciPy's loop is turned inside out: `minimize` runs in a thread that does SciPy's own arithmetic and nothing else, asks
for each evaluation and waits; the generator answers from the thread that consumes it. So a framework is only ever
called from there, its exceptions and Ctrl-C arise there, and closing the generator ends the thread.

SciPy computes on the host in float64. The objective gets NumPy `(H, W, 3)` float32, C-contiguous; so are the iterates.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import inf, isfinite, sqrt
from queue import SimpleQueue
from threading import Thread
from typing import Any

import numpy as np
from array_api_compat import is_torch_array
from numpy.typing import NDArray
from scipy.optimize import Bounds, minimize

from nst.errors import NstError
from nst.protocols import Array, Iterate, Objective, Pixels, State

FIRST_STEP = 0.1
"""Largest pixel change, of 0..1, of the first step SciPy tries."""

IMPORTED = 60_000_000
"""Bytes that `scipy.optimize` takes when it is imported."""

ENDLESS = {"maxiter": 2**31 - 1, "maxfun": 2**31 - 1, "ftol": 0.0, "gtol": 0.0}
"""The engine decides when to stop."""

Vector = NDArray[np.float64]
Answers = SimpleQueue[tuple[float, Vector] | None]
Messages = SimpleQueue[tuple[str, Any]]


class _Closed(Exception):  # noqa: N818
    """Raised in SciPy's thread once nobody answers any more."""


def scipy_lbfgs(
    objective: Objective,
    image: Array,
    *,
    state: State | None = None,
    step_scale: float = 1.0,
    history: int = 10,
    bounded: bool = True,
) -> Iterator[Iterate]:
    """Yield SciPy's iterates, until it finds none that is lower.

    `history` is how many curvature pairs SciPy keeps, `bounded` keeps pixels in 0..1. `step_scale` is for the first
    step, from which SciPy finds the length of the others. A loss that is not finite is yielded as the last iterate,
    because SciPy's line search would not come back from it.
    """
    if state:
        raise NstError("scipy-lbfgs cannot resume: SciPy keeps its state to itself", "start anew, or use lbfgs")
    image = _on_host(image, bounded)
    evaluation = objective(image)
    unit = _unit(evaluation.gradient, FIRST_STEP * step_scale, bounded)
    start = image.ravel().astype(np.float64) / unit
    bounds = Bounds(0, 1 / unit) if bounded else None
    messages: Messages = SimpleQueue()
    answers: Answers = SimpleQueue()
    arguments = (messages, answers, start, bounds, history)
    thread = Thread(target=_minimize, args=arguments, name="scipy-lbfgs", daemon=True)
    thread.start()
    try:
        while isfinite(evaluation.loss):
            match messages.get():
                case "evaluate", x:
                    candidate = np.reshape(x * unit, image.shape).astype(np.float32)
                    if not np.array_equal(candidate, image):  # SciPy asks for the start once more
                        image, evaluation = candidate, objective(candidate)
                    answers.put((evaluation.loss, unit * np.ravel(evaluation.gradient).astype(np.float64)))
                case "iterate", _:
                    yield Iterate(image, evaluation, {})
                case "failed", error:
                    raise error
                case "done", _:
                    return
        yield Iterate(image, evaluation, {})
    finally:
        answers.put(None)
        thread.join()


def _on_host(image: Array, bounded: bool) -> Pixels:
    """Return a copy, `(H, W, 3)` float32, clipped to 0..1 if `bounded`."""
    host = image.cpu() if is_torch_array(image) else image  # other libraries' arrays NumPy copies from a GPU itself
    pixels = np.asarray(host).astype(np.float32, order="C")
    return pixels.clip(0, 1) if bounded else pixels


def _unit(gradient: Array, largest: float, bounded: bool) -> float:
    """Return the unit of SciPy's variables, so that its first step changes no pixel by more than `largest`.

    That step is the negative gradient where all variables are bounded, and of length 1 where none is.
    """
    steepest = float(np.abs(gradient).max())
    if not 0 < steepest < inf:
        return 1.0
    return sqrt(largest / steepest) if bounded else largest * float(np.linalg.norm(gradient)) / steepest


def _minimize(messages: Messages, answers: Answers, start: Vector, bounds: Bounds | None, history: int) -> None:
    """Run SciPy, each evaluation and each iterate being a message, until it is done or an answer is None."""

    def ask(x: Vector) -> tuple[float, Vector]:
        messages.put(("evaluate", x))
        answer = answers.get()
        if answer is None:
            raise _Closed
        return answer

    def report(_: Vector) -> None:
        messages.put(("iterate", None))

    options = {**ENDLESS, "maxcor": history}
    try:
        minimize(ask, start, method="L-BFGS-B", jac=True, bounds=bounds, callback=report, options=options)
        messages.put(("done", None))
    except _Closed:
        pass
    except Exception as error:
        messages.put(("failed", error))


def state_bytes(image: int, steps: int, *, history: int = 10, **_: object) -> int:
    """Return the bytes of SciPy and its float64 workspace, for an image of `image` bytes: pairs and 20 vectors."""
    return IMPORTED + (4 * history + 40) * image
