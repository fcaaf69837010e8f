"""How near a student comes to its teacher on pictures it never saw."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch

from nst.protocols import Tensor
from nst_torch.compress.calibration import centers
from nst_torch.compress.closed_form import Fit
from nst_torch.compress.loss import gram, relative
from nst_torch.compress.photos import Photo
from nst_torch.compress.selection import explained
from nst_torch.compress.stack import Stack

MOST = 48  # pictures
CHUNK = 8  # at a time


@torch.no_grad()
def measure(teacher: Stack, students: dict[str, Stack], fits: Sequence[Fit], photos: Sequence[Photo], size: int) -> Any:
    """One row per convolution: its width, the energy its channels explain, and each student's relative errors, by name.

    `activations` is |f - f*|² / |f*|² and `gram` |G - G*|² / |G*|² over the chosen channels, the mean over pictures.
    """
    chosen = photos[:: -(-len(photos) // MOST)]
    sums = [
        _sums(teacher, students, fits, centers(chosen[at : at + CHUNK], size)) for at in range(0, len(chosen), CHUNK)
    ]
    rows = []
    for fit, parts in zip(fits, zip(*sums, strict=True), strict=True):
        energy = sum(part["energy"] for part in parts)
        row = {"layer": fit.name, "channels": len(fit.channels), "explained": explained(energy, fit.channels)}
        errors = {name: sum(part[name] for part in parts) / len(chosen) for name in parts[0] if name != "energy"}
        rows.append(row | {name: float(np.float32(value)) for name, value in errors.items()})
    return rows


def _sums(teacher: Stack, students: dict[str, Stack], fits: Sequence[Fit], pixels: Tensor) -> list[dict[str, Tensor]]:
    """By layer, summed over pictures: the energy of all the teacher's channels and the students' errors."""
    runs = {name: student.relus(pixels) for name, student in students.items()}
    return [_errors(fit, full.float(), runs) for fit, (_, full) in zip(fits, teacher.relus(pixels), strict=True)]


def _errors(fit: Fit, full: Tensor, runs: dict[str, Iterator[tuple[str, Tensor]]]) -> dict[str, Tensor]:
    expected = full[:, fit.channels] * fit.scale
    errors = {"energy": gram(full).sum(0)}
    for name, run in runs.items():
        ours = next(run)[1]
        errors[f"{name} activations"] = relative(ours, expected).sum()
        errors[f"{name} gram"] = relative(gram(ours), gram(expected)).sum()
    return errors
