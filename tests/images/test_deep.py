"""Sixteen bits a channel in color: every bit of them in, every bit out, whoever wrote the file."""

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from nst.errors import UserError
from nst.images import Picture, WriteOptions, read, write

DEEP = WriteOptions(bit_depth="16")
WORDS = np.random.default_rng(4).integers(0, 65536, (13, 17, 4), np.uint16)
equal = np.testing.assert_array_equal
PASSES = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]  # Adam7's


def words(picture: Picture) -> np.ndarray:
    """The 16-bit samples a picture came from."""
    planes = picture.pixels if picture.alpha is None else np.dstack([picture.pixels, picture.alpha])
    return np.rint(planes.astype(np.float64) * 65535).astype(np.uint16)


def png(stored: np.ndarray, *, interlaced: bool = False, extra: bytes = b"") -> bytes:
    """A 16-bit PNG of `(H, W, 1 | 2 | 3 | 4)` samples, unfiltered."""
    height, width, channels = stored.shape
    parts = [stored[y::dy, x::dx] for x, y, dx, dy in PASSES] if interlaced else [stored]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for part in parts if part.size for row in part)
    header = struct.pack(">IIBBBBB", width, height, 16, {1: 0, 2: 4, 3: 2, 4: 6}[channels], 0, 0, interlaced)
    chunks = chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@settings(max_examples=40)
@given(stored=arrays(np.uint16, st.tuples(st.integers(1, 40), st.integers(1, 40), st.sampled_from([3, 4]))))
def test_what_is_written_comes_back_to_the_last_bit(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, stored: np.ndarray
) -> None:
    before = read(stored)
    path = tmp_path_factory.getbasetemp() / f"deep{suffix}"
    after = read(write(path, before.pixels, alpha=before.alpha, like=before))
    equal(words(after), words(before))
    assert (before.depth, after.depth, after.notes) == (16, 16, ())


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (299, 256)])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_others_read_what_is_written(tmp_path: Path, suffix: str, size: tuple[int, int]) -> None:
    """Pillow, whose decoder keeps the high bytes; and for TIFF a library that keeps all."""
    pixels = np.random.default_rng(6).random((*size, 3), np.float32)
    path = write(tmp_path / f"a{suffix}", pixels, options=DEEP)
    with Image.open(path) as image:
        equal(np.asarray(image), np.rint(pixels * 65535).astype(np.uint16) >> 8)
    if suffix == ".tif":
        equal(pytest.importorskip("tifffile").imread(path), np.rint(pixels * 65535))


def test_filters_make_photographs_smaller(tmp_path: Path, photo: Any) -> None:
    path = write(tmp_path / "a.png", photo(300, 400), options=DEEP)
    unfiltered = png(np.rint(photo(300, 400) * 65535).astype(np.uint16))
    assert path.stat().st_size < len(unfiltered)


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_png_of_every_kind_is_read_whole(tmp_path: Path, channels: int, interlaced: bool) -> None:
    stored = WORDS[..., :channels]
    (tmp_path / "a.png").write_bytes(png(stored, interlaced=interlaced))
    order = {1: [0, 0, 0], 2: [0, 0, 0, 1], 3: [0, 1, 2], 4: [0, 1, 2, 3]}[channels]
    equal(words(read(tmp_path / "a.png")), stored[..., order])


@pytest.mark.parametrize("channels", [1, 3])
def test_the_one_transparent_color_of_a_png_is_transparent(tmp_path: Path, channels: int) -> None:
    stored = WORDS[..., :channels]
    key = chunk(b"tRNS", stored[3, 5].astype(">u2").tobytes())
    (tmp_path / "a.png").write_bytes(png(stored, extra=key))
    picture = read(tmp_path / "a.png")
    assert picture.alpha is not None
    equal(np.argwhere(picture.alpha == 0), [(3, 5)])


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("options", [{}, {"compression": "zlib", "predictor": True}, {"tile": (16, 16)}], ids=str)
@pytest.mark.parametrize("channels", [3, 4])
def test_tiff_of_every_kind_is_read_whole(tmp_path: Path, order: str, options: dict[str, Any], channels: int) -> None:
    tifffile = pytest.importorskip("tifffile")
    extra = {"extrasamples": ["unassalpha"]} if channels == 4 else {}
    stored = WORDS[..., :channels]
    tifffile.imwrite(tmp_path / "a.tif", stored, byteorder=order, photometric="rgb", **extra, **options)
    equal(words(read(tmp_path / "a.tif")), stored)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_deep_pictures_come_out_upright(tmp_path: Path, suffix: str, orientation: int) -> None:
    upright = read(WORDS[..., :3])
    turned = np.rot90(upright.pixels, {1: 0, 3: 2, 6: 1, 8: -1}[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    like = Picture(turned, None, "", depth=16, exif=exif.tobytes())
    equal(words(read(write(tmp_path / f"a{suffix}", np.ascontiguousarray(turned), like=like))), WORDS[..., :3])


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_deep_files_are_held_to_the_same_limits(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"a{suffix}", read(WORDS).pixels, options=DEEP)
    with pytest.raises(UserError, match="more than 220 pixels"):
        read(path, max_pixels=220)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 3 // 4])
    with pytest.raises(UserError, match=path.name):
        read(path)


def test_a_pil_image_brings_the_8_bits_pillow_holds(tmp_path: Path) -> None:
    with Image.open(write(tmp_path / "a.png", read(WORDS).pixels, options=DEEP)) as image:
        assert read(image).depth == 8
