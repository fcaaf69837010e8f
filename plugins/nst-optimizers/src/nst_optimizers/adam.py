"""Adam (Kingma & Ba 2015), written against the array API: NumPy, and torch on any device."""

from __future__ import annotations

from collections.abc import Iterator

from array_api_compat import array_namespace, device

from nst.protocols import Array, Iterate, Objective, State


def adam(
    objective: Objective,
    image: Array,
    *,
    state: State | None = None,
    step_scale: float = 1.0,
    lr: float = 0.02,
    beta1: float = 0.9,
    beta2: float = 0.99,
    epsilon: float = 1e-8,
) -> Iterator[Iterate]:
    """Yield steps of about `lr` times `step_scale` per pixel, of 0..1, without end (algorithm 1).

    `beta1` and `beta2` are how much of the gradient's running mean and mean square is kept each step; `epsilon` is
    added to the root of the latter.

    The state holds the moments of the gradient times the number of pixels. Losses being means over pixels, those are
    alike at every size, so a state whose arrays are resized bilinearly, like the image, starts well at another.
    """
    xp = array_namespace(image)
    pixels = image.shape[0] * image.shape[1]
    if state:
        step = int(state["step"])
        mean, square = (xp.asarray(state[name], device=device(image)) for name in ("mean", "square"))
    else:
        step = 0
        mean = square = xp.zeros_like(image)
    gradient = pixels * objective(image).gradient
    while True:
        step += 1
        mean = beta1 * mean + (1 - beta1) * gradient
        square = beta2 * square + (1 - beta2) * gradient**2
        length = lr * step_scale / (1 - beta1**step)
        image = image - length * mean / (xp.sqrt(square / (1 - beta2**step)) + pixels * epsilon)
        evaluation = objective(image)
        yield Iterate(image, evaluation, {"step": step, "mean": mean, "square": square})
        gradient = pixels * evaluation.gradient


def state_bytes(image: int, steps: int, **_: object) -> int:
    """Bytes of the state for an image of so many bytes, after any number of steps."""
    return 2 * image
