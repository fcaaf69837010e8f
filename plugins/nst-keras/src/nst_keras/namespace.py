"""`nst.protocols.Namespace` on TensorFlow: the array API's names and meanings, on NumPy arrays too."""

from __future__ import annotations

from collections.abc import Sequence

from nst.protocols import Tensor
from nst_keras.tensorflow_import import tensorflow as tf

mean = tf.reduce_mean
sum = tf.reduce_sum
square = tf.square
sqrt = tf.sqrt
abs = tf.abs
maximum = tf.maximum
reshape = tf.reshape
permute_dims = tf.transpose
eye = tf.eye
sort = tf.sort


def matmul(x: Tensor, y: Tensor, /) -> Tensor:
    """Multiply matrices, stacks of matrices, and vectors, which `tf.matmul` does not take."""
    rows = x if len(x.shape) > 1 else tf.expand_dims(x, 0)
    columns = y if len(y.shape) > 1 else tf.expand_dims(y, 1)
    added = [axis for axis, operand in ((-2, x), (-1, y)) if len(operand.shape) == 1]
    product = tf.matmul(rows, columns)
    return tf.squeeze(product, added) if added else product


def concat(arrays: Sequence[Tensor], /, *, axis: int = 0) -> Tensor:
    """Concatenate the arrays along `axis`."""
    return tf.concat(arrays, axis)
