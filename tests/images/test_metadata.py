"""What travels beside the pixels: how a picture was made, camera and date; never where it was taken."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, PngImagePlugin

from nst import images
from nst.errors import UserError
from nst.images import Picture, WriteOptions, read, read_text, write
from nst.images.metadata import LONGEST_TEXT

GRAY = np.full((16, 16, 3), 0.5, np.float32)
LONG = json.dumps({"recipe": "星月夜 Café " * 6000})  # 200 kB in ASCII
WAYS = [*((suffix, "8") for suffix in images.SUFFIXES), (".png", "16"), (".tif", "16")]
SECRETS = (b"SECRET", b"48/1")
Tag = ExifTags.Base


@pytest.fixture
def photograph(tmp_path: Path) -> Path:
    """A JPEG with a camera's EXIF: what may travel, and what may not."""
    exif = Image.Exif()
    exif.update({int(Tag.Make): "Camera", int(Tag.DateTime): "2024:05:06 07:08:09", int(Tag.Orientation): 6})
    exif.update({int(Tag.XPComment): b"SECRET", 0x0320: "SECRET"})
    exif[ExifTags.IFD.Exif] = {
        int(Tag.DateTimeOriginal): "2024:05:06 07:08:09",
        int(Tag.LensModel): "50mm",
        int(Tag.FocalLength): 50.0,
        int(Tag.ISOSpeedRatings): 400,
        int(Tag.MakerNote): b"SECRET",
        int(Tag.UserComment): b"ASCII\0\0\0SECRET",
        int(Tag.BodySerialNumber): "SECRET",
    }
    exif[ExifTags.IFD.GPSInfo] = {1: "N", 2: (48.0, 51.0, 30.0), 29: "SECRET"}
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>SECRET</x:xmpmeta>"
    Image.new("RGB", (16, 8), (200, 90, 60)).save(tmp_path / "in.jpg", exif=exif, xmp=xmp)
    return tmp_path / "in.jpg"


def exif_of(path: Path) -> tuple[dict[int, Any], dict[int, Any]]:
    """The main tags and the exposure's."""
    with Image.open(path) as image:
        exif = image.getexif()
        return dict(exif), dict(exif.get_ifd(ExifTags.IFD.Exif))


@pytest.mark.parametrize(("suffix", "depth"), WAYS)
@pytest.mark.parametrize("text", ["", "plain", "Café, 星月夜 🎨\n", LONG], ids=["none", "plain", "Unicode", "long"])
def test_text_comes_back_from_every_format(
    tmp_path: Path, photograph: Path, suffix: str, text: str, depth: str
) -> None:
    options = WriteOptions(bit_depth=depth)
    path = write(
        tmp_path / f"a{suffix}", GRAY, text={"nst": text, "other": "x"}, like=read(photograph), options=options
    )
    assert (read_text(path), read_text(path, "other"), read_text(path, "third")) == (text, "x", None)
    assert exif_of(path)[0][Tag.Make] == "Camera"  # both find room
    assert read(path).notes == ()


@settings(max_examples=30)
@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=300))
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
def test_any_text_comes_back(tmp_path_factory: pytest.TempPathFactory, suffix: str, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / f"text{suffix}"
    assert read_text(write(path, GRAY[:2, :2], text={"nst": text})) == text


@pytest.mark.parametrize("suffix", images.SUFFIXES)
def test_a_picture_without_text_has_none(tmp_path: Path, suffix: str) -> None:
    assert read_text(write(tmp_path / f"a{suffix}", GRAY)) is None


@pytest.mark.parametrize(
    "packed",
    [
        b"a comment of somebody else",
        b'{"nst": 3}',
        b'["nst"]',
        b'{"nst": "\xff\xfe"}',
        b'{"nst": ' + b"[" * 100_000,
        json.dumps({"nst": "x" * LONGEST_TEXT}).encode(),
    ],
    ids=["foreign", "number", "list", "not UTF-8", "deep", "endless"],
)
@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".tif"])
def test_text_that_is_not_ours_is_none(tmp_path: Path, suffix: str, packed: bytes) -> None:
    exif = Image.Exif()
    exif[ExifTags.IFD.Exif] = {int(Tag.UserComment): b"ASCII\0\0\0" + packed}
    parts = [packed[start : start + 60_000] for start in range(0, len(packed), 60_000)]
    comments = b"".join(b"\xff\xfe" + (len(part) + 2).to_bytes(2, "big") + part for part in parts)
    options: dict[str, Any] = {"extra": comments} if suffix == ".jpg" else {"exif": exif.tobytes()}
    Image.new("RGB", (8, 8)).save(tmp_path / f"a{suffix}", **options)
    assert read_text(tmp_path / f"a{suffix}") is None


def test_a_png_s_endless_text_is_none_or_refused(tmp_path: Path) -> None:
    for compressed in (False, True):
        info = PngImagePlugin.PngInfo()
        info.add_itxt("nst", "x" * (LONGEST_TEXT + 1), zip=compressed)
        Image.new("RGB", (2, 2)).save(tmp_path / "a.png", pnginfo=info)
        assert read_text(tmp_path / "a.png") is None


def test_what_is_no_picture_has_no_text_but_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b'{"nst": "x"}')
    for name in ("a.png", "missing.png"):
        with pytest.raises(UserError, match=name):
            read_text(tmp_path / name)


@pytest.mark.parametrize(("suffix", "depth"), WAYS)
def test_camera_and_date_travel_and_secrets_do_not(tmp_path: Path, photograph: Path, suffix: str, depth: str) -> None:
    content = read(photograph)
    path = write(tmp_path / f"a{suffix}", GRAY, like=content, options=WriteOptions(bit_depth=depth))
    main, exposure = exif_of(path)
    assert (main[Tag.Make], main[Tag.DateTime]) == ("Camera", "2024:05:06 07:08:09")
    assert (exposure[Tag.LensModel], exposure[Tag.ISOSpeedRatings], exposure[Tag.FocalLength]) == ("50mm", 400, 50)
    assert main.get(Tag.Orientation, 1) == 1
    assert ExifTags.IFD.GPSInfo not in main
    assert not [secret for secret in SECRETS if secret in path.read_bytes()]
    assert content.pixels.shape == (16, 8, 3)


@pytest.mark.parametrize("suffix", images.SUFFIXES)
def test_strip_leaves_nothing_but_nst_s_own(tmp_path: Path, photograph: Path, suffix: str) -> None:
    options = WriteOptions(metadata="strip")
    path = write(tmp_path / f"a{suffix}", GRAY, text={"nst": "made"}, like=read(photograph), options=options)
    main, exposure = exif_of(path)
    assert {Tag.Make, Tag.DateTime} & main.keys() == set()
    assert exposure.keys() <= {Tag.UserComment}
    assert (b"Camera" in path.read_bytes(), read_text(path)) == (False, "made")


@pytest.mark.parametrize("value", [b"\0" * 99, "x" * 5000, (), float("nan"), (1, "a", b"b")])
def test_values_no_camera_writes_cost_no_picture(tmp_path: Path, value: Any) -> None:
    exif = Image.Exif()
    exif[int(Tag.Model)] = "Model"
    exif._data[int(Tag.Make)] = value  # as a damaged file might have it
    image = Image.new("RGB", (4, 4))
    image._exif = exif  # type: ignore[attr-defined]
    path = write(tmp_path / "a.jpg", GRAY, like=read(image))
    assert exif_of(path)[0].get(Tag.Model) in ("Model", None)


@settings(max_examples=60)
@given(data=st.data())
def test_damaged_exif_never_costs_the_picture(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    exif = Image.Exif()
    exif.update({int(Tag.Make): "Camera", int(Tag.ExposureTime): 0.01, int(Tag.Model): "x" * 20})
    exif[ExifTags.IFD.Exif] = {int(Tag.FNumber): 2.8, int(Tag.LensModel): "50mm"}
    block = bytearray(exif.tobytes())
    for _ in range(data.draw(st.integers(1, 5))):
        block[data.draw(st.integers(6, len(block) - 1))] = data.draw(st.integers(0, 255))
    folder = tmp_path_factory.getbasetemp()
    Image.new("RGB", (4, 4)).save(folder / "damaged.png", exif=bytes(block))
    picture = read(folder / "damaged.png")
    for name in ("again.jpg", "again.tif"):
        assert isinstance(read(write(folder / name, picture.pixels, like=picture)), Picture)


@pytest.mark.parametrize(("suffix", "depth"), WAYS)
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_the_resolution_is_kept(tmp_path: Path, suffix: str, depth: str, kind: str) -> None:
    Image.new("RGB", (16, 8)).save(tmp_path / "in", kind, dpi=(300, 200))
    options = WriteOptions(bit_depth=depth)
    after = read(write(tmp_path / f"a{suffix}", GRAY, like=read(tmp_path / "in"), options=options))
    assert after.dpi == pytest.approx((300, 200), abs=0.5)
    stripped = WriteOptions(bit_depth=depth, metadata="strip")
    assert read(write(tmp_path / f"b{suffix}", GRAY, like=after, options=stripped)).dpi is None


def test_a_resolution_that_means_nothing_is_dropped(tmp_path: Path) -> None:
    Image.new("RGB", (16, 8)).save(tmp_path / "in.jpg", dpi=(0, 0))
    assert read(tmp_path / "in.jpg").dpi is None


@pytest.mark.parametrize("depth", ["8", "16"])
def test_a_user_comment_in_a_tiff_has_the_type_that_exif_wants(tmp_path: Path, depth: str) -> None:
    path = write(tmp_path / "a.tif", GRAY, text={"nst": "x"}, options=WriteOptions(bit_depth=depth))
    assert struct.pack("<HH", 37510, 7) in path.read_bytes()  # tag and type, in the file's byte order


@pytest.mark.parametrize(
    ("description", "kept"),
    [
        ("A day at sea", True),
        ('{"shape": [3, 8, 16]}', False),
        ("ImageJ=1.53\nimages=3\n", False),
        ('<?xml version="1.0"?><OME/>', False),
    ],
)
def test_a_description_of_a_tiff_s_layout_is_not_copied(tmp_path: Path, description: str, kept: bool) -> None:
    Image.new("RGB", (16, 8)).save(tmp_path / "in.tif", description=description)
    after = write(tmp_path / "a.tif", GRAY, like=read(tmp_path / "in.tif"))
    assert exif_of(after)[0].get(int(Tag.ImageDescription)) == (description if kept else None)
