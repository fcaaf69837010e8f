"""The VGG family: layer names and geometry, networks as NumPy arrays, their file format, and a reference backend.

Plugin authors import these names from `nst.vgg`. Importing the package imports neither NumPy nor a framework.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nst.lazy import attach

if TYPE_CHECKING:
    from nst.vgg.architecture import AVERAGE_GAIN as AVERAGE_GAIN
    from nst.vgg.architecture import BLOCKS as BLOCKS
    from nst.vgg.architecture import convolutions as convolutions
    from nst.vgg.architecture import layer_names as layer_names
    from nst.vgg.architecture import select as select
    from nst.vgg.architecture import smallest_side as smallest_side
    from nst.vgg.architecture import vgg_layers as vgg_layers
    from nst.vgg.network import Network as Network
    from nst.vgg.preprocessing import CAFFE as CAFFE
    from nst.vgg.preprocessing import TORCHVISION as TORCHVISION
    from nst.vgg.preprocessing import UNIT as UNIT
    from nst.vgg.preprocessing import Preprocessing as Preprocessing
    from nst.vgg.reference import ReferenceVGG as ReferenceVGG

__getattr__, __dir__ = attach(
    __name__,
    {
        "nst.vgg.architecture": (
            "AVERAGE_GAIN",
            "BLOCKS",
            "convolutions",
            "layer_names",
            "select",
            "smallest_side",
            "vgg_layers",
        ),
        "nst.vgg.network": ("Network",),
        "nst.vgg.preprocessing": (
            "CAFFE",
            "TORCHVISION",
            "UNIT",
            "Preprocessing",
        ),
        "nst.vgg.reference": ("ReferenceVGG",),
    },
)
