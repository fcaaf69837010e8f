"""Magenta's SavedModel, TF-Hub's arbitrary-image-stylization-v1-256, on TensorFlow.

Layout: NHWC, a batch of one. Value range: 0..1 in and out, float32. Padding: the network mirrors its own border. Its
signature takes a content and a style and gives the picture; the style's bottleneck, 100 numbers that all the rest of
the network sees of it, lies inside. The graph is frozen and cut there, so that styles are mixed as numbers. In a
module with no such place they are mixed as finished pictures. A SavedModel is a program: open only what you trust.
Weights: Magenta's, Apache-2.0, distributed by TF-Hub and now Kaggle.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nst.errors import UserError
from nst.protocols import Pixels
from nst_tfhub.models import Blend, Code, mixed
from nst_tfhub.quiet import quiet

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # read once, when TensorFlow is first imported
with quiet():
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

OPAQUE = "this SavedModel hides its bottleneck: styles and strength are mixed as finished pictures"


class SavedModel:
    """A `nst_tfhub.models.Model`. Raises `UserError` for a folder that holds something else."""

    precision = "float32"

    def __init__(self, folder: Path, device: str) -> None:
        with quiet():
            self.device = _device(device)
            frozen = _frozen(folder)
            content, style = frozen.inputs
            bottleneck = _bottleneck(frozen.graph, content, style, frozen.outputs[0])
            self._whole = frozen
            self._halves = None if bottleneck is None else _cut(frozen, bottleneck)
        self.side, self.style_side = _fixed_side(folder, content), _fixed_side(folder, style)
        self.notes: tuple[str, ...] = (OPAQUE,) if bottleneck is None else ()

    def encode(self, style: Pixels) -> Code:
        """Return the bottleneck `(100,)`, or the style image if the module has no bottleneck."""
        return style if self._halves is None else self._run(self._halves[0], style).reshape(-1)

    def paint(self, content: Pixels, blend: Blend) -> Pixels:
        """Return the content in the blended style."""
        if self._halves is not None:
            painted: Pixels = self._run(self._halves[1], content, mixed(blend)[None, None])[0]
            return painted
        return mixed([(self._run(self._whole, content, style)[0], share) for style, share in blend])

    def peak_memory(self) -> int | None:
        """As TensorFlow counts it on the GPU; None on the CPU."""
        return None if self.device == "cpu" else int(tf.config.experimental.get_memory_info("GPU:0")["peak"])

    def _run(self, function: Any, *arrays: Any) -> NDArray[np.float32]:
        with tf.device("/CPU:0" if self.device == "cpu" else "/GPU:0"):
            outputs = function(*(tf.constant(array[None], tf.float32) for array in arrays))
        output: NDArray[np.float32] = (outputs[0] if isinstance(outputs, list | tuple) else outputs).numpy()
        return output


def _device(name: str) -> str:
    gpu = bool(tf.config.list_physical_devices("GPU"))
    if name == "cuda" and not gpu:
        raise UserError("device 'cuda' is not available here", "this TensorFlow sees no GPU: use --device cpu")
    return "cuda" if gpu and name != "cpu" else "cpu"


def _frozen(folder: Path) -> Any:
    """Return the module's signature as one graph of constants, with inputs (content, style) and one output."""
    try:
        module = tf.saved_model.load(str(folder))
    except Exception as error:  # it raises whatever it trips over in a damaged file
        reason = str(error).partition("\n")[0]
        raise UserError(
            f"'{folder}' is not a complete SavedModel: {reason}", "it may be incomplete: get it again"
        ) from error
    signatures = dict(module.signatures)
    fitting = [signature for signature in signatures.values() if _stylizes(signature)]
    if not fitting:
        described = "; ".join(f"{name}: {_described(one)}" for name, one in signatures.items()) or "no signature"
        hint = "--weights takes Magenta's: a content and a style (1, H, W, 3) in, one picture out"
        raise UserError(f"'{folder}' is another SavedModel, with {described}", hint)
    return convert_variables_to_constants_v2(fitting[0])


def _specs(function: Any) -> tuple[list[Any], list[Any]]:
    """Return a signature's inputs and outputs, in order of names, as TensorFlow has them.

    Magenta's `placeholder` is the content and `placeholder_1` the style.
    """
    named, outputs = function.structured_input_signature[1], function.structured_outputs
    return [named[name] for name in sorted(named)], list(outputs.values())


def _stylizes(function: Any) -> bool:
    inputs, outputs = _specs(function)
    return (len(inputs), len(outputs)) == (2, 1) and all(
        spec.dtype == tf.float32 and spec.shape.rank == 4 and spec.shape[3] in (3, None) for spec in (*inputs, *outputs)
    )


def _described(function: Any) -> str:
    inputs, outputs = ([str(spec.shape) for spec in specs] for specs in _specs(function))
    return f"{' and '.join(inputs)} in, {' and '.join(outputs)} out"


def _fixed_side(folder: Path, tensor: Any) -> int | None:
    height, width = tensor.shape[1:3]
    if height != width:
        raise UserError(
            f"'{folder}' takes pictures of {width}×{height} only", "nst-tfhub needs square ones, or any size"
        )
    return None if height is None else int(height)


def _bottleneck(graph: Any, content: Any, style: Any, output: Any) -> Any | None:
    """Return the last tensor `(1, 1, 1, N)` that depends on the style alone and carries all of its influence."""
    tensors = [tensor for operation in graph.get_operations() for tensor in operation.outputs]
    narrow = [tensor for tensor in tensors if tensor.shape.rank == 4 and tensor.shape[1:3] == (1, 1)]
    for tensor in reversed(narrow):
        before, after = set(_ancestors(tensor)), set(_ancestors(output, stop=tensor))
        if style.op in before and content.op not in before and style.op not in after:
            return tensor
    return None


def _ancestors(tensor: Any, stop: Any = None) -> Iterator[Any]:
    """Return the operations that a tensor depends on, without operations reached through `stop` alone."""
    seen, waiting = set(), [tensor]
    while waiting:
        current = waiting.pop()
        if current is not stop and current.op not in seen:
            seen.add(current.op)
            waiting.extend(current.op.inputs)
            yield current.op


def _cut(frozen: Any, bottleneck: Any) -> tuple[Any, Any]:
    content, style = frozen.inputs
    return frozen.prune([style], bottleneck), frozen.prune([content, bottleneck], frozen.outputs[0])
