"""Define the messages between a worker process and its client: orders and events, one line of JSON each."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

StyleSource = str | Sequence[str]
"""The path of an image, of a folder of images, or several paths; several images together are one style."""


@dataclass(frozen=True)
class Order:
    """One image to stylize: paths, a recipe, and options of the output.

    `styles` apply outside all masks; each item of `masks` is a mask with its styles. `recipe` is `Recipe.to_dict` or a
    part of one. `chosen` names the recipe fields set by the user. `options` are fields of `nst.images.WriteOptions`.
    A checkpoint is written every `checkpoint_every` seconds. `resume` is a checkpoint to resume, which replaces the
    images and the recipe. A preview with sides of at most `preview_size` pixels is sent every `preview_seconds` or
    every `preview_steps`; 0 turns either off. Paths are relative to `folder`, "" for the worker's current folder.
    An image whose estimate is above `longest` seconds is refused; 0 is no limit.
    Unless `fresh`, an output with the same inputs is kept. `kind` selects the handler in a worker process, a key of
    `nst.worker.process.HANDLERS`; the orders of an executor are pictures.
    """

    content: str = ""
    styles: Sequence[StyleSource] = ()
    output: str = ""
    recipe: Mapping[str, Any] = field(default_factory=dict)
    masks: Sequence[tuple[str, Sequence[StyleSource]]] = ()
    protect: str | None = None
    chosen: Sequence[str] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    max_pixels: int | None = None
    checkpoint: str = ""
    checkpoint_every: float = 60.0
    resume: str = ""
    preview_seconds: float = 0.0
    preview_steps: int = 0
    preview_size: int = 512
    folder: str = ""
    longest: float = 0.0
    fresh: bool = True
    kind: str = "picture"


@dataclass(frozen=True)
class Started:
    """The backend is loaded, and the run starts; `steps` has one number per size, 0 for a one-pass backend."""

    device: str
    precision: str
    weights: str
    sizes: Sequence[int]
    steps: Sequence[int]
    notes: Sequence[str]


@dataclass(frozen=True)
class Step:
    """Step `step` of `steps` is done, at `size` pixels; `left` is the estimated time to the end in seconds."""

    step: int
    steps: int
    size: int
    loss: float
    terms: Mapping[str, float]
    seconds: float
    left: float
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Preview:
    """The image after a step, reduced, as a JPEG file."""

    step: int
    size: int
    jpeg: bytes


@dataclass(frozen=True)
class Stage:
    """The current stage of an order that is no picture, such as a cell of a comparison, with its progress."""

    text: str


@dataclass(frozen=True)
class Done:
    """The image is written to `output`. `report` is the data of `nst stylize --report`, or an estimate.

    `stopped` is "finished", "interrupted" or "diverged", or "kept" for an up-to-date output, which has no report.
    """

    output: str
    stopped: str
    report: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Failed:
    """The order failed: `mistake` marks an error in the order, `signal` names the signal that ended the process."""

    message: str
    hint: str = ""
    mistake: bool = False
    signal: str = ""


Event = Started | Step | Preview | Stage | Done | Failed
Outcome = Done | Failed
KINDS: Mapping[str, type[Event]] = {
    event.__name__.lower(): event for event in (Started, Step, Preview, Stage, Done, Failed)
}


def encode(event: Event) -> bytes:
    """Encode an event as one line of JSON."""
    data = asdict(event)
    if isinstance(event, Preview):
        data["jpeg"] = b64encode(event.jpeg).decode()
    return json.dumps({"kind": type(event).__name__.lower(), **data}).encode() + b"\n"


def decode(line: bytes) -> Event:
    """Decode a line into its event. Raises `ValueError` for other text."""
    data = json.loads(line)
    kind = KINDS[data.pop("kind")]
    if "jpeg" in data:
        data["jpeg"] = b64decode(data["jpeg"])
    return kind(**data)
