"""The device is what was asked for, or an error."""

from __future__ import annotations

import pytest
import torch

from nst import devices
from nst.errors import UserError
from nst_torch import device

pytestmark = pytest.mark.frameworks


def test_auto_takes_the_fastest_there_is():
    expected = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    assert device.choose("auto")[0] == expected


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has the GPU")
def test_a_missing_gpu_is_an_error_that_names_what_there_is():
    with pytest.raises(UserError, match="'cuda' is not available") as caught:
        device.choose("cuda")
    assert "cpu" in caught.value.hint


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine's PyTorch sees its GPU")
def test_a_gpu_that_this_pytorch_cannot_use_is_pointed_out(tmp_path, monkeypatch):
    driver = tmp_path / "version"
    driver.write_text("NVRM version: 570\n")
    monkeypatch.setattr(devices, "DRIVER_FILES", (str(driver),))
    chosen, notes = device.choose("auto")
    assert chosen == "cpu"
    assert "CUDA build" in notes[0]
