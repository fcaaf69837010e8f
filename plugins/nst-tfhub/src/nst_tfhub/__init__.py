"""Magenta's arbitrary stylization in one pass: what it offers, without importing LiteRT or TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator

from nst.hookspecs import hookimpl
from nst.specs import BackendSpec, Option, WeightSet

LICENSE = "Apache-2.0"

STRENGTH = Option("strength", 1.0, "from the content's own style (0) to the styles' (1)", minimum=0, maximum=1)
STYLE_SIZE = Option("style_size", 256, "side at which styles are seen; trained at 256", 64, 1024, unit="px")
# LiteRT needs about 1.7 kB for each pixel of a pass and cannot do more than 3.3 million of them (1820 × 1820).
TILE = Option("tile", 1280, "larger pictures than tile × tile are painted in such tiles", 256, 1792, unit="px")

WEIGHTS = (
    WeightSet(
        name="magenta",
        source="nst_tfhub.sources:MAGENTA",
        origin="Magenta (Ghiasi et al. 2017) as TF-Hub's module, from Kaggle; needs tensorflow",
        license=LICENSE,
        preprocessing="unit",
        size=46_000_000,  # 11.06 million float32 parameters and 1.65 MB of graph; Kaggle does not say
    ),
    WeightSet(
        name="magenta-lite",
        source="nst_tfhub.sources:MAGENTA_LITE",
        origin="Magenta's small networks in 8 bits for TensorFlow Lite, from Kaggle",
        license=LICENSE,
        preprocessing="unit",
        size=3_111_368,
    ),
)


@hookimpl
def nst_backends() -> Iterator[BackendSpec]:
    """Ghiasi et al. (2017): one network reads a style into 100 numbers, another paints with them."""
    yield BackendSpec(
        name="tfhub-fast",
        factory="nst_tfhub.fast_transfer:FastTransfer",
        summary="Magenta's arbitrary stylization, one pass, on LiteRT or TensorFlow",
        options=(STRENGTH, STYLE_SIZE, TILE),
        requires=("ai_edge_litert",),
        install="nst-tfhub",
        kind="image",
        devices=("auto", "cpu", "cuda"),
        weights=WEIGHTS,
        precisions=("as stored",),
        files="nst_tfhub.sources:source",
    )
