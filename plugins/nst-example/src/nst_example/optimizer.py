"""Gradient descent with momentum (Polyak 1964), written against the array API: NumPy, and torch on any device."""

from __future__ import annotations

from collections.abc import Iterator

from array_api_compat import array_namespace, device
from nst.protocols import Array, Iterate, Objective, State

TINY = 1e-12  # keeps a gradient of 0 from dividing by zero


def descend(
    objective: Objective,
    image: Array,
    *,
    state: State | None = None,
    step_scale: float = 1.0,
    lr: float = 0.01,
    momentum: float = 0.9,
) -> Iterator[Iterate]:
    """Yield steps without end: `momentum` of the last direction, and the rest of the gradient's, `lr` long.

    Departs from Polyak in that the gradient is scaled to a root mean square of 1, so that `lr` is in pixel values.
    """
    xp = array_namespace(image)
    velocity = xp.asarray(state["velocity"], device=device(image)) if state else xp.zeros_like(image)
    gradient = objective(image).gradient
    while True:
        unit = gradient / (xp.sqrt(xp.mean(gradient**2)) + TINY)
        velocity = momentum * velocity + (1 - momentum) * unit
        image = image - lr * step_scale * velocity
        evaluation = objective(image)
        yield Iterate(image, evaluation, {"velocity": velocity})
        gradient = evaluation.gradient
