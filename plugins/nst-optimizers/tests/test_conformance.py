"""The optimizers of this distribution keep what every optimizer promises."""

import numpy as np
import torch

from nst.testing import OptimizerSuite, PluginSuite


class TestOptimizers(OptimizerSuite):
    distribution = "nst-optimizers"
    entry_module = "nst_optimizers"
    arrays = {"numpy": np.array, "torch": torch.tensor}  # noqa: RUF012


class TestPlugin(PluginSuite):
    distribution = "nst-optimizers"
    entry_module = "nst_optimizers"
