"""Stand-ins for Magenta's networks: same shapes, same roles, small random insides; and the real ones where they are."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from nst_tfhub.models import mixed

CODE = 100


@pytest.fixture(scope="session")
def tf():
    """TensorFlow, imported late; skips where it is not installed, or where torch is loaded: together they may crash."""
    if "torch" in sys.modules:
        pytest.skip("torch is loaded in this process: run plugins/nst-tfhub by itself")
    return pytest.importorskip("tensorflow")


class FakeModel:
    """Codes are mean colors; painting moves halfway to the blended color. Counts what it is asked."""

    device, precision, notes = "cpu", "float32", ()

    def __init__(self, side=None, style_side=None):
        self.side, self.style_side = side, style_side
        self.seen, self.painted = [], []

    def open(self, device):
        self.device = "cpu" if device == "auto" else device
        return self

    def encode(self, style):
        self.seen.append(style)
        return style.mean((0, 1), dtype=np.float64).astype(np.float32)

    def paint(self, content, blend):
        height, width = content.shape[:2]
        assert content.flags.c_contiguous
        assert content.dtype == np.float32
        assert (height, width) == (self.side or height, self.side or width)
        assert height % 4 == width % 4 == 0
        assert min(height, width) >= 8
        self.painted.append((height, width))
        return (content + mixed(blend)) / 2

    def peak_memory(self):
        return None


@pytest.fixture(scope="session")
def fake():
    return FakeModel


@pytest.fixture(scope="session")
def paint():
    """`paint(backend, content, *styles)`: what a backend makes of equal shares at scale 1."""

    def painted(backend, content, *styles, blend=None):
        shares = blend or [1 / len(styles)] * len(styles)
        return backend.stylize(content, styles, blend=shares, style_scale=1.0)

    return painted


@pytest.fixture(scope="session")
def magenta() -> Path:
    """The folder of Magenta's own TFLite files; skips the test where there is none."""
    default = Path(__file__).parents[4] / "shared" / "data"
    folder = Path(os.environ.get("NST_TEST_DATA", default)) / "magenta"
    if not (folder / "style_predict_quantized_256.tflite").is_file():
        pytest.skip(f"no Magenta networks in {folder} (set NST_TEST_DATA)")
    return folder


@pytest.fixture(scope="session")
def lite(tf, tmp_path_factory) -> Path:
    """A folder of TFLite stand-ins: predict, predict_short, fixed (32×32), free, other; skips without TensorFlow."""
    folder = tmp_path_factory.mktemp("lite")
    rng = np.random.default_rng(0)
    to_code, to_color = (tf.constant(rng.normal(size=size), tf.float32) for size in ((3, CODE), (CODE, 3)))

    def predict(style):
        return tf.reshape(tf.reduce_mean(style, (1, 2)) @ to_code, (1, 1, 1, CODE))

    def short(style):
        return predict(style)[..., :7]

    def transfer(content, code):
        return (content + tf.sigmoid(tf.reshape(code, (1, CODE)) @ to_color)[:, None, None]) / 2

    def other(picture):
        return tf.reduce_mean(picture, (1, 2))

    code, shapes = (1, 1, 1, CODE), {"predict": (predict, [(1, 256, 256, 3)]), "short": (short, [(1, 256, 256, 3)])}
    shapes |= {"fixed": (transfer, [(1, 32, 32, 3), code]), "free": (transfer, [(1, None, None, 3), code])}
    for name, (function, inputs) in (shapes | {"other": (other, [(1, 224, 224, 3)])}).items():
        concrete = tf.function(function).get_concrete_function(*(tf.TensorSpec(shape, tf.float32) for shape in inputs))
        converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete])
        (folder / f"{name}.tflite").write_bytes(converter.convert())
    return folder


def _save(tf, folder, function, shapes):
    """As Magenta's exporter does: a TF1 graph, wrapped, pruned and saved with its signature."""
    feeds, fetches = [], []

    def traced(*arrays):
        feeds.extend(arrays)
        fetches.append(function(*arrays))
        return fetches[0]

    specs = [tf.TensorSpec(shape, tf.float32) for shape in shapes]
    pruned = tf.compat.v1.wrap_function(traced, specs).prune(feeds, fetches)
    module = tf.train.Checkpoint()
    module.__call__ = pruned
    module.variables = list(pruned.graph.variables)
    tf.saved_model.save(module, str(folder), signatures=pruned)
    return folder


@pytest.fixture(scope="session")
def modules(tf, tmp_path_factory) -> dict[str, Path]:
    """SavedModel stand-ins by name: magenta, opaque, fixed, other; skips without TensorFlow."""
    any_size, rng = (None, None, None, 3), np.random.default_rng(0)

    def variable(name, *shape):
        return tf.compat.v1.get_variable(name, initializer=rng.normal(size=shape).astype(np.float32))

    def stylize(content, style):
        features = tf.nn.conv2d(style, variable("first", 3, 3, 3, 8), 2, "SAME")
        pooled = tf.reduce_mean(tf.nn.relu(features), (1, 2), keepdims=True)
        code = tf.nn.conv2d(pooled, variable("bottleneck", 1, 1, 8, CODE), 1, "SAME")
        beta, gamma = (tf.nn.conv2d(code, variable(name, 1, 1, CODE, 3), 1, "SAME") for name in ("beta", "gamma"))
        mean, variance = tf.nn.moments(content, (1, 2), keepdims=True)
        return tf.sigmoid(gamma * (content - mean) / tf.sqrt(variance + 1e-5) / 10 + beta / 10)

    def overlay(content, style):
        brightest, mean = (reduce(style, (1, 2), keepdims=True) for reduce in (tf.reduce_max, tf.reduce_mean))
        return (content * brightest + mean) / 2

    folder = tmp_path_factory.mktemp("modules")
    sized = [(1, 32, 32, 3), (1, 256, 256, 3)]
    return {
        "magenta": _save(tf, folder / "magenta", stylize, [any_size, any_size]),
        "opaque": _save(tf, folder / "opaque", overlay, [any_size, any_size]),
        "fixed": _save(tf, folder / "fixed", stylize, sized),
        "other": _save(tf, folder / "other", lambda picture: tf.reduce_mean(picture, (1, 2)), [(1, 224, 224, 3)]),
    }
