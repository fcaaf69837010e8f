"""Which device to compute on, and whether a better one stands idle."""

from __future__ import annotations

from contextlib import suppress

from nst import devices
from nst.errors import UserError
from nst_keras.tensorflow_import import tensorflow as tf

CURE = "pip install 'tensorflow[and-cuda]'"
PLACES = {"cpu": "CPU:0", "cuda": "GPU:0"}
"""Our names for devices, and TensorFlow's."""


def choose(name: str) -> tuple[str, tuple[str, ...]]:
    """Return the device for `auto`, `cpu` or `cuda`, and notes about an idle GPU. Raises `UserError`."""
    names = available()
    if name == "cuda" and name not in names and tf.config.list_physical_devices("GPU"):
        hint = "this process has used TensorFlow on the CPU: start a new one for the GPU"
        raise UserError("device 'cuda' is not available here", hint)
    return devices.choose(name, names, "TensorFlow", CURE)


def available() -> list[str]:
    """Return the devices that this TensorFlow can use, the fastest first."""
    return [*(["cuda"] if tf.config.get_visible_devices("GPU") else []), "cpu"]


def prepare(device: str) -> str:
    """Have TensorFlow take GPU memory as needed, or none at all on the CPU; its own name for the device.

    TensorFlow allows this only before its first computation; after that it stays as the process has it.
    """
    with suppress(RuntimeError):
        if device == "cpu":
            tf.config.set_visible_devices([], "GPU")
        for gpu in tf.config.get_visible_devices("GPU"):
            tf.config.experimental.set_memory_growth(gpu, True)
    # float32 is what we say, and TensorFlow's default is ten bits of mantissa, in Gram matrices too.
    tf.config.experimental.enable_tensor_float_32_execution(False)
    return PLACES[device]
