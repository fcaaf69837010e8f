"""Provide nst's own losses, registered through the same hook as the losses of plugins.

Every loss is written once, against `nst.protocols.Namespace`, and runs on every feature backend. Every loss is divided
by its target's energy, so that a weight means the same at any image size and any number of channels.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from nst.hookspecs import hookimpl
from nst.specs import LossSpec, Option


@hookimpl
def nst_losses() -> Iterator[LossSpec]:
    """Yield losses on statistics of features, on features at each position, and on pixels."""
    yield from _style()
    yield from _pointwise()


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
        copies=16.5,
    )
    yield LossSpec(
        name="neighbor",
        factory="nst.losses.neighbor:Neighbor",
        summary="distance from the features at the most similar place of the style (after Kolkin et al. 2022)",
        options=(
            Option("rotations", 4, "quarter turns of the style that are searched", 1, 4),
            Option(
                "alpha",
                0.25,
                "share of the current image in the query; the other share is the content",
                0,
                1,
            ),
            Option("distance", "cosine", "how features are compared with their target", choices=("cosine", "squared")),
            Option("occurrence", 0.0, "how much a place that is used often loses, of a cosine", 0, 1),
            Option("luminance", 0.0, "weight of the lightness in the match, beside the features", 0, 10),
        ),
        role="style",
        shape="matched",
        copies=2.0,
    )


def _pointwise() -> Iterator[LossSpec]:
    content = partial(LossSpec, role="content", shape="pointwise")
    image = partial(LossSpec, role="image", shape="pointwise")
    distance = "relative squared distance of features (Gatys et al. 2016, eq. 1)"
    yield content("content", "nst.losses.content:Content", distance)
    cosine = "one minus the cosine of features: which are present, not how strong"
    yield content("content-cosine", "nst.losses.content_cosine:ContentCosine", cosine)
    variation = "mean squared difference between neighboring pixels"
    yield image("total-variation", "nst.losses.total_variation:TotalVariation", variation)
    yield image("range", "nst.losses.range:Range", "mean squared excess of pixels beyond 0..1")
