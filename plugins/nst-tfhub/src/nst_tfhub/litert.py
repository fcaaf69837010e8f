"""Magenta's pair of TFLite files on LiteRT.

Layout: NHWC, a batch of one. Value range: 0..1 in and out, float32 whatever the weights are stored in. Padding: the
network mirrors its own border of 4 pixels. `style_predict` reads a style `(1, 256, 256, 3)` into a code
`(1, 1, 1, 100)`; `style_transfer` paints a content with a code, either of 384×384 alone or of any size ("dynamic").
Weights: Magenta's, Apache-2.0, distributed by TF-Hub and now Kaggle.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from nst.errors import UserError
from nst.protocols import Pixels
from nst_tfhub.models import Blend, Code, mixed
from nst_tfhub.quiet import quiet

Role = Literal["predict", "transfer", ""]
STORED = {np.dtype(np.int8): "int8 weights", np.dtype(np.float16): "float16 weights"}


class Network:
    """One TFLite file: arrays in, one array out. Raises `UserError` for a file that is none, or not whole."""

    def __init__(self, path: Path, threads: int | None = None) -> None:
        self.path = path
        try:
            self._interpreter = Interpreter(model_path=str(path), num_threads=threads or os.cpu_count())
        except (ValueError, RuntimeError) as error:
            hint = "it may be incomplete: get it again"
            raise UserError(f"'{path}' is not a complete TensorFlow Lite model ({error})", hint) from error
        self._inputs = self._interpreter.get_input_details()
        self._outputs = self._interpreter.get_output_details()
        self._shapes: dict[int, tuple[int, ...]] = {}

    @property
    def role(self) -> Role:
        """Which half of the pair this is by its shapes, "" for neither; names on Kaggle are all `1.tflite`."""
        inputs, outputs = [_shape(detail) for detail in self._inputs], [_shape(detail) for detail in self._outputs]
        if any(detail["dtype"] != np.float32 for detail in (*self._inputs, *self._outputs)) or len(outputs) != 1:
            return ""
        if len(inputs) == 1 and _is_picture(inputs[0]) and _is_code(outputs[0]):
            return "predict"
        kinds = sorted((_is_picture(shape), _is_code(shape)) for shape in inputs)
        return "transfer" if kinds == [(False, True), (True, False)] else ""

    @property
    def code_length(self) -> int:
        """The length of the code that comes out, or goes in."""
        return next(_shape(detail)[-1] for detail in (*self._outputs, *self._inputs) if _is_code(_shape(detail)))

    @property
    def side(self) -> int | None:
        """The side of the one square picture a transfer paints, None where any size will do."""
        shape = _shape(self._outputs[0])
        return shape[1] if len(shape) == 4 and -1 not in shape else None

    @property
    def stored(self) -> str:
        """What the weights are stored in: "int8 weights", "float16 weights" or "float32"."""
        types = {np.dtype(detail["dtype"]) for detail in self._interpreter.get_tensor_details()}
        return next((name for dtype, name in STORED.items() if dtype in types), "float32")

    def __str__(self) -> str:
        ins = " and ".join(str(_shape(detail)) for detail in self._inputs)
        return f"'{self.path}' (takes {ins}, gives {' and '.join(str(_shape(detail)) for detail in self._outputs)})"

    def run(self, picture: Pixels, code: Code | None = None) -> NDArray[np.float32]:
        """Return the output for a batch of one image. Raises `UserError` for a size that the network refuses."""
        inputs = {detail["index"]: _batch(picture if _is_picture(_shape(detail)) else code) for detail in self._inputs}
        try:
            self._allocate({index: values.shape for index, values in inputs.items()})
            for index, values in inputs.items():
                self._interpreter.set_tensor(index, values)
            self._interpreter.invoke()
        except (RuntimeError, ValueError) as error:
            size, reason = f"{picture.shape[1]}×{picture.shape[0]}", str(error).partition("\n")[0]
            raise UserError(f"'{self.path}' cannot take a picture of {size} pixels: {reason}") from error
        output: NDArray[np.float32] = self._interpreter.get_tensor(self._outputs[0]["index"])
        return output

    def _allocate(self, shapes: dict[int, tuple[int, ...]]) -> None:
        if shapes == self._shapes:
            return
        self._shapes = {}  # so that nothing is taken for allocated should this fail
        with quiet():  # the first allocation in a process announces its delegate
            for index, shape in shapes.items():
                self._interpreter.resize_tensor_input(index, shape)
            self._interpreter.allocate_tensors()
        self._shapes = shapes


class LiteModel:
    """A `nst_tfhub.models.Model` of two networks whose `role`s are right."""

    device = "cpu"
    style_side: int | None = None  # the predictor averages over places, so it reads any size, whatever its file says

    def __init__(self, predict: Network, transfer: Network) -> None:
        self._predict, self._transfer = predict, transfer
        self.side = transfer.side
        self.precision = transfer.stored
        tiles = f"this style_transfer paints {self.side}×{self.side} pixels only: larger pictures are made of tiles"
        self.notes: tuple[str, ...] = (tiles,) if self.side else ()

    def encode(self, style: Pixels) -> Code:
        """Return the bottleneck `(100,)`."""
        return self._predict.run(style).reshape(-1)

    def paint(self, content: Pixels, blend: Blend) -> Pixels:
        """Return the content in the style of the mixed bottlenecks."""
        painted: Pixels = self._transfer.run(content, mixed(blend))[0]
        return painted

    def peak_memory(self) -> None:
        """Return None: the memory is the process's own."""


def _batch(values: Any) -> NDArray[np.float32]:
    """Return an image `(H, W, 3)` as `(1, H, W, 3)`, a code `(N,)` as `(1, 1, 1, N)`."""
    return np.ascontiguousarray(values.reshape((1,) * (4 - values.ndim) + values.shape), np.float32)


def _shape(details: Any) -> tuple[int, ...]:
    """Return a tensor's shape with -1 for free sides, or `()` if the shape is known only at run time."""
    return tuple(map(int, details["shape_signature"]))


def _is_picture(shape: tuple[int, ...]) -> bool:
    return len(shape) == 4 and shape[3] == 3


def _is_code(shape: tuple[int, ...]) -> bool:
    return len(shape) == 4 and shape[1:3] == (1, 1) and shape[3] > 3
