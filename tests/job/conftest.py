"""What the tests of jobs share: pictures in files, and a reader of them."""

from __future__ import annotations

import pytest
from PIL import Image

from nst.errors import Findings
from nst.job.inputs import Sources, read_inputs


def write_picture(path, color=(200, 100, 50), size=(8, 6)):
    Image.new("RGB" if len(color) == 3 else "RGBA", size, color).save(path)
    return str(path)


@pytest.fixture
def picture():
    """`picture(path, color, size)`: a picture of one color in a file, as the file's path."""
    return write_picture


@pytest.fixture
def read(tmp_path):
    """`read(styles, masks, protect)`: the inputs beside a content of one color, and the errors of reading them."""

    def inputs(styles=(), masks=(), protect=None):
        findings = Findings()
        sources = Sources(write_picture(tmp_path / "content.png"), styles, masks, protect)
        return read_inputs(sources, findings), findings.errors

    return inputs
