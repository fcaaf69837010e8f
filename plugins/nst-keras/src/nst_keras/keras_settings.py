"""Where Keras keeps its files and what it computes on, found out as Keras does, without importing it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from nst.errors import UserError


def home() -> Path:
    """Keras' folder: `KERAS_HOME`, else `~/.keras`, else `/tmp/.keras` where that cannot be written to."""
    base = os.path.expanduser("~")
    default = os.path.join(base if os.access(base, os.W_OK) else "/tmp", ".keras")
    return Path(os.path.expanduser(os.environ.get("KERAS_HOME", default)))


def backend() -> str:
    """`tensorflow`, `torch`, `jax`, …: what an imported Keras says, else `KERAS_BACKEND`, else `keras.json`."""
    if "keras" in sys.modules:
        return str(sys.modules["keras"].config.backend())
    return os.environ.get("KERAS_BACKEND") or _configured()


def _configured() -> str:
    try:
        return str(json.loads((home() / "keras.json").read_text("utf-8")).get("backend", "tensorflow"))
    except (OSError, ValueError, AttributeError):  # absent, or no JSON object: Keras takes its default
        return "tensorflow"


def require_tensorflow() -> None:
    """Raise `UserError` where Keras would bring another framework into this process.

    Even a run without Keras' weights needs this: `import tensorflow` imports Keras, which imports its own backend,
    and two frameworks in one process can crash it.
    """
    name = backend()
    if name == "tensorflow":
        return
    where = "KERAS_BACKEND" if os.environ.get("KERAS_BACKEND") else f"'{home() / 'keras.json'}'"
    hint = f'set KERAS_BACKEND=tensorflow for this run, or "backend": "tensorflow" in {where}'
    if where == "KERAS_BACKEND":
        hint = "unset KERAS_BACKEND, or set it to tensorflow"
    other = "; or pip install nst-torch and use --backend torch-vgg19" if name == "torch" else ""
    raise UserError(f"Keras is set to compute on {name} ({where}); nst-keras computes on TensorFlow", hint + other)
