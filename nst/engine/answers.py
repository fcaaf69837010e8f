"""Check the answers of plugins where they enter the engine, so that a wrong one names the plugin.

Each check looks at types and shapes alone, so that it works on traced arrays and costs microseconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from nst.errors import WrongAnswer
from nst.protocols import Evaluation, Iterate, Pixels

MEMBERS = ("device", "precision", "notes")
FEATURE_MEMBERS = (*MEMBERS, "xp", "features", "value_and_grad", "asarray", "to_numpy", "to_host", "peak_memory")
IMAGE_MEMBERS = (*MEMBERS, "stylize", "peak_memory")


def backend(answer: Any, kind: str) -> Any:
    """Return a backend. Raises `WrongAnswer` for one without a member of its protocol, or with notes in one text."""
    members = FEATURE_MEMBERS if kind == "feature" else IMAGE_MEMBERS
    if missing := [name for name in members if not hasattr(answer, name)]:
        raise WrongAnswer("backend", f"made {_name(answer)}, which has no {', '.join(missing)}")
    if not isinstance(answer.device, str) or not isinstance(answer.precision, str):
        raise WrongAnswer("backend", "has a device or a precision that is no text")
    if isinstance(answer.notes, str) or not all(isinstance(note, str) for note in answer.notes):
        raise WrongAnswer("backend", "has notes that are no sequence of texts")
    return answer


def features(answer: Any, layers: Sequence[str]) -> Mapping[str, Any]:
    """Return the features of a backend. Raises `WrongAnswer` unless there is an array `(H, W, C)` for each layer."""
    if not isinstance(answer, Mapping):
        raise WrongAnswer("backend", f"returned {_name(answer)} as features, where a mapping of layers belongs")
    for layer in layers:
        if layer not in answer:
            raise WrongAnswer("backend", f"returned no features for {layer}")
        if len(shape := _shape(answer[layer])) != 3:
            raise WrongAnswer("backend", f"returned features of shape {shape} for {layer}, where (H, W, C) belongs")
    return answer


def evaluated(answer: Any, image: Any) -> Evaluation:
    """Return a backend's evaluation of an image. Raises `WrongAnswer` for one without numbers or a fitting gradient."""
    if not isinstance(answer, Evaluation):
        raise WrongAnswer("backend", f"returned {_name(answer)} from its objective, where an Evaluation belongs")
    if not isinstance(answer.loss, float | int) or not isinstance(answer.terms, Mapping):
        raise WrongAnswer("backend", "returned an Evaluation whose loss is no number, or whose terms are no mapping")
    if _shape(answer.gradient) != _shape(image):
        shapes = f"{_shape(answer.gradient)} for an image of shape {_shape(image)}"
        raise WrongAnswer("backend", f"returned a gradient of shape {shapes}")
    return answer


def iterates(answer: Any, image: Any) -> Iterator[Iterate]:
    """Yield an optimizer's iterates. Raises `WrongAnswer` for anything that is none, or that has another shape."""
    if not hasattr(answer, "__iter__"):
        raise WrongAnswer("optimizer", f"returned {_name(answer)}, where an iterator of Iterates belongs")
    for item in answer:
        if not isinstance(item, Iterate) or not isinstance(item.evaluation, Evaluation):
            raise WrongAnswer("optimizer", f"yielded {_name(item)}, where an Iterate with an Evaluation belongs")
        if not isinstance(item.state, Mapping):
            raise WrongAnswer("optimizer", f"yielded a state of type {_name(item.state)}, where a mapping belongs")
        if _shape(item.image) != _shape(image):
            shapes = f"{_shape(item.image)} for one of shape {_shape(image)}"
            raise WrongAnswer("optimizer", f"yielded an image of shape {shapes}")
        yield item


def distance(answer: Any, name: str) -> Any:
    """Return a loss's distance. Raises `WrongAnswer` unless it is a scalar."""
    if shape := _shape(answer):
        raise WrongAnswer("loss", f"returned a distance of shape {shape}, where a scalar belongs", name)
    return answer


def difference(answer: Any, target: Any, name: str) -> Any:
    """Return a loss's difference at each position. Raises `WrongAnswer` unless it is `(H, W)`."""
    if (shape := _shape(answer)) != (wanted := _shape(target)[:2]):
        raise WrongAnswer("loss", f"returned differences of shape {shape}, where {wanted} belongs", name)
    return answer


def pixels(answer: Any, kind: str, shape: tuple[int, ...] | None = None) -> Pixels:
    """Return an image `(H, W, 3)` of a plugin as float32. Raises `WrongAnswer` for another shape, type or value."""
    if not isinstance(answer, np.ndarray) or answer.dtype.kind != "f":
        raise WrongAnswer(kind, f"returned {_name(answer)}, where an array of floats belongs")
    if answer.ndim != 3 or answer.shape[2] != 3 or (shape is not None and answer.shape != shape):
        expected = "(H, W, 3)" if shape is None else shape
        raise WrongAnswer(kind, f"returned an image of shape {answer.shape}, where {expected} belongs")
    if not np.isfinite(answer).all():
        raise WrongAnswer(kind, "returned an image with values that are not finite")
    return answer.astype(np.float32, copy=False)


def _shape(array: Any) -> tuple[int, ...]:
    return tuple(getattr(array, "shape", ()))


def _name(answer: Any) -> str:
    return f"an array of {answer.dtype}" if isinstance(answer, np.ndarray) else type(answer).__name__
