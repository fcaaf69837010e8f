"""What a loss may call means on TensorFlow what it means in NumPy, eagerly and traced."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from nst.reference import NAMES
from nst_keras import namespace as xp
from nst_keras.tensorflow_import import tensorflow as tf

pytestmark = pytest.mark.frameworks

X = np.random.default_rng(0).normal(size=(4, 5, 3)).astype(np.float32)
NUMPY = SimpleNamespace(**{name: getattr(np, name) for name in NAMES})
CALLS = {
    "mean": lambda xp, x: xp.mean(x),
    "mean over an axis": lambda xp, x: xp.mean(x, axis=-1, keepdims=True),
    "mean over two axes": lambda xp, x: xp.mean(x, axis=(0, 1)),
    "sum": lambda xp, x: xp.sum(x, axis=0),
    "sum of all, kept": lambda xp, x: xp.sum(x, keepdims=True),
    "square": lambda xp, x: xp.square(x),
    "sqrt": lambda xp, x: xp.sqrt(xp.abs(x)),
    "maximum": lambda xp, x: xp.maximum(x, -x),
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
    "eye": lambda xp, x: x[:3, :3, 0] + xp.eye(3),
    "sort": lambda xp, x: xp.sort(x),
    "sort along an axis": lambda xp, x: xp.sort(x, axis=0),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_call_means_what_it_means_in_numpy(call):
    expected = call(NUMPY, X)
    for found in (call(xp, X), call(xp, tf.constant(X)), tf.function(lambda x: call(xp, x))(X)):
        assert found.dtype == tf.float32
        assert found.shape == np.shape(expected)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_call_has_a_slope(call):
    x = tf.constant(X)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.reduce_sum(tf.square(call(xp, x)))
    step, direction = 1e-2, np.cos(np.arange(X.size, dtype=np.float32)).reshape(X.shape)

    def at(point):
        return np.square(call(NUMPY, point.astype(np.float64))).sum()

    expected = (at(X + step * direction) - at(X - step * direction)) / (2 * step)
    assert float(tf.reduce_sum(tape.gradient(y, x) * direction)) == pytest.approx(expected, rel=1e-2, abs=1e-3)


def test_every_name_of_the_protocol_is_there():
    assert all(callable(getattr(xp, name)) for name in NAMES)
