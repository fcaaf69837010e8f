"""Test the requirements on initializers: `nst.protocols.Initializer`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from nst.protocols import Pixels
from nst.specs import InitializerSpec
from nst.testing.options import bounds
from nst.testing.pictures import assert_pixels, flat, photo
from nst.testing.suite import Suite

SIZES = [((12, 16), (9, 14)), ((37, 29), (64, 5)), ((1, 17), (1, 1)), ((1, 1), (23, 31))]


class InitializerSuite(Suite):
    """Tests of initializers."""

    kind = "initializer"

    def start(
        self,
        spec: InitializerSpec,
        content: Pixels | None = None,
        styles: Sequence[Pixels] = (),
        seed: int = 0,
        **options: Any,
    ) -> Pixels:
        """Run the initializer on images, by default on two small ones."""
        content = photo(12, 16) if content is None else content
        rng = np.random.default_rng(seed)
        image: Pixels = spec.load()(content, styles or [photo(9, 14, seed=1)], rng, **self.settings(spec) | options)
        return image

    @pytest.mark.parametrize(("content", "style"), SIZES, ids=lambda size: "{}x{}".format(*size))
    def test_gives_pixels_of_the_content_s_size(
        self, spec: InitializerSpec, content: tuple[int, int], style: tuple[int, int]
    ) -> None:
        """`Pixels` of the content's size, drawn with `rng` alone: the same seed gives the same pixels."""
        assert_pixels(self.start(spec, photo(*content), [photo(*style, seed=1)]), content)

    @pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
    def test_takes_flat_contents_and_several_styles(self, spec: InitializerSpec, value: float) -> None:
        """Contents and styles may be of any size, flat, and several."""
        pictures = [photo(8, 10, seed=1), flat(value, 6, 4)]
        for content in (photo(8, 10), flat(value, 8, 10)):
            assert_pixels(self.start(spec, content, pictures), (8, 10))
            assert_pixels(self.start(spec, content, pictures[1:]), (8, 10))

    def test_same_seed_gives_the_same_pixels(self, spec: InitializerSpec) -> None:
        """`Pixels` of the content's size, drawn with `rng` alone: the same seed gives the same pixels."""
        starts = []
        for _ in range(2):
            np.random.seed(0)
            starts.append(self.start(spec, seed=3))
        np.testing.assert_array_equal(starts[0], starts[1])

    def test_global_generator_means_nothing_and_is_left_alone(self, spec: InitializerSpec) -> None:
        """NumPy's global generator means nothing to it and is left alone."""
        starts = []
        for seed in (0, 1):
            np.random.seed(seed)
            starts.append(self.start(spec, seed=3))
            drawn = np.random.random()
            np.random.seed(seed)
            assert drawn == np.random.random()
        np.testing.assert_array_equal(starts[0], starts[1])

    def test_inputs_are_not_written_to_nor_shared(self, spec: InitializerSpec) -> None:
        """The inputs are not written to, nor shared with the result."""
        content, style = photo(12, 16), photo(12, 16, seed=1)
        image = self.start(spec, content, [style])
        image[:] = 0.123
        np.testing.assert_array_equal(content, photo(12, 16))
        np.testing.assert_array_equal(style, photo(12, 16, seed=1))

    def test_every_allowed_value_of_an_option_works(self, spec: InitializerSpec) -> None:
        """Every value that is allowed works."""
        for options in bounds(spec):
            assert_pixels(self.start(spec, **options), (12, 16))
