"""TIFF beyond Pillow: read by tifffile, or told to install it; never noise."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nst.errors import UserError
from nst.images import check_input, read

tifffile = pytest.importorskip("tifffile")
FLOATS = np.random.default_rng(8).random((6, 9, 3), np.float32)
WORDS = np.rint(FLOATS * 65535).astype(np.uint16)
close = np.testing.assert_allclose


def written(folder: Path, stored: np.ndarray, **options: Any) -> Path:
    tifffile.imwrite(folder / "a.tif", stored, **{"photometric": "rgb"} | options)
    return folder / "a.tif"


@pytest.mark.parametrize(
    ("stored", "options"),
    [
        (FLOATS, {}),
        (FLOATS.astype(np.float64), {"compression": "zlib"}),
        (FLOATS.astype(">f4"), {"byteorder": ">"}),
        (np.moveaxis(FLOATS, -1, 0), {"planarconfig": "separate"}),
        (np.moveaxis(WORDS, -1, 0), {"planarconfig": "separate"}),
        (np.moveaxis(WORDS, -1, 0), {"planarconfig": "separate", "compression": "zlib"}),
        (FLOATS, {"bigtiff": True}),
    ],
)
def test_float_color_and_separate_planes_are_read_whole(tmp_path: Path, stored: np.ndarray, options: Any) -> None:
    picture = read(written(tmp_path, stored, **options))
    close(picture.pixels, FLOATS, atol=1e-5)
    assert (picture.depth, picture.alpha, picture.notes) == (16, None, ())


def test_alpha_comes_along(tmp_path: Path) -> None:
    straight = {"extrasamples": ["unassalpha"]}
    picture = read(written(tmp_path, np.dstack([FLOATS, FLOATS[..., 0]]), **straight))
    close(picture.alpha, FLOATS[..., 0])
    gray = read(written(tmp_path, WORDS[..., :2], photometric="minisblack", **straight))
    close(gray.pixels[..., 2], FLOATS[..., 0], atol=1e-5)
    close(gray.alpha, FLOATS[..., 1], atol=1e-5)


@pytest.mark.parametrize("channels", [1, 3])
def test_light_without_bounds_is_clipped_and_said(tmp_path: Path, channels: int) -> None:
    stored = (FLOATS * 4 - 1)[..., :channels].squeeze()
    picture = read(written(tmp_path, stored, photometric="rgb" if channels == 3 else "minisblack"))
    close(picture.pixels, np.broadcast_to((FLOATS * 4 - 1)[..., :channels], FLOATS.shape).clip(0, 1), atol=1e-6)
    assert "clipped to 0..1" in picture.notes[0]


def test_what_is_no_number_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="NaN"):
        read(written(tmp_path, np.full((2, 2, 3), np.nan, np.float32)))


def test_it_comes_out_upright_and_in_srgb(tmp_path: Path, matrix_profile: Any) -> None:
    tags = [(274, "H", 1, 6, True)]
    path = written(
        tmp_path, np.full((4, 6, 3), (0.8, 0.4, 0.2), np.float32), extratags=tags, iccprofile=matrix_profile()
    )
    picture = read(path)
    assert (picture.pixels.shape, picture.profile) == ((6, 4, 3), matrix_profile())
    assert picture.pixels[0, 0, 0] > 0.82  # P3's red is beyond sRGB's


@pytest.mark.parametrize(
    ("stored", "options", "limit", "words"),
    [
        (FLOATS, {}, 53, "more than 53 pixels"),
        (np.dstack([FLOATS, FLOATS[..., 0]]), {"extrasamples": ["assocalpha"]}, None, "straight alpha"),
    ],
)
def test_what_is_refused_is_refused_by_its_header(
    tmp_path: Path, stored: np.ndarray, options: Any, limit: int | None, words: str
) -> None:
    path = written(tmp_path, stored, **options)
    with pytest.raises(UserError, match=r"a\.tif") as caught:
        read(path, max_pixels=limit)
    assert words in f"{caught.value.message} {caught.value.hint}"
    found = check_input(path, max_pixels=limit)
    assert found is not None
    assert found.message == caught.value.message


def test_without_tifffile_the_error_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, FLOATS)
    assert check_input(path) is None
    monkeypatch.setitem(sys.modules, "tifffile", None)
    with pytest.raises(UserError, match="Pillow cannot read") as caught:
        read(path)
    assert caught.value.hint == "pip install tifffile"


def test_half_a_file_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, FLOATS)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(UserError, match=r"cannot read .*a\.tif"):
        read(path)


@pytest.mark.parametrize(
    "change",
    [{277: 60_000, 258: (32,) * 60_000}, {322: 2**20, 323: 2**20}, {32997: 10**6}, {256: 2**31, 257: 2**31}],
    ids=["channels", "tiles", "depth", "sides"],
)
def test_a_small_file_cannot_ask_for_more_memory_than_a_picture(tmp_path: Path, change: dict[int, Any]) -> None:
    """Whatever it is that multiplies: tifffile would make room for all of it."""
    from nst.images import tiff

    found = tiff.tags(str(written(tmp_path, FLOATS)))
    assert tiff.check("a.tif", found, 10**6) is None
    assert "a.tif has more than 1,000,000 pixels" in tiff.check("a.tif", found | change, 10**6).message
