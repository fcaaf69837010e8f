"""The least code that evaluates Gatys' loss and its gradient in TensorFlow: what nst is measured against.

The same network, layers and losses as nst's, written straight down: no seams, no names, nothing kept for later.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from nst.vgg.network import Network

STYLE = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
CONTENT = "relu4_2"


def evaluation(
    network: Network, content: np.ndarray, style: np.ndarray, *, jit: bool = False
) -> Callable[[tf.Tensor], tuple[float, tf.Tensor]]:
    """Return a function from an image `(1, H, W, 3)` to its loss and gradient; `network` is a `nst.vgg.Network`."""
    pre = network.preprocessing
    flip = pre.order == "BGR"
    mean, std = tf.constant(pre.mean), tf.constant(pre.std)
    convs = [
        (name[4:], tf.constant(network.kernels[name].transpose(2, 3, 1, 0)), tf.constant(network.biases[name]))
        for name in network.kernels
    ]

    def features(x: tf.Tensor) -> dict[str, tf.Tensor]:
        x = (tf.reverse(x, [-1]) if flip else x) * pre.scale
        x = (x - mean) / std
        found, block = {}, "1"
        for place, kernel, bias in convs:
            if place[0] != block:
                x, block = tf.nn.max_pool2d(x, 2, 2, "VALID"), place[0]
            x = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, kernel, 1, "SAME"), bias))
            if (name := f"relu{place}") in (*STYLE, CONTENT):
                found[name] = x
            if len(found) == 6:
                return found
        raise ValueError("the network ends too early")

    def gram(f: tf.Tensor) -> tf.Tensor:
        rows = tf.reshape(f, (-1, f.shape[-1]))
        return tf.matmul(rows, rows, transpose_a=True) / rows.shape[0]

    grams = {name: gram(f) for name, f in features(as_image(style)).items() if name in STYLE}
    target = features(as_image(content))[CONTENT]

    @tf.function(autograph=False, jit_compile=jit)
    def graph(x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(x)
            found = features(x)
            loss = 10 * tf.reduce_sum((found[CONTENT] - target) ** 2) / tf.reduce_sum(target**2)
            for name, expected in grams.items():
                loss += 20 * tf.reduce_sum((gram(found[name]) - expected) ** 2) / tf.reduce_sum(expected**2)
        return loss, tape.gradient(loss, x)

    def evaluate(x: tf.Tensor) -> tuple[float, tf.Tensor]:
        loss, gradient = graph(x)
        return float(loss), gradient

    return evaluate


def as_image(pixels: np.ndarray) -> tf.Tensor:
    """`(H, W, 3)` pixels as `(1, H, W, 3)`."""
    return tf.constant(pixels[None])
