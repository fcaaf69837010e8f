"""Imports PyTorch, whose threads then wait briefly for each other where other programs use the same cores.

OpenMP's threads spin at the end of each loop until the last one arrives. Where another program holds its core, that
takes as long as the program likes. With this limit a picture beside a busy program takes half the time
(`benchmarks/contention.py`). TensorFlow and JAX have thread pools of their own, which do not spin.
"""

from __future__ import annotations

import os

SPINS = "2000"
"""Rounds that a thread spins before it sleeps."""

if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", SPINS)

import torch  # noqa: E402  # after the setting, which libgomp reads once

__all__ = ["torch"]
