"""Colors are what their profile says: into sRGB as LittleCMS has it, and back, at every depth."""

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from nst import images
from nst.images import Picture, WriteOptions, deep, read, write
from nst.images.profile import Profile, ProfileError, srgb

close = np.testing.assert_allclose
KEEP = WriteOptions(keep_profile=True)
COLORS = np.random.default_rng(3).integers(0, 256, (20, 30, 3), np.uint8)
SRGB = struct.pack(">5i", *(round(value * 65536) for value in (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)))


def parametric(kind: int, *values: float) -> bytes:
    return struct.pack(">4sIHH", b"para", 0, kind, 0) + struct.pack(
        f">{len(values)}i", *(round(value * 65536) for value in values)
    )


def table(*values: float) -> bytes:
    points = [round(value * 65535) for value in values]
    return struct.pack(f">4sII{len(points)}H", b"curv", 0, len(points), *points).ljust(16, b"\0")


CURVES = {
    "identity": table(),
    "gamma": struct.pack(">4sIIH", b"curv", 0, 1, 461) + b"\0\0",
    "table": table(*np.linspace(0, 1, 33) ** 2),
    "para 0": parametric(0, 1.8),
    "para 1": parametric(1, 2.0, 1.1, -0.1),
    "para 2": parametric(2, 2.0, 0.82, 0.2, -0.04),
    "para 3": b"para\0\0\0\0\0\3\0\0" + SRGB,
    "para 4": parametric(4, 2.4, 0.9, 0.05, 0.07, 0.04, 0.01, 0.0),
}


def lcms(image: Image.Image, before: bytes, after: bytes) -> np.ndarray:
    """What LittleCMS makes of it, `(H, W, 3)` 0..1."""
    profiles: Any = [ImageCms.ImageCmsProfile(io.BytesIO(data)) for data in (before, after)]
    return np.asarray(ImageCms.profileToProfile(image, *profiles, outputMode="RGB")) / 255


def stored(path: Path, samples: np.ndarray, icc: bytes, mode: str | None = None) -> Picture:
    image = Image.fromarray(samples)
    (image if mode is None else image.convert(mode)).save(path, icc_profile=icc)
    return read(path)


@pytest.mark.parametrize("curve", CURVES)
def test_a_matrix_profile_is_computed_as_littlecms_has_it(tmp_path: Path, matrix_profile: Any, curve: str) -> None:
    profile = matrix_profile(CURVES[curve])
    picture = stored(tmp_path / "a.png", COLORS, profile)
    assert Profile.parse(profile).curves is not None
    close(picture.pixels, lcms(Image.fromarray(COLORS), profile, srgb()), atol=1.6 / 255)
    assert (picture.profile, picture.notes) == (profile, ())


@pytest.mark.parametrize("suffix", images.SUFFIXES)
def test_every_format_brings_its_profile(tmp_path: Path, matrix_profile: Any, suffix: str) -> None:
    red, green, blue = Profile.parse(srgb()).matrix.T
    swapped = matrix_profile(CURVES["para 3"], (green, red, blue))
    picture = stored(tmp_path / f"a{suffix}", np.full((16, 16, 3), (220, 40, 90), np.uint8), swapped)
    close(picture.pixels[8, 8] * 255, (40, 220, 90), atol=6)


def test_what_is_in_srgb_already_stays_as_it_is(tmp_path: Path) -> None:
    assert (stored(tmp_path / "a.png", COLORS, srgb()).pixels == COLORS / np.float32(255)).all()


def test_sixteen_bits_stay_sixteen_through_a_profile(tmp_path: Path, matrix_profile: Any) -> None:
    ramp = np.linspace(0.2, 0.3, 3000, dtype=np.float32)[None, :, None].repeat(3, -1)
    like = Picture(ramp, None, "", depth=16, profile=matrix_profile())
    picture = read(write(tmp_path / "a.tif", ramp, like=like, options=KEEP))
    assert (picture.depth, picture.profile) == (16, like.profile)
    assert len(np.unique(picture.pixels[..., 1])) > 2000
    close(picture.pixels, ramp, atol=3e-5)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp", ".jpg"])
def test_a_result_goes_back_into_the_content_s_profile(tmp_path: Path, matrix_profile: Any, suffix: str) -> None:
    content = stored(tmp_path / "in.png", np.full((16, 16, 3), (200, 90, 60), np.uint8), matrix_profile())
    path = write(tmp_path / f"out{suffix}", content.pixels, like=content, options=KEEP)
    with Image.open(path) as image:
        assert image.info["icc_profile"] == content.profile
        close(np.asarray(image)[8, 8, :3], (200, 90, 60), atol=3)
    close(read(path).pixels, content.pixels, atol=0.03 if suffix in (".webp", ".jpg") else 0.005)


@pytest.mark.parametrize("suffix", images.SUFFIXES)
def test_without_a_wish_srgb_is_written_and_said(tmp_path: Path, matrix_profile: Any, suffix: str) -> None:
    content = stored(tmp_path / "in.png", COLORS, matrix_profile())
    with Image.open(write(tmp_path / f"out{suffix}", content.pixels, like=content)) as image:
        assert image.info["icc_profile"] == srgb()


def test_our_profile_is_the_same_at_any_time() -> None:
    assert srgb()[24:36] == struct.pack(">6H", 2024, 1, 1, 0, 0, 0)


@pytest.mark.parametrize("mode", ["L", "LA", "1"])
@pytest.mark.parametrize("exponent", [1.0, 2.2])
def test_gray_is_read_through_its_profile(tmp_path: Path, gray_profile: Any, mode: str, exponent: float) -> None:
    gray = np.full((2, 2), 128 if mode != "1" else 255, np.uint8)
    picture = stored(tmp_path / "a.png", gray, gray_profile(exponent), mode)
    light = (gray[0, 0] / 255) ** exponent
    expected = 1.055 * light ** (1 / 2.4) - 0.055
    close(picture.pixels, np.full((2, 2, 3), expected), atol=2e-3)
    assert picture.profile is None  # gray cannot hold what comes back


def test_a_profile_of_tables_is_read_by_littlecms(tmp_path: Path, table_profile: Any) -> None:
    profile = table_profile(b"RGB ", channel=1)
    picture = stored(tmp_path / "a.png", np.full((2, 2, 3), (255, 128, 0), np.uint8), profile)
    assert np.ptp(picture.pixels) < 3 / 255
    assert 0.4 < picture.pixels.mean() < 0.6
    assert picture.profile is None  # there is no way back in it
    with open(tmp_path / "deep.png", "wb") as file:
        deep.write(file, "PNG", np.full((2, 2, 3), 30000, np.uint16), profile, b"", None)
    assert "at 8 bits" in read(tmp_path / "deep.png").notes[0]


def test_cmyk_is_read_through_its_profile(tmp_path: Path, table_profile: Any) -> None:
    ink = Image.new("CMYK", (8, 8), (255, 255, 0, 0))
    for name, icc, gray in (("without.tif", b"", None), ("with.tif", table_profile(b"CMYK", channel=3), 255)):
        ink.save(tmp_path / name, icc_profile=icc)
        picture = read(tmp_path / name)
        close(picture.pixels[0, 0] * 255, (0, 0, 255) if gray is None else (gray, gray, gray), atol=3)
        assert (picture.profile, picture.notes) == (None, ())


@pytest.mark.parametrize(
    ("mode", "icc", "words"),
    [
        ("RGB", b"no profile", "damaged"),
        ("RGB", srgb()[:300], "damaged"),
        ("RGB", ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes(), "for Lab"),
        ("RGB", b"gray", "for GRAY"),
        ("L", b"cmyk", "for CMYK"),
        ("CMYK", srgb(), "for RGB"),
        ("CMYK", b"no profile", "damaged"),
    ],
)
def test_a_profile_of_no_use_is_ignored_and_said(
    tmp_path: Path, gray_profile: Any, table_profile: Any, mode: str, icc: bytes, words: str
) -> None:
    icc = {b"gray": gray_profile(2.2), b"cmyk": table_profile(b"CMYK", 3)}.get(icc, icc)
    image = Image.new("RGB", (4, 4), (204, 51, 102)).convert(mode)
    for name, profile in (("with.tif", icc), ("without.tif", b"")):
        image.save(tmp_path / name, icc_profile=profile)
    ignored, plain = read(tmp_path / "with.tif"), read(tmp_path / "without.tif")
    close(ignored.pixels, plain.pixels)
    assert (plain.notes, len(ignored.notes), ignored.profile) == ((), 1, None)
    assert ignored.notes[0].startswith("color profile ignored")
    assert words in ignored.notes[0]


@settings(max_examples=150)
@given(data=st.data())
def test_no_profile_whatever_breaks_a_picture(matrix_profile: Any, data: st.DataObject) -> None:
    whole = bytearray(matrix_profile(data.draw(st.sampled_from(sorted(CURVES.values())))))
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(128, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        profile = Profile.parse(bytes(whole))
        there = profile.to_srgb(COLORS / np.float32(255))
        back = profile.from_srgb(there) if profile.both_ways else there
    except ProfileError:
        return
    for found in (there, back):
        assert found.dtype == np.float32
        assert np.isfinite(found).all()
        assert 0 <= found.min() <= found.max() <= 1
