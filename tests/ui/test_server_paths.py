"""Test that visitors see file names, and no folders of the server."""

from __future__ import annotations

import pytest

from nst.ui.server_paths import without_folders


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cannot read '/tmp/nst-ui-1/visitor-2/cat.jpg': damaged", "cannot read 'cat.jpg': damaged"),
        ('File "/home/ada lovelace/nst/job.py", line 3', 'File "job.py", line 3'),
        ("[Errno 28] No space left: /tmp/nst-ui-1/cat.png", "[Errno 28] No space left: cat.png"),
        ("unknown weights '/srv/my weights/vgg.safetensors'", "unknown weights 'vgg.safetensors'"),
        (r"cannot read 'C:\Users\Ada\cat.jpg'", "cannot read 'cat.jpg'"),
        (r"cannot read D:\pictures\cat.jpg", "cannot read cat.jpg"),
        ('weights = ["/srv/vgg.safetensors"]', 'weights = ["vgg.safetensors"]'),
    ],
)
def test_a_path_becomes_its_file_name(text: str, shown: str) -> None:
    assert without_folders(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "see https://example.org/a/b/c.html",
        "s3://bucket/folder/cat.jpg",
        "9/16 of the picture, 1.5 GB / 2.0 GB, and/or",
        "--style-layers relu1_1=1,relu2_1=0.5",
        "choose a file in one of these formats: PNG, JPEG",
    ],
)
def test_other_texts_are_unchanged(text: str) -> None:
    assert without_folders(text) == text
