"""The namespace of losses: the array API's, on the device that computes."""

from __future__ import annotations

import pytest

from nst.reference import NAMES
from nst_torch.namespace import Torch

pytestmark = pytest.mark.frameworks


def test_every_name_of_the_protocol_is_there():
    assert all(callable(getattr(Torch("cpu"), name)) for name in NAMES)


def test_a_new_matrix_is_on_the_device():
    """PyTorch's own place for it is the CPU, where a loss on a GPU could not multiply with it."""
    assert Torch("meta").eye(3).device.type == "meta"
