"""Style terms whose targets a loss matches once per size: one target for each position of each layer.

Matching happens on the host, outside the gradient. The engine extracts the features, and each layer of the matched
loss is then a pointwise loss towards its target map: tiles, masks and resumed runs follow.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from nst.engine.masks import Area, everywhere, inside
from nst.engine.terms import TINY, PointwiseTerm, Region, WeightedLoss, energy, extract
from nst.engine.tiling import Tile, cut
from nst.errors import WrongAnswer
from nst.geometry import Layer
from nst.protocols import FeatureBackend, MatchedLoss, Pixels, Tensor

Images = tuple[Pixels, Pixels | None]


class FeatureMaps(Mapping[str, NDArray[np.float32]]):
    """Features of `image` by layer, `(H_l, W_l, C_l)` float32 in NumPy, extracted when a layer is read.

    Reading all layers takes one pass through the network, in tiles of `tile` pixels one pass for each layer. A layer
    that was read is not kept. `strides` are the pixels from one position to the next, by layer. `shapes` are the shapes
    of the layers that have been read.
    """

    def __init__(self, backend: FeatureBackend, image: Pixels, layers: Collection[Layer], tile: int = 0) -> None:
        self.image = image
        self.strides = {layer.name: layer.stride for layer in layers}
        self.shapes: dict[str, tuple[int, ...]] = {}
        self._backend, self._tile, self._layers = backend, tile, {layer.name: layer for layer in layers}
        self._unread: dict[str, Tensor] = {}

    def __iter__(self) -> Iterator[str]:
        """Yield the names of the layers."""
        return iter(self._layers)

    def __len__(self) -> int:
        """Return the number of layers."""
        return len(self._layers)

    def __getitem__(self, layer: str) -> NDArray[np.float32]:
        """Return the features of a layer; raises `KeyError` for a layer that was not asked for."""
        features = self._read(layer)
        self.shapes[layer] = features.shape
        return features

    def _read(self, layer: str) -> NDArray[np.float32]:
        layers = tuple(self._layers.values())
        tiles = cut((self.image.shape[0], self.image.shape[1]), self._tile, layers)
        if len(tiles) > 1:
            return self._in_tiles(self._layers[layer], tiles)
        if layer not in self._unread:
            features = extract(self._backend, self._backend.asarray(self.image), layers)
            self._unread = {layer.name: values for layer, values in features.items()}
        return self._backend.to_host(self._unread.pop(layer))

    def _in_tiles(self, layer: Layer, tiles: Sequence[Tile]) -> NDArray[np.float32]:
        """Put the features together from the cores of the tiles, row by row."""
        image = self._backend.asarray(self.image)
        rows: dict[int, list[NDArray[np.float32]]] = {}
        for tile in tiles:
            core = extract(self._backend, image[tile.box], [layer])[layer][tile.core(layer.stride)]
            rows.setdefault(tile.rows.start, []).append(self._backend.to_host(core))
        return np.concatenate([np.concatenate(row, axis=1) for row in rows.values()])


def matched_terms(
    backend: FeatureBackend, use: WeightedLoss, region: Region, images: Images, tiles: Sequence[Tile], tile: int = 0
) -> list[PointwiseTerm]:
    """Return one term per layer of a matched loss, its targets the loss's own choice of features for each position.

    `images` are the content and the picture so far, None at the first size.
    `tiles` cut the image; images larger than `tile` pixels (0: no limit) are looked at in tiles too.
    """
    query = FeatureMaps(backend, use.loss.query(*images), use.layers, tile)  # type: ignore[union-attr]
    terms = []
    layers = {layer.name: layer for layer in use.layers}
    for name, target in _match(backend, use, region, query, tile):
        _require_target(use, name, target, query)
        terms.append(_term(backend, use, region, layers[name], target, tiles))
    if missing := layers.keys() - {term.layer.name for term in terms}:
        raise _wrong(use, f"matched no target for {', '.join(sorted(missing))}")
    return terms


def _match(
    backend: FeatureBackend, use: WeightedLoss, region: Region, query: FeatureMaps, tile: int
) -> Iterator[tuple[str, NDArray[np.float32]]]:
    loss: MatchedLoss = use.loss  # type: ignore[assignment]
    images = [image for style in region.styles for image in loss.references(style)]
    styles = [FeatureMaps(backend, np.ascontiguousarray(image), use.layers, tile) for image in images]
    targets = loss.match(query, styles, region.blend)
    yield from targets.items() if isinstance(targets, Mapping) else targets


def _wrong(use: WeightedLoss, message: str) -> WrongAnswer:
    return WrongAnswer("loss", message, use.name.partition(" ")[0])


def _require_target(use: WeightedLoss, layer: str, target: NDArray[np.float32], query: FeatureMaps) -> None:
    """Raise `WrongAnswer` for a target that is no map of finite numbers for a layer of the loss."""
    if layer not in query:
        raise _wrong(use, f"gave a target for {layer}, which is none of its layers")
    if target.shape != (shape := query.shapes.get(layer) or query[layer].shape):
        raise _wrong(use, f"gave a target of shape {target.shape} for {layer}, whose features are {shape}")
    if not np.isfinite(target).all():
        raise _wrong(use, f"gave a target for {layer} that is not finite")


def _term(
    backend: FeatureBackend,
    use: WeightedLoss,
    region: Region,
    layer: Layer,
    target: NDArray[np.float32],
    tiles: Sequence[Tile],
) -> PointwiseTerm:
    loss: MatchedLoss = use.loss  # type: ignore[assignment]
    step, area = layer.stride, everywhere(backend, tiles, layer)
    if region.mask is not None:
        masked = inside(backend, region.mask, tiles, layer)
        # A tile without a part in the mask has weights of 1, for statistics.
        weights = [w if share else 0 * w for w, share in zip(masked.weights, masked.shares, strict=True)]  # type: ignore[operator]
        area = Area(weights, area.shares)
    rims = [backend.asarray(np.ascontiguousarray(target[tile.rim_in_image(step)])) for tile in tiles]
    energies = (energy(backend.xp, loss, rim, tile, layer) for rim, tile in zip(rims, tiles, strict=True))
    mean = sum(share * value for share, value in zip(area.shares, energies, strict=True))
    weight = use.weight * use.layers[layer] / max(mean, TINY)
    return PointwiseTerm(f"{use.name} {region.name}".strip() + f" {layer}", layer, loss, weight, rims, area)
