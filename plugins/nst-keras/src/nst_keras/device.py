"""Which device to compute on, and whether a better one stands idle."""

from __future__ import annotations

import os
from contextlib import suppress

from nst.errors import UserError
from nst_keras.tensorflow_import import tensorflow as tf

DRIVER_FILES = ("/proc/driver/nvidia/version", "/dev/nvidiactl")
PLACES = {"cpu": "CPU:0", "cuda": "GPU:0"}
"""Our names for devices, and TensorFlow's."""


def choose(wanted: str) -> tuple[str, tuple[str, ...]]:
    """The device for `auto`, `cpu` or `cuda`, and notes about an idle GPU. Raises `UserError`."""
    here = available()
    device = here[0] if wanted == "auto" else wanted
    if device not in here:
        raise UserError(f"device '{wanted}' is not available here", _remedy(wanted, here))
    return device, idle(device, here)


def available() -> list[str]:
    """The devices this TensorFlow can use, the fastest first."""
    return [*(["cuda"] if tf.config.get_visible_devices("GPU") else []), "cpu"]


def _remedy(wanted: str, here: list[str]) -> str:
    if wanted == "cuda" and tf.config.list_physical_devices("GPU"):
        return "this process has used TensorFlow on the CPU: start a new one for the GPU"
    if wanted == "cuda" and gpu_present():
        return "a GPU is present: pip install 'tensorflow[and-cuda]', or use --device cpu"
    return f"this TensorFlow can use: {', '.join(here)}"


def idle(device: str, here: list[str]) -> tuple[str, ...]:
    """What to say about a GPU when computing on `device`, one of the devices `here`."""
    if device != "cpu":
        return ()
    if here[0] != "cpu":
        return (f"a GPU is present and not used: try --device {here[0]}",)
    if gpu_present():
        return ("a GPU is present, but TensorFlow cannot use it: pip install 'tensorflow[and-cuda]'",)
    return ()


def gpu_present() -> bool:
    """Whether the NVIDIA driver runs here, whatever TensorFlow was built for."""
    return any(map(os.path.exists, DRIVER_FILES))


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
