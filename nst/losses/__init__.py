"""The losses that come with nst, registered through the same hook as anybody else's.

Each is written once, against `nst.protocols.Namespace`, and runs on every feature backend. Each divides by its
target's own energy, so that one weight means one look at any picture size and any number of channels.
"""

from __future__ import annotations

from collections.abc import Iterator

from nst.hookspecs import hookimpl
from nst.specs import LossSpec, Option


@hookimpl
def nst_losses() -> Iterator[LossSpec]:
    """Statistics of features for style, their differences for content, losses on pixels for the picture itself."""
    yield from _style()
    yield from _content()
    yield from _image()


def _style() -> Iterator[LossSpec]:
    yield LossSpec(
        name="gram",
        factory="nst.losses.gram:Gram",
        summary="relative squared distance of Gram matrices (Gatys et al. 2016, eq. 3-5)",
        role="style",
        shape="statistic",
    )
    yield LossSpec(
        name="wasserstein",
        factory="nst.losses.wasserstein:Wasserstein",
        summary="relative squared Wasserstein distance of the features' means and covariances",
        options=(Option("floor", 1e-3, "variance taken for none, relative to the style's; more is faster", 1e-3, 0.1),),
        role="style",
        shape="statistic",
        copies=1.0,
    )
    yield LossSpec(
        name="mean-std",
        factory="nst.losses.mean_std:MeanStd",
        summary="relative squared distance of channel means and deviations (Huang & Belongie 2017, eq. 13)",
        role="style",
        shape="statistic",
        copies=2.4,
    )
    yield LossSpec(
        name="histogram",
        factory="nst.losses.histogram:Histogram",
        summary="relative squared distance of each channel's sorted values (after Risser et al. 2017)",
        options=(Option("groups", 64, "steps in which the values of a channel are compared", 1, 1024),),
        role="style",
        shape="whole",
        copies=10.7,
    )
    yield LossSpec(
        name="neighbor",
        factory="nst.losses.neighbor:Neighbor",
        summary="distance from the features at the most similar place of the style (after Kolkin et al. 2022)",
        options=(
            Option("rotations", 4, "quarter turns of the style that are searched", 1, 4),
            Option("alpha", 0.25, "share of the image so far in what is matched; the rest is the content", 0, 1),
            Option("distance", "cosine", "how features are compared with their target", choices=("cosine", "squared")),
            Option("occurrence", 0.0, "how much a place that is used often loses, of a cosine", 0, 1),
            Option("luminance", 0.0, "weight of the lightness in the match, beside the features", 0, 10),
        ),
        role="style",
        shape="matched",
        copies=2.0,
    )


def _content() -> Iterator[LossSpec]:
    yield LossSpec(
        name="content",
        factory="nst.losses.content:Content",
        summary="relative squared distance of features (Gatys et al. 2016, eq. 1)",
        role="content",
        shape="pointwise",
    )
    yield LossSpec(
        name="content-cosine",
        factory="nst.losses.content_cosine:ContentCosine",
        summary="one minus the cosine of features: which are there, not how strong",
        role="content",
        shape="pointwise",
    )


def _image() -> Iterator[LossSpec]:
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
