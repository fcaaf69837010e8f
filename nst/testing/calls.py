"""Call every function of `nst.protocols.Namespace` and every operator, as losses do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

X = np.random.default_rng(0).normal(size=(4, 5, 3))
"""What they are called with: of both signs, no two alike, none 0."""

CALLS: Mapping[str, Callable[[Any, Any], Any]] = {
    "operators": lambda xp, x: (1 - x) ** 2 * -x / (3 + x * x) + 2 / (x**2 + 1) - 0.5 * x,
    "slicing": lambda xp, x: x[1:, :-1, 2] * x[:-1, 1:, 0],
    "slicing the last axis": lambda xp, x: x[..., :1] - x[..., -1:],
    "mean": lambda xp, x: xp.mean(x),
    "mean over an axis": lambda xp, x: xp.mean(x, axis=-1, keepdims=True),
    "mean over two axes": lambda xp, x: xp.mean(x, axis=(0, 1)),
    "sum": lambda xp, x: xp.sum(x, axis=0),
    "sum over two axes": lambda xp, x: xp.sum(x, axis=(0, 1), keepdims=True),
    "sum of all, kept": lambda xp, x: xp.sum(x, keepdims=True),
    "square": lambda xp, x: xp.square(x),
    "sqrt": lambda xp, x: xp.sqrt(xp.square(x) + 0.1),
    "abs": lambda xp, x: xp.abs(x),
    "maximum": lambda xp, x: xp.maximum(x, x * x - 1),
    "reshape": lambda xp, x: xp.reshape(x, (20, -1)),
    "permute_dims": lambda xp, x: xp.permute_dims(x, (2, 0, 1)),
    "matmul": lambda xp, x: xp.matmul(x[0], xp.permute_dims(x[1], (1, 0))),
    "matmul of stacks": lambda xp, x: xp.matmul(x, xp.permute_dims(x, (0, 2, 1))),
    "matmul of stack and matrix": lambda xp, x: xp.matmul(x, xp.eye(3)),
    "matmul of matrix and vector": lambda xp, x: xp.matmul(x[0], x[1, 2]),
    "matmul of vector and stack": lambda xp, x: xp.matmul(x[0, :, 0], x),
    "matmul of vectors": lambda xp, x: xp.matmul(x[0, 0], x[1, 1]),
    "concat": lambda xp, x: xp.concat([x, 2 * x]),
    "concat along an axis": lambda xp, x: xp.concat([x[:, 1:], x[:, -1:]], axis=1),
    "concat along the last axis": lambda xp, x: xp.concat([x, 0 * x[..., :1] + 0.5], axis=-1),
    "eye": lambda xp, x: x[:3, :3, 0] + xp.eye(3),
    "sort": lambda xp, x: xp.sort(x),
    "sort along an axis": lambda xp, x: xp.sort(x, axis=0),
}
