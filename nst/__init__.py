"""nst: neural style transfer from whichever framework you have.

    from nst import stylize
    stylize("content.jpg", "style.jpg", size=512).save("out.png")

Names are resolved when first used, so that importing nst imports next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nst.lazy import attach

if TYPE_CHECKING:
    from nst.batches.batch import batch as batch
    from nst.errors import NstError as NstError
    from nst.errors import UserError as UserError
    from nst.geometry import Layer as Layer
    from nst.geometry import Window as Window
    from nst.geometry import chain as chain
    from nst.hookspecs import hookimpl as hookimpl
    from nst.images import load_image as load_image
    from nst.images import save_image as save_image
    from nst.job.job import Result as Result
    from nst.persistence.painting import Painting as Painting
    from nst.persistence.painting import stylize as stylize
    from nst.plugins.host import Plugins as Plugins
    from nst.protocols import Evaluation as Evaluation
    from nst.protocols import Iterate as Iterate
    from nst.protocols import Pixels as Pixels
    from nst.recipe.recipe import Recipe as Recipe
    from nst.specs import BackendSpec as BackendSpec
    from nst.specs import ExecutorSpec as ExecutorSpec
    from nst.specs import InitializerSpec as InitializerSpec
    from nst.specs import LossSpec as LossSpec
    from nst.specs import MemoryModel as MemoryModel
    from nst.specs import OptimizerSpec as OptimizerSpec
    from nst.specs import Option as Option
    from nst.specs import WeightSet as WeightSet

__version__ = "0.1.0"

_HOMES = {
    "nst.errors": ("NstError", "UserError"),
    "nst.geometry": ("Layer", "Window", "chain"),
    "nst.hookspecs": ("hookimpl",),
    "nst.images": ("load_image", "save_image"),
    "nst.job": ("Result",),
    "nst.persistence.painting": ("Painting", "stylize"),
    "nst.plugins": ("Plugins",),
    "nst.protocols": ("Evaluation", "Iterate", "Pixels"),
    "nst.recipe": ("Recipe",),
    "nst.batches.batch": ("batch",),
    "nst.specs": (
        *("BackendSpec", "ExecutorSpec", "InitializerSpec", "LossSpec", "MemoryModel", "Option", "OptimizerSpec"),
        "WeightSet",
    ),
}
__all__ = ["__version__", *sorted(name for names in _HOMES.values() for name in names)]

__getattr__, __dir__ = attach("nst", _HOMES)
