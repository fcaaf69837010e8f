"""Declare nst's own weight sets, as specs: standard library only, for the entry modules of plugins."""

from __future__ import annotations

from nst.specs import WeightSet

COMPACT_SET = WeightSet(
    name="compact",
    source="nst.weights:COMPACT",
    origin="compressed from VGG-19 (Simonyan & Zisserman 2014) by the nst project",
    license="CC BY 4.0",
    preprocessing="torchvision",
)
"""The slim VGG-19 in the wheel: every `vgg19` backend may offer it."""
