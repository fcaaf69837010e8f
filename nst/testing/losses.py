"""Test the requirements on losses: `nst.specs.LossSpec`, and the protocol of its shape in `nst.protocols`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from nst.errors import NstError
from nst.protocols import Pixels
from nst.specs import LossSpec
from nst.testing.options import bounds
from nst.testing.suite import Suite, said_of
from nst.testing.tape import Tape, TapeArray, TapeNamespace, gradient
from nst.vgg.reference import ReferenceVGG

PLAIN = ReferenceVGG.xp
TINY = 1e-12  # what the objective, too, holds against a target without energy
POINTWISE = ("pointwise", "matched")  # the shapes that have `difference` and `energy`
AVERAGING = ("statistic", "whole")  # the shapes that have `statistic` and `distance`
AIMED = ("style", "content")  # the roles that have a target


@dataclass(frozen=True)
class HostFeatures:
    """`nst.protocols.Features` from arrays on the host."""

    image: Pixels
    strides: Mapping[str, int]
    maps: Mapping[str, NDArray[np.float32]]

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of each layer's features."""
        return {name: features.shape for name, features in self.maps.items()}

    def __getitem__(self, layer: str) -> NDArray[np.float32]:
        """Return the features of a layer."""
        return self.maps[layer]

    def __iter__(self) -> Iterator[str]:
        """Yield the names of the layers."""
        return iter(self.maps)


Sizes = [(6, 8), (5, 7), (1, 9), (7, 1), (1, 1)]


class LossSuite(Suite):
    """Tests of losses, in NumPy alone: no backend is needed. `make_features` may be overridden."""

    kind = "loss"

    tolerance: ClassVar[float] = 1e-9
    """Of numbers that should be alike, relative: sums of a thousand numbers in float64 are good to 1e-13."""

    zero: ClassVar[float] = 1e-5
    """What counts as 0 at the target. A loss is about 1 for a picture that is unlike, and meant for float32."""

    scale_tolerance: ClassVar[float] = 1e-3
    """Of a loss with all multiplied by 0.1 and by 100, or doubled, relative: what keeps a division from 0 may be felt
    that much."""

    @pytest.fixture
    def loss(self, spec: LossSpec) -> Any:
        """Return the loss under test."""
        return spec.load()(**self.settings(spec))

    def make_features(self, seed: int, height: int = 6, width: int = 8, channels: int = 3) -> TapeArray:
        """Return features of a picture `(H, W, C)`: both signs, each channel with its own mean and spread."""
        rng = np.random.default_rng(seed)
        spreads, means = rng.uniform(0.2, 1, channels), rng.uniform(-0.5, 1, channels)
        return rng.normal(size=(height, width, channels)) * spreads + means

    def value(self, spec: LossSpec, loss: Any, features: Any, target: Any, xp: Any = PLAIN) -> Any:
        """Return the scalar that the objective takes of a loss."""
        if spec.shape in AVERAGING:
            return loss.distance(xp, loss.statistic(xp, features, None), loss.statistic(xp, target, None))
        energy = loss.energy(xp, target)
        mean = energy if isinstance(energy, float) else xp.mean(energy)
        mean = float(mean.value if isinstance(mean, Tape) else mean)
        return xp.mean(loss.difference(xp, features, target)) * (1 / max(mean, TINY))

    def slope(self, spec: LossSpec, loss: Any, features: TapeArray, target: TapeArray) -> TapeArray:
        """Return the gradient with respect to the features, as a framework computes it."""
        leaf = Tape(features)
        with np.errstate(all="ignore"):
            return gradient(self.value(spec, loss, leaf, target, TapeNamespace()), leaf)

    def test_calls_nothing_but_its_namespace(self, spec: LossSpec, loss: Any) -> None:
        """A loss calls nothing but its `Namespace`."""
        features, target = self.make_features(0), self.make_features(1)
        taped = self.value(spec, loss, Tape(features), Tape(target), TapeNamespace())
        plain = self.value(spec, loss, features, target)
        assert float(taped.value) == pytest.approx(float(plain), rel=self.tolerance)

    def test_is_a_number_of_0_or_more(self, spec: LossSpec, loss: Any) -> None:
        """It is a number of 0 or more."""
        for seed in range(5):
            value = self.value(spec, loss, self.make_features(seed), self.make_features(9))
            assert np.shape(value) == ()
            assert value >= 0

    @said_of(role=AIMED)
    def test_is_0_at_its_target(self, spec: LossSpec, loss: Any) -> None:
        """It is 0 at its target."""
        for seed in range(3):
            value = self.value(spec, loss, self.make_features(seed), self.make_features(seed))
            assert abs(value) <= self.zero

    @said_of(role=AIMED)
    def test_is_above_0_where_features_are_unlike(self, spec: LossSpec, loss: Any) -> None:
        """It is above 0 where features and target are unlike."""
        assert self.value(spec, loss, self.make_features(0), self.make_features(1)) > 100 * self.zero

    @said_of(role=AIMED)
    def test_stays_the_same_when_all_is_multiplied(self, spec: LossSpec, loss: Any) -> None:
        """It stays the same when features and target are multiplied alike."""
        features, target = self.make_features(0), self.make_features(1)
        expected = float(self.value(spec, loss, features, target))
        for scale in (0.1, 100.0):
            value = self.value(spec, loss, scale * features, scale * target)
            assert value == pytest.approx(expected, rel=self.scale_tolerance)

    @said_of(role=AIMED)
    @pytest.mark.parametrize("axis", range(3), ids=("rows", "columns", "channels"))
    def test_stays_the_same_when_all_is_there_twice(self, spec: LossSpec, loss: Any, axis: int) -> None:
        """It stays the same when every row, column or channel is there twice, so that a weight means the same at any
        size and any number of channels.
        """
        pair = self.make_features(0), self.make_features(1)
        value = self.value(spec, loss, *(features.repeat(2, axis) for features in pair))
        assert value == pytest.approx(float(self.value(spec, loss, *pair)), rel=self.scale_tolerance)

    @said_of(role=AIMED)
    def test_takes_any_number_of_channels(self, spec: LossSpec, loss: Any) -> None:
        """It takes any number of channels."""
        for channels in (1, 2, 5, 33):
            features, target = (self.make_features(seed, channels=channels) for seed in (0, 1))
            assert np.isfinite(self.value(spec, loss, features, target))
            assert np.isfinite(self.slope(spec, loss, features, target)).all()

    @pytest.mark.parametrize("size", Sizes, ids="{0[0]}x{0[1]}".format)
    def test_takes_pictures_of_any_size(self, spec: LossSpec, loss: Any, size: tuple[int, int]) -> None:
        """It takes pictures of any size, a single position too."""
        features, target = (self.make_features(seed, *size) for seed in (0, 1))
        assert np.isfinite(self.value(spec, loss, features, target))
        assert np.isfinite(self.slope(spec, loss, features, target)).all()

    @said_of(role=AIMED)
    def test_gradient_is_finite_at_the_target(self, spec: LossSpec, loss: Any) -> None:
        """Its gradient is finite at the target."""
        assert np.isfinite(self.slope(spec, loss, self.make_features(0), self.make_features(0))).all()

    @pytest.mark.parametrize("look", [0.0, 0.5, "one channel black"])
    def test_gradient_is_finite_on_black_and_flat_pictures(self, spec: LossSpec, loss: Any, look: Any) -> None:
        """Its gradient is finite on black and flat pictures."""
        photo, flat = self.make_features(0), self.make_features(1)
        if isinstance(look, str):
            flat[..., 0] = 0
        else:
            flat[:] = look
        for features, target in ((photo, flat), (flat, photo), (flat, flat)):
            assert np.isfinite(self.value(spec, loss, features, target))
            assert np.isfinite(self.slope(spec, loss, features, target)).all()

    def test_what_it_is_given_is_not_written_to(self, spec: LossSpec, loss: Any) -> None:
        """What it is given is not written to."""
        features, target = self.make_features(0), self.make_features(1)
        self.value(spec, loss, features, target)
        np.testing.assert_array_equal(features, self.make_features(0))
        np.testing.assert_array_equal(target, self.make_features(1))

    def test_same_features_give_the_same_number(self, spec: LossSpec, loss: Any) -> None:
        """The same features give the same number."""
        features, target = self.make_features(0), self.make_features(1)
        another = spec.load()(**self.settings(spec))
        assert len({float(self.value(spec, instance, features, target)) for instance in (loss, loss, another)}) == 1

    def test_every_allowed_value_of_an_option_works(self, spec: LossSpec) -> None:
        """Every value that is allowed works."""
        for options in bounds(spec):
            loss = spec.load()(**self.settings(spec) | options)
            assert np.isfinite(self.value(spec, loss, self.make_features(0), self.make_features(1))), options

    @said_of(shape=("statistic",))
    def test_statistic_is_the_mean_of_its_tiles(self, loss: Any) -> None:
        """So the statistic of a picture is the mean of its tiles', weighted by their positions."""
        features = self.make_features(0)
        tiles = [features[:4, :3], features[:4, 3:], features[4:, :3], features[4:, 3:]]
        shares = [tile[..., 0].size / features[..., 0].size for tile in tiles]
        mean = sum(share * loss.statistic(PLAIN, tile, None) for share, tile in zip(shares, tiles, strict=True))
        self._alike(mean, loss.statistic(PLAIN, features, None))

    @said_of(shape=("statistic",))
    def test_statistic_weights_each_position(self, loss: Any) -> None:
        """A mean over positions of `features` `(H, W, C)`, each position weighted by `weight` `(H, W)` if given."""
        features = self.make_features(0, 4, 5)
        weight = np.random.default_rng(1).uniform(0.1, 1, (4, 5))
        parts = (
            weight[i, j] * loss.statistic(PLAIN, features[i : i + 1, j : j + 1], None) for i, j in np.ndindex(4, 5)
        )
        self._alike(loss.statistic(PLAIN, features, weight), sum(parts) / weight.sum())

    @said_of(shape=("statistic",))
    def test_even_weight_is_no_weight(self, loss: Any) -> None:
        """An even weight is no weight."""
        features = self.make_features(0)
        for weight in (1.0, 3.0):
            statistic = loss.statistic(PLAIN, features, np.full(features.shape[:2], weight))
            self._alike(statistic, loss.statistic(PLAIN, features, None))

    @said_of(shape=("statistic",))
    def test_weight_of_ones_and_zeros_leaves_the_ones(self, loss: Any) -> None:
        """A weight of ones and zeros leaves the positions that have ones."""
        features = self.make_features(0)
        weight = (np.random.default_rng(2).uniform(size=features.shape[:2]) < 0.4).astype(np.float64)
        chosen = features[weight == 1][:, None]
        self._alike(loss.statistic(PLAIN, features, weight), loss.statistic(PLAIN, chosen, None))

    @said_of(shape=("whole",))
    def test_weight_is_refused_where_the_statistic_is_no_mean(self, loss: Any) -> None:
        """such a loss looks at the whole picture at once, and raises `NstError` for a weight."""
        with pytest.raises(NstError):
            loss.statistic(PLAIN, self.make_features(0), np.ones((6, 8)))

    def _alike(self, value: Any, expected: Any) -> None:
        scale = np.abs(expected).max()
        np.testing.assert_allclose(value / scale, expected / scale, rtol=0, atol=self.tolerance)

    @said_of(shape=POINTWISE)
    def test_difference_is_a_number_of_0_or_more_at_each_position(self, loss: Any) -> None:
        """`(H, W)`, at least 0, and 0 where `features` `(H, W, C)` are like `target`, shaped alike."""
        difference = loss.difference(PLAIN, self.make_features(0), self.make_features(1))
        assert difference.shape == (6, 8)
        assert difference.min() >= 0

    @said_of(shape=POINTWISE, role=AIMED)
    def test_difference_is_0_where_features_are_like_the_target(self, loss: Any) -> None:
        """`(H, W)`, at least 0, and 0 where `features` `(H, W, C)` are like `target`, shaped alike."""
        features, target = self.make_features(0), self.make_features(1)
        features[:, 4:] = target[:, 4:]
        difference = loss.difference(PLAIN, features, target)
        assert np.abs(difference[:, 5:]).max() <= self.zero  # one column is the border
        assert difference[:, :3].max() > 0

    @said_of(shape=POINTWISE)
    def test_tile_has_the_difference_of_the_whole(self, loss: Any) -> None:
        """Each is of its own position and the next ones: a tile has the difference of the whole, but for a border of
        one.
        """
        features, target = self.make_features(0, 12, 14), self.make_features(1, 12, 14)
        difference = loss.difference(PLAIN, features, target)
        tile = loss.difference(PLAIN, features[2:9, 3:12], target[2:9, 3:12])
        np.testing.assert_allclose(tile[1:-1, 1:-1], difference[3:8, 4:11], rtol=self.tolerance, atol=self.tolerance)

    @said_of(shape=POINTWISE)
    def test_energy_is_a_float_or_one_number_per_position(self, loss: Any) -> None:
        """What the mean difference is divided by: the mean over positions of this `(H, W)`, or a float."""
        energy = loss.energy(PLAIN, self.make_features(1))
        assert isinstance(energy, float) or energy.shape == (6, 8)
        assert np.mean(energy) > 0

    def make_maps(self, seed: int, height: int = 12, width: int = 16) -> HostFeatures:
        """Return features of an image `(height, width)` on the host: a layer of each stride from 1 to 4."""
        image = np.random.default_rng(seed).uniform(size=(height, width, 3)).astype(np.float32)
        strides = {"fine": 1, "middle": 2, "coarse": 4}
        maps = {
            name: self.make_features(seed + step, height // step, width // step, 2 + step).astype(np.float32)
            for name, step in strides.items()
        }
        return HostFeatures(image, strides, maps)

    def targets(self, loss: Any, query: HostFeatures, styles: Sequence[HostFeatures]) -> dict[str, Any]:
        """Return the target maps of a matched loss by layer, each style image having its number of references."""
        count = len(loss.references(styles[0].image))
        shares = [count / len(styles)] * (len(styles) // count)
        return dict(loss.match(query, styles, shares))

    def make_styles(self, loss: Any, seeds: Sequence[int] = (1,)) -> list[HostFeatures]:
        """Return the features of the references of one style image for each seed, each of another height."""
        references = range(len(loss.references(self.make_maps(1).image)))
        return [self.make_maps(10 * seed + turn, 8 + 4 * seed) for seed in seeds for turn in references]

    @said_of(shape=("matched",))
    def test_query_is_of_the_size_of_the_content(self, loss: Any) -> None:
        """Return the image whose features ask for matches, of the content's size."""
        content, image = self.make_maps(0).image, self.make_maps(1).image
        for query in (loss.query(content, image), loss.query(content, None)):
            assert query.shape == content.shape
            assert query.dtype == np.float32

    @said_of(shape=("matched",))
    def test_target_is_shaped_like_the_features_of_the_query(self, loss: Any) -> None:
        """Return a target map `(H_l, W_l, C_l)` for each layer of `query`, shaped like its features there."""
        for size in ((12, 16), (13, 7), (4, 4)):
            query = self.make_maps(0, *size)
            targets = self.targets(loss, query, self.make_styles(loss, (1, 2)))
            assert {name: target.shape for name, target in targets.items()} == {
                name: query[name].shape for name in query
            }
            assert all(np.isfinite(target).all() for target in targets.values())

    @said_of(shape=("matched",))
    def test_same_features_give_the_same_targets(self, spec: LossSpec, loss: Any) -> None:
        """The same features give the same targets."""
        another = spec.load()(**self.settings(spec))
        first, second = (self.targets(own, self.make_maps(0), self.make_styles(own)) for own in (loss, another))
        for name, target in first.items():
            np.testing.assert_array_equal(target, second[name])

    @said_of(shape=("matched",))
    def test_features_of_a_match_are_not_written_to(self, loss: Any) -> None:
        """A match writes to no features."""
        query, styles = self.make_maps(0), self.make_styles(loss)
        self.targets(loss, query, styles)
        for maps, fresh in zip((query, *styles), (self.make_maps(0), *self.make_styles(loss)), strict=True):
            for name in maps:
                np.testing.assert_array_equal(maps[name], fresh[name])
