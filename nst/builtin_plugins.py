"""What nst's own distribution offers, through the hooks like any other plugin."""

from nst.executors import nst_executors
from nst.losses import nst_losses

__all__ = ["nst_executors", "nst_losses"]
