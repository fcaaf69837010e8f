"""What a painter in another process is asked, and what it answers: plain data, a line of JSON each."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

StyleSource = str | Sequence[str]
"""A picture, a folder of works, or works taken as one style."""


@dataclass(frozen=True)
class Order:
    """One picture to be made: paths, a recipe, and how it is written.

    `styles` are for all that no mask covers, each of `masks` a mask with its styles; how styles blend is in the
    `recipe`, which is `Recipe.to_dict` or part of one. `chosen` names the fields that a person set. `options` are those
    of `nst.images.WriteOptions`. `checkpoint` is kept every `checkpoint_every` seconds; `resume` is a checkpoint to go
    on from, whose pictures and recipe are then the order's. A preview of at most `preview_size` pixels a side comes
    after every `preview_seconds`, or every `preview_steps`; 0 for neither. Paths are seen from `folder`, "" for that of
    the painter's process. A picture that is there, made of the very same, is kept, unless `fresh`.
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
    fresh: bool = True


@dataclass(frozen=True)
class Started:
    """The backend is loaded, and the steps begin: so many at each of the sizes, none for one pass."""

    device: str
    precision: str
    weights: str
    sizes: Sequence[int]
    steps: Sequence[int]
    notes: Sequence[str]


@dataclass(frozen=True)
class Step:
    """A step was taken: `step` of `steps`, at `size` pixels; `left` are the seconds that the rest will take."""

    step: int
    steps: int
    size: int
    loss: float
    terms: Mapping[str, float]
    seconds: float
    left: float
    note: str = ""


@dataclass(frozen=True)
class Preview:
    """The picture after a step, small, as a JPEG file."""

    step: int
    size: int
    jpeg: bytes


@dataclass(frozen=True)
class Done:
    """The picture is written at `output`. `report` is what `nst stylize --report` writes.

    `stopped` is "finished", "interrupted" or "diverged"; "kept" for one that was there, which has no report.
    """

    output: str
    stopped: str
    report: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Failed:
    """There is no picture, and why: `mistake` where it is the user's own, `signal` where the process died of one."""

    message: str
    hint: str = ""
    mistake: bool = False
    signal: str = ""


Event = Started | Step | Preview | Done | Failed
Outcome = Done | Failed
KINDS: Mapping[str, type[Event]] = {each.__name__.lower(): each for each in (Started, Step, Preview, Done, Failed)}


def encode(event: Event) -> bytes:
    """An event as a line."""
    data = asdict(event)
    if isinstance(event, Preview):
        data["jpeg"] = b64encode(event.jpeg).decode()
    return json.dumps({"kind": type(event).__name__.lower(), **data}).encode() + b"\n"


def decode(line: bytes) -> Event:
    """The event of a line. Raises `ValueError` for what is none."""
    data = json.loads(line)
    kind = KINDS[data.pop("kind")]
    if "jpeg" in data:
        data["jpeg"] = b64decode(data["jpeg"])
    return kind(**data)
