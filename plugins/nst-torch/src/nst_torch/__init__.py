"""VGG-19 and VGG-16 on PyTorch: what they offer, without importing PyTorch."""

from __future__ import annotations

from collections.abc import Iterator

from nst.hookspecs import hookimpl
from nst.specs import BackendSpec, MemoryModel, WeightSet
from nst.vgg import vgg_layers
from nst.weights import COMPACT_SET


def _imagenet(architecture: str, size: int) -> WeightSet:
    return WeightSet(
        name="imagenet",
        source=f"nst_torch.imagenet:{architecture.upper()}",
        origin="torchvision IMAGENET1K_V1, trained by the PyTorch team",
        license="BSD-3-Clause (torchvision); ImageNet's terms for research",
        preprocessing="torchvision",
        size=size,
    )


def _backend(architecture: str, title: str, weights: tuple[WeightSet, ...]) -> BackendSpec:
    return BackendSpec(
        name=f"torch-{architecture}",
        factory="nst_torch.vgg:VGG",
        summary=f"{title} on PyTorch",
        requires=("torch", "array_api_compat"),
        install="nst-torch",
        architecture=architecture,
        layers=vgg_layers(architecture),
        memory=MemoryModel(base=325_000_000, factor=1.95, tiles=60_000_000),
        devices=("auto", "cpu", "cuda", "mps"),
        weights=weights,
        pooling=("max", "average"),
        padding=("zero", "reflect", "replicate"),
        compressor="nst_torch.compress.compressor:compress",
        precisions=("float32", "bfloat16"),
    )


@hookimpl
def nst_backends() -> Iterator[BackendSpec]:
    """Declare the two networks of Simonyan & Zisserman (2014) that style transfer is done with."""
    yield _backend("vgg19", "VGG-19", (_imagenet("vgg19", 574_673_361), COMPACT_SET))
    yield _backend("vgg16", "VGG-16", (_imagenet("vgg16", 553_433_881),))
