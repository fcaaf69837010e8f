"""The losses that come with nst, registered through the same hook as anybody else's.

Each is written once, against `nst.protocols.Namespace`, and runs on every feature backend. Each divides by its
target's own energy, so that one weight means one look at any picture size and any number of channels.
"""

from __future__ import annotations

from collections.abc import Iterator

from nst.hookspecs import hookimpl
from nst.specs import LossSpec


@hookimpl
def nst_losses() -> Iterator[LossSpec]:
    """Gram matrices for style, feature differences for content, total variation and range for the picture itself."""
    yield LossSpec(
        name="gram",
        factory="nst.losses.gram:Gram",
        summary="relative squared distance of Gram matrices (Gatys et al. 2016, eq. 3-5)",
        role="style",
        shape="statistic",
    )
    yield LossSpec(
        name="content",
        factory="nst.losses.content:Content",
        summary="relative squared distance of features (Gatys et al. 2016, eq. 1)",
        role="content",
        shape="pointwise",
    )
    yield LossSpec(
        name="total-variation",
        factory="nst.losses.total_variation:TotalVariation",
        summary="mean squared difference between neighboring pixels",
        role="image",
        shape="pointwise",
    )
    yield LossSpec(
        name="range",
        factory="nst.losses.range:Range",
        summary="mean squared excess of pixels beyond 0..1",
        role="image",
        shape="pointwise",
    )
