"""Offer the losses and the executor of nst's own distribution, through the hooks of any plugin."""

from nst.executors import nst_executors
from nst.losses import nst_losses

__all__ = ["nst_executors", "nst_losses"]
