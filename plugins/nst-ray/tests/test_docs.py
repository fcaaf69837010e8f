"""The page on clusters is true: what one machine can run of it is run, and its figures add up."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from nst.images import save_image

PAGE = (Path(__file__).parents[3] / "docs" / "cluster.md").read_text("utf-8")
BLOCKS = re.findall(r"^```bash\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
COMMANDS = [line for block in BLOCKS for line in block.splitlines()]
BATCHES = [command for command in COMMANDS if command.startswith("nst batch")]
ONE_PASS = ["--backend", "example-image-backend", "--size", "24"]


def test_every_command_is_known():
    others = ("pip install nst ", "nst weights fetch imagenet")
    assert [command for command in COMMANDS if command not in BATCHES and not command.startswith(others)] == []
    assert len(BATCHES) == 2


@pytest.mark.frameworks
@pytest.mark.parametrize("command", BATCHES)
def test_every_batch_is_painted(cluster, tmp_path, photo, command):
    """On the cluster of these tests, and with this folder for a bucket."""
    for seed, name in enumerate(("photos/a.jpg", "photos/b.jpg", "paintings/c.jpg", "sea.jpg")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        save_image(tmp_path / name, photo(18, 24, seed=seed))
    words = [word.replace("s3://bucket", f"file://{tmp_path}") for word in shlex.split(command)]
    words += [] if "--address" in words else ["--address", "auto"]
    environment = os.environ | {"RAY_ADDRESS": cluster.get_runtime_context().gcs_address}
    done = subprocess.run(
        [sys.executable, "-m", *words, *ONE_PASS], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "2 of 2 pictures: 2 finished" in done.stderr


def test_the_table_adds_up():
    (overhead,) = re.findall(r"includes ([\d.]+) s of decoding", PAGE)
    rows = re.findall(r"^\| (\d+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \| ([\d.]+) \|$", PAGE, re.MULTILINE)
    assert len(rows) == 3
    for seconds, *counts, cores in rows:
        each = float(seconds) + float(overhead)
        for gpus, count in zip((1, 8, 64), counts, strict=True):
            assert int(count.replace(",", "")) == pytest.approx(3600 * gpus / each, rel=0.005)
        assert float(cores) == pytest.approx(float(overhead) / each, rel=0.1)
