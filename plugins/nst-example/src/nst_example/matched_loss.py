"""A matched loss: each position is drawn towards the features of the style's position that is most like it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from nst.protocols import Features, Namespace, Pixels, Tensor
from numpy.typing import NDArray

Map = NDArray[np.float32]


class Nearest:
    """Nearest neighbors by cosine, layer by layer; the distance is `|f - t|^2 / |t|^2`."""

    def query(self, content: Pixels, image: Pixels | None) -> Pixels:
        """Match the content itself, at every size."""
        return content

    def references(self, style: Pixels) -> Sequence[Pixels]:
        """Take targets from the style image as it is."""
        return [style]

    def match(self, query: Features, styles: Sequence[Features], shares: Sequence[float]) -> Iterator[tuple[str, Map]]:
        """Yield each layer with its target map; styles without a share are left out."""
        for layer in query:
            rows = [style[layer] for style, share in zip(styles, shares, strict=True) if share > 0]
            yield layer, _nearest(query[layer], np.concatenate([row.reshape(-1, row.shape[-1]) for row in rows]))

    def difference(self, xp: Namespace, features: Tensor, target: Tensor) -> Tensor:
        """`(H, W)`: the squared distance of two `(H, W, C)` at each position."""
        return xp.sum(xp.square(features - target), axis=-1)

    def energy(self, xp: Namespace, target: Tensor) -> Tensor:
        """`(H, W)`: the squared length of `target` `(H, W, C)` at each position."""
        return xp.sum(xp.square(target), axis=-1)


def _nearest(features: Map, candidates: Map) -> Map:
    """Replace each of `features` `(H, W, C)` by the most similar of `candidates` `(N, C)`, a row at a time."""
    mean = candidates.mean(axis=0)
    directions = _unit(candidates - mean)
    rows = [candidates[(_unit(row - features.mean(axis=(0, 1))) @ directions.T).argmax(axis=1)] for row in features]
    return np.stack(rows)


def _unit(vectors: Map) -> Map:
    lengths = np.sqrt(np.square(vectors).sum(axis=-1, keepdims=True))
    unit: Map = vectors / np.maximum(lengths, np.float32(1e-12))
    return unit
