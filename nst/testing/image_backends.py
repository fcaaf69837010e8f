"""Test the requirements on networks that stylize in one pass: `nst.protocols.ImageBackend`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pytest

from nst.protocols import ImageBackend, Pixels
from nst.specs import BackendSpec
from nst.testing.backends import BackendSuite
from nst.testing.options import bounds
from nst.testing.pictures import assert_pixels, photo

SIZES = [((32, 48), (40, 40)), ((37, 29), (53, 31)), ((1, 40), (3, 60)), ((1, 1), (1, 1))]


class ImageBackendSuite(BackendSuite):
    """Tests of networks that stylize in one pass. `weights` and `backend` may be overridden."""

    backend_kind = "image"

    tolerance: ClassVar[float] = 1e-3
    """Of pixels 0..1 that should be alike: a quarter of the least step of 8 bits, 1/255."""

    def paint(
        self,
        backend: ImageBackend,
        *styles: Pixels,
        content: Pixels | None = None,
        blend: Sequence[float] = (),
        style_scale: float = 1.0,
    ) -> Pixels:
        """Stylize a content with a backend, by default with equal shares of the styles."""
        shares = blend or [1 / len(styles)] * len(styles)
        content = photo(32, 48) if content is None else content
        return backend.stylize(content, styles, blend=shares, style_scale=style_scale)

    @pytest.mark.parametrize(("content", "style"), SIZES, ids=lambda size: "{}x{}".format(*size))
    def test_gives_pixels_of_the_content_s_size(
        self, backend: ImageBackend, content: tuple[int, int], style: tuple[int, int]
    ) -> None:
        """The content in the manner of the styles, as `Pixels` of the content's size."""
        assert_pixels(self.paint(backend, photo(*style, seed=1), content=photo(*content)), content)

    def test_another_style_gives_another_picture(self, backend: ImageBackend) -> None:
        """Another style gives another picture."""
        pictures = [self.paint(backend, photo(40, 40, seed=seed) * shade) for seed, shade in ((1, 0.4), (2, 1))]
        assert np.abs(pictures[0] - pictures[1]).max() > self.tolerance

    def test_style_of_share_0_leaves_no_trace(self, backend: ImageBackend) -> None:
        """`blend` holds the styles' shares, summing to 1; a style of share 0 leaves no trace, and the order of the
        styles means nothing.
        """
        first, second = photo(40, 40, seed=1) * 0.4, photo(40, 40, seed=2)
        alone = self.paint(backend, first)
        for pictures, blend in (((first, second), (1.0, 0.0)), ((second, first), (0.0, 1.0))):
            painted = self.paint(backend, *pictures, blend=blend)
            np.testing.assert_allclose(painted, alone, rtol=0, atol=self.tolerance)

    def test_order_of_styles_means_nothing(self, backend: ImageBackend) -> None:
        """`blend` holds the styles' shares, summing to 1; a style of share 0 leaves no trace, and the order of the
        styles means nothing.
        """
        first, second = photo(40, 40, seed=1) * 0.4, photo(40, 40, seed=2)
        one = self.paint(backend, first, second, blend=(0.3, 0.7))
        other = self.paint(backend, second, first, blend=(0.7, 0.3))
        np.testing.assert_allclose(one, other, rtol=0, atol=self.tolerance)

    def test_style_may_be_scaled(self, backend: ImageBackend) -> None:
        """`style_scale` is the styles' size relative to the picture's, above and below 1."""
        for scale in (0.25, 0.5, 2.0, 4.0):
            assert_pixels(self.paint(backend, photo(40, 30, seed=1), style_scale=scale), (32, 48))

    def test_inputs_are_not_written_to_nor_shared(self, backend: ImageBackend) -> None:
        """The inputs are not written to, nor shared with the result."""
        content, style = photo(32, 48), photo(40, 40, seed=1)
        painted = self.paint(backend, style, content=content)
        painted[:] = 0.123
        np.testing.assert_array_equal(content, photo(32, 48))
        np.testing.assert_array_equal(style, photo(40, 40, seed=1))

    def test_same_pictures_give_the_same_picture(self, backend: ImageBackend) -> None:
        """On the CPU the same pictures give the same picture."""
        pictures = [self.paint(backend, photo(40, 40, seed=1)) for _ in range(2)]
        np.testing.assert_array_equal(pictures[0], pictures[1])

    def test_every_allowed_value_of_an_option_works(self, spec: BackendSpec, weights: Any) -> None:
        """Every value that is allowed works."""
        for options in bounds(spec):
            assert_pixels(self.paint(self.build(spec, weights, **options), photo(40, 40, seed=1)), (32, 48))
