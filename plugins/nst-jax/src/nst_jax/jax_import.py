"""Imports JAX, with GPU memory taken as needed and without its message about an idle GPU, which nst gives itself.

JAX takes three quarters of a GPU's memory at its start, unless `XLA_PYTHON_CLIENT_PREALLOCATE` says otherwise.
"""

from __future__ import annotations

import logging
import os

os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
logging.getLogger("jax._src.xla_bridge").setLevel(logging.ERROR)

import jax  # noqa: E402  # after the settings, which it reads once

__all__ = ["jax"]
