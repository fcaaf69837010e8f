"""VGG-19 and VGG-16 on TensorFlow: what they offer, without importing TensorFlow or Keras."""

from __future__ import annotations

from collections.abc import Iterator

from nst.hookspecs import hookimpl
from nst.specs import BackendSpec, MemoryModel, WeightSet
from nst.vgg import vgg_layers
from nst.weights import COMPACT_SET

SIZES = {"vgg19": 80_134_624, "vgg16": 58_889_256}
"""Bytes of keras.applications' weights without the classifier."""


def _imagenet(architecture: str) -> WeightSet:
    return WeightSet(
        name="imagenet",
        source=f"nst_keras.imagenet:{architecture.upper()}",
        origin="keras.applications imagenet, ported from the VGG group's own release (Simonyan & Zisserman 2014)",
        license="CC BY 4.0",
        preprocessing="caffe",
        size=SIZES[architecture],
    )


def _backend(architecture: str, title: str, weights: tuple[WeightSet, ...]) -> BackendSpec:
    return BackendSpec(
        name=f"keras-{architecture}",
        factory="nst_keras.vgg:VGG",
        summary=f"{title} on TensorFlow",
        requires=("tensorflow", "keras"),
        install="nst-keras",
        architecture=architecture,
        layers=vgg_layers(architecture),
        memory=MemoryModel(base=790_000_000, factor=2.0, tiles=250_000_000),
        devices=("auto", "cpu", "cuda"),
        weights=weights,
        pooling=("max", "average"),
        padding=("zero", "reflect", "replicate"),
        precisions=("float32", "bfloat16"),
    )


@hookimpl
def nst_backends() -> Iterator[BackendSpec]:
    """Declare the two networks of Simonyan & Zisserman (2014) that style transfer is done with."""
    yield _backend("vgg19", "VGG-19", (_imagenet("vgg19"), COMPACT_SET))
    yield _backend("vgg16", "VGG-16", (_imagenet("vgg16"),))
