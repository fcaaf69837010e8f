"""Folders of files become pictures, whatever else lies in them."""

from __future__ import annotations

import numpy as np
import pytest

from nst.errors import UserError
from nst.images import save_image
from nst_torch.compress import photos

pytestmark = pytest.mark.frameworks


def test_what_is_no_picture_or_too_small_is_skipped_and_counted(folder):
    told = []
    found = photos.gather({"photos": sorted(folder.iterdir())}, 32, lambda done, total: told.append((done, total)))
    assert found.counts() == {"used": 23, "held out": 1, "unreadable": 2}
    assert told == [(done, 26) for done in range(1, 27)]


def test_large_pictures_are_shrunk_to_what_crops_can_use(tmp_path, photo):
    save_image(tmp_path / "large.png", photo(100, 300))
    found = photos.gather({"one": [tmp_path / "large.png"]}, 32, lambda *_: None)
    assert found.folders[0][0].shape == (43, 128, 3)
    assert found.folders[0][0].dtype == np.uint8


def test_a_folder_too_small_to_hold_any_out_shows_the_report_what_it_has(tmp_path, photo):
    save_image(tmp_path / "only.png", photo())
    found = photos.gather({"one": [tmp_path / "only.png"]}, 32, lambda *_: None)
    assert found.counts()["held out"] == 1


def test_no_picture_at_all_names_the_folder(tmp_path):
    (tmp_path / "notes.txt").write_text("no picture")
    with pytest.raises(UserError, match="none of the 1 files in 'there'"):
        photos.gather({"there": [tmp_path / "notes.txt"]}, 32, lambda *_: None)
