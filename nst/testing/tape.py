"""Differentiate `nst.protocols.Namespace` in reverse mode in NumPy, like a framework, including infinite slopes.

The slope of a root at 0 is infinite, as in every framework, so tests detect a loss with NaN gradients without a
framework. A `Tape` supports only the operators that a loss may use. The numeric gradients of `nst.vgg.reference` are
independent of this module.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

TapeArray: TypeAlias = NDArray[np.float64]
Pull: TypeAlias = Callable[[TapeArray], TapeArray]
"""From the gradient with respect to a result to that with respect to one of its operands."""


class Tape:
    """A value and its differentiable operands, each with its `Pull`."""

    __array_ufunc__ = None  # so that `array * tape` is ours

    def __init__(self, value: Any, operands: Sequence[tuple[Tape, Pull]] = ()) -> None:
        self.value: TapeArray = np.asarray(value, np.float64)
        self.operands = operands

    @property
    def shape(self) -> tuple[int, ...]:
        """As NumPy's."""
        return self.value.shape

    def __add__(self, other: Any) -> Any:
        return _binary(np.add, self, other, lambda g, x, y: g, lambda g, x, y: g)

    def __sub__(self, other: Any) -> Any:
        return self + -other

    def __mul__(self, other: Any) -> Any:
        return _binary(np.multiply, self, other, lambda g, x, y: g * y, lambda g, x, y: g * x)

    def __truediv__(self, other: Any) -> Any:
        return _binary(np.divide, self, other, lambda g, x, y: g / y, lambda g, x, y: -g * x / y**2)

    def __pow__(self, exponent: float) -> Any:
        return _unary(self.value**exponent, self, lambda g: g * exponent * self.value ** (exponent - 1))

    def __neg__(self) -> Any:
        return self * -1.0

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __rtruediv__(self, other: Any) -> Any:
        return self**-1 * other

    __radd__, __rmul__ = __add__, __mul__

    def __getitem__(self, index: Any) -> Any:
        def pull(gradient: TapeArray) -> TapeArray:
            total = np.zeros_like(self.value)
            np.add.at(total, index, gradient)
            return total

        return _unary(self.value[index], self, pull)


def gradient(result: Tape, leaf: Tape) -> TapeArray:
    """Return the gradient of a scalar with respect to `leaf`; zeros if the scalar does not depend on it."""
    gradients: dict[int, TapeArray] = {id(result): np.ones_like(result.value)}
    for tape in reversed(_ordered(result)):
        for operand, pull in tape.operands:
            part = pull(gradients[id(tape)])
            gradients[id(operand)] = gradients[id(operand)] + part if id(operand) in gradients else part
    return gradients.get(id(leaf), np.zeros_like(leaf.value))


def _ordered(result: Tape) -> list[Tape]:
    """Return all tapes that lead to `result`, operands first."""
    order: list[Tape] = []
    seen: set[int] = set()
    waiting = [(result, False)]
    while waiting:
        tape, done = waiting.pop()
        if done:
            order.append(tape)
        elif id(tape) not in seen:
            seen.add(id(tape))
            waiting += [(tape, True), *((operand, False) for operand, _ in tape.operands)]
    return order


def _unary(value: Any, x: Any, pull: Pull) -> Any:
    """Return a tape for a tape, a plain value for a plain value."""
    return Tape(value, [(x, pull)]) if isinstance(x, Tape) else value


def _binary(function: Any, x: Any, y: Any, pull_x: Any, pull_y: Any) -> Any:
    a, b = _value(x), _value(y)
    pairs = [(x, pull_x), (y, pull_y)]
    operands = [
        (parent, lambda g, pull=pull, shape=parent.shape: _summed_to(shape, pull(g, a, b)))
        for parent, pull in pairs
        if isinstance(parent, Tape)
    ]
    return Tape(function(a, b), operands) if operands else function(a, b)


def _value(x: Any) -> TapeArray:
    return x.value if isinstance(x, Tape) else np.asarray(x, np.float64)


def _summed_to(shape: tuple[int, ...], gradient: TapeArray) -> TapeArray:
    """Undo broadcasting."""
    extra = gradient.sum(tuple(range(gradient.ndim - len(shape))))
    stretched = tuple(axis for axis, length in enumerate(shape) if length == 1)
    return np.asarray(extra.sum(stretched, keepdims=True)).reshape(shape)


def _spread(gradient: TapeArray, x: TapeArray, axis: Any, keepdims: bool) -> TapeArray:
    """Undo a sum."""
    if axis is not None and not keepdims:
        gradient = np.expand_dims(gradient, axis)
    return np.broadcast_to(gradient, x.shape)


class TapeNamespace:
    """`nst.protocols.Namespace` on tapes and NumPy's arrays."""

    def sum(self, x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Any:
        """As NumPy's."""
        a = _value(x)
        return _unary(a.sum(axis, keepdims=keepdims), x, lambda g: _spread(g, a, axis, keepdims))

    def mean(self, x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Any:
        """As NumPy's."""
        total = self.sum(x, axis=axis, keepdims=keepdims)
        return total * (_value(total).size / _value(x).size)

    def square(self, x: Any, /) -> Any:
        """As NumPy's."""
        return x * x

    def sqrt(self, x: Any, /) -> Any:
        """As NumPy's, its slope infinite at 0."""
        root = np.sqrt(_value(x))
        return _unary(root, x, lambda g: g / (2 * root))

    def abs(self, x: Any, /) -> Any:
        """As NumPy's, its slope 0 at 0."""
        a = _value(x)
        return _unary(np.abs(a), x, lambda g: g * np.sign(a))

    def maximum(self, x: Any, y: Any, /) -> Any:
        """As NumPy's, the slope going to `x` where both are alike."""
        return _binary(np.maximum, x, y, lambda g, a, b: g * (a >= b), lambda g, a, b: g * (a < b))

    def reshape(self, x: Any, shape: tuple[int, ...], /) -> Any:
        """As NumPy's."""
        a = _value(x)
        return _unary(a.reshape(shape), x, lambda g: g.reshape(a.shape))

    def permute_dims(self, x: Any, axes: tuple[int, ...], /) -> Any:
        """As NumPy's."""
        return _unary(_value(x).transpose(axes), x, lambda g: g.transpose(np.argsort(axes)))

    def matmul(self, x: Any, y: Any, /) -> Any:
        """As NumPy's, of matrices, stacks of them, and vectors."""
        rows = x if len(x.shape) > 1 else self.reshape(x, (1, -1))
        columns = y if len(y.shape) > 1 else self.reshape(y, (-1, 1))
        product = _binary(
            np.matmul,
            rows,
            columns,
            lambda g, a, b: g @ b.swapaxes(-1, -2),
            lambda g, a, b: a.swapaxes(-1, -2) @ g,
        )
        shape = np.matmul(_value(x), _value(y)).shape
        return self.reshape(product, shape)

    def concat(self, arrays: Sequence[Any], /, *, axis: int = 0) -> Any:
        """As NumPy's."""
        ends = np.cumsum([array.shape[axis] for array in arrays])[:-1]
        operands = [
            (array, lambda g, n=n: np.split(g, ends, axis)[n])
            for n, array in enumerate(arrays)
            if isinstance(array, Tape)
        ]
        joined = np.concatenate([_value(array) for array in arrays], axis)
        return Tape(joined, operands) if operands else joined

    def eye(self, n: int, /) -> Any:
        """As NumPy's."""
        return np.eye(n)

    def sort(self, x: Any, /, *, axis: int = -1) -> Any:
        """As NumPy's."""
        a = _value(x)
        order = np.argsort(a, axis, kind="stable")

        def pull(g: TapeArray) -> TapeArray:
            return np.take_along_axis(g, np.argsort(order, axis, kind="stable"), axis)

        return _unary(np.take_along_axis(a, order, axis), x, pull)
