"""Which precision to compute a network in."""

from __future__ import annotations

from nst import devices
from nst_keras.tensorflow_import import tensorflow as tf


def choose(kind: str, device: str) -> str:
    """`float32` or `bfloat16`, for either of them or `auto`, which takes bfloat16 where the device has it."""
    return devices.precision(kind, native(device))


def native(device: str) -> bool:
    """Whether the device multiplies bfloat16 faster than float32."""
    if device != "cuda":
        return devices.cpu_has_bfloat16()
    details = tf.config.experimental.get_device_details(tf.config.get_visible_devices("GPU")[0])
    return bool(details.get("compute_capability", (0, 0))[0] >= devices.BFLOAT16_CUDA)
