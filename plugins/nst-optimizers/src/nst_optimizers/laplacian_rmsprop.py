"""RMSprop on the levels of a Laplacian pyramid, as STROTSS does (Kolkin, Salavon & Shakhnarovich 2019, section 2.5).

The variables are images of halving size; the picture is their sum, each enlarged bilinearly. One step of a coarse level
moves a whole patch, so that colors and large shapes travel far while fine structure settles.

The levels themselves are not kept: enlarging is linear, and the gradient at a level depends on the picture alone, so a
step of the levels is a step of the picture. Written against the array API: NumPy, and torch on any device.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import prod

from array_api_compat import array_namespace, device

from nst.protocols import Array, Iterate, Objective, State

Size = tuple[int, int]


def laplacian_rmsprop(
    objective: Objective,
    image: Array,
    *,
    state: State | None = None,
    step_scale: float = 1.0,
    lr: float = 0.002,
    alpha: float = 0.99,
    levels: int = 6,
    epsilon: float = 1e-8,
) -> Iterator[Iterate]:
    """Yield steps of about `lr` times `step_scale` per pixel of each level, of 0..1, without end; longer at first.

    `alpha` is how much of each level's running mean square gradient is kept each step, `epsilon` is added to its root.
    `levels` counts the picture's own; there are fewer where the short side gets to one pixel first. One level is plain
    RMSprop (Tieleman & Hinton 2012), as torch has it.
    """
    sizes = _sizes(image.shape[:2], levels)
    squares = _restore(state, image, sizes)
    gradient = objective(image).gradient
    while True:
        gradients = _gather(gradient, sizes)
        squares = [alpha * square + (1 - alpha) * level**2 for square, level in zip(squares, gradients, strict=True)]
        image = image - lr * step_scale * _sum(_directions(gradients, squares, epsilon), sizes)
        evaluation = objective(image)
        yield Iterate(image, evaluation, _state(squares, image))
        gradient = evaluation.gradient


def _directions(gradients: Sequence[Array], squares: Sequence[Array], epsilon: float) -> list[Array]:
    sqrt = array_namespace(gradients[0]).sqrt
    return [gradient / (sqrt(square) + epsilon) for gradient, square in zip(gradients, squares, strict=True)]


def _sizes(size: Size, levels: int) -> list[Size]:
    """(height, width) of each level, fine to coarse: half the finer one's, rounded up."""
    sizes = [size]
    while len(sizes) < levels and min(sizes[-1]) > 1:
        height, width = sizes[-1]
        sizes.append((-(-height // 2), -(-width // 2)))
    return sizes


def _sum(levels: Sequence[Array], sizes: Sequence[Size]) -> Array:
    """Return the image whose Laplacian pyramid is `levels`, fine to coarse."""
    total = levels[-1]
    for level, size in zip(levels[-2::-1], sizes[-2::-1], strict=True):
        total = level + _on_both_sides(_enlarge, total, size)
    return total


def _gather(gradient: Array, sizes: Sequence[Size]) -> list[Array]:
    """Apply the adjoint of `_sum`: turn the image's gradient into the gradient of each level."""
    gradients = [gradient]
    for size in sizes[1:]:
        gradients.append(_on_both_sides(_gather_rows, gradients[-1], size))
    return gradients


def _on_both_sides(resize: Callable[[Array, int], Array], image: Array, size: Size) -> Array:
    """Rows, then columns, of an image `(H, W, 3)` brought to `size`."""
    swap = array_namespace(image).permute_dims
    rows = resize(image, size[0])
    return swap(resize(swap(rows, (1, 0, 2)), size[1]), (1, 0, 2))


def _enlarge(image: Array, rows: int) -> Array:
    """Twice the rows, bilinearly between the centers of the old ones and flat beyond, cut to `rows`."""
    xp = array_namespace(image)
    above = xp.concat([image[:1], image[:-1]])
    below = xp.concat([image[1:], image[-1:]])
    both = xp.stack([0.75 * image + 0.25 * above, 0.75 * image + 0.25 * below], axis=1)
    return xp.reshape(both, (-1, *image.shape[1:]))[:rows]


def _gather_rows(image: Array, rows: int) -> Array:
    """Apply the adjoint of `_enlarge`: each of the `rows` old rows gets back what it gave, with the same weights."""
    xp = array_namespace(image)
    cut = xp.zeros_like(image[: 2 * rows - image.shape[0]])
    pairs = xp.reshape(xp.concat([image, cut]), (rows, 2, *image.shape[1:]))
    upper, lower = pairs[:, 0], pairs[:, 1]
    outer = xp.concat([upper[1:], lower[-1:]]) + xp.concat([upper[:1], lower[:-1]])
    return 0.75 * (upper + lower) + 0.25 * outer


def _state(squares: Sequence[Array], image: Array) -> State:
    """Return the finest level's mean squares, and all others in `coarser`, shaped like the image.

    Together they are smaller than the image; zeros fill the rest.
    """
    xp = array_namespace(image)
    flat = [xp.reshape(square, (-1,)) for square in squares[1:]]
    rest = xp.zeros_like(xp.reshape(image, (-1,))[sum(square.shape[0] for square in flat) :])
    return {"finest": squares[0], "coarser": xp.reshape(xp.concat([*flat, rest]), image.shape)}


def _restore(state: State | None, image: Array, sizes: Sequence[Size]) -> list[Array]:
    """Return the mean squares of each level on the image's device: the values of `_state`, or zeros."""
    xp = array_namespace(image)
    if not state:
        return [xp.zeros((*size, 3), dtype=image.dtype, device=device(image)) for size in sizes]
    finest, coarser = (xp.asarray(state[name], device=device(image)) for name in ("finest", "coarser"))
    flat, squares = xp.reshape(coarser, (-1,)), [finest]
    for shape in ((*size, 3) for size in sizes[1:]):
        squares.append(xp.reshape(flat[: prod(shape)], shape))
        flat = flat[prod(shape) :]
    return squares


def state_bytes(image: int, steps: int, **_: object) -> int:
    """Bytes of the state for an image of so many bytes, after any number of steps."""
    return 2 * image
