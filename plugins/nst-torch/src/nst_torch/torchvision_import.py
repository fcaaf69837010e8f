"""Imports torchvision beside a PyTorch it was not built for.

torchvision's wheels carry operators compiled against a CUDA build of PyTorch. Beside a CPU-only build they do not
load, and `import torchvision` then fails with "operator torchvision::nms does not exist", because it describes
operators that are not there. VGG uses none of them, so declaring the two missing schemas first is enough.
"""

from __future__ import annotations

from nst_torch.torch_import import torch

SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)


def _declare() -> torch.library.Library:
    library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for schema in SCHEMAS:
        library.define(schema)  # type: ignore[no-untyped-call]
    return library


try:
    import torchvision
except RuntimeError as error:
    if "torchvision::nms" not in str(error):
        raise
    _declared = _declare()  # kept: the schemas live as long as the library object
    import torchvision

__all__ = ["torchvision"]
