"""What goes in comes out: pictures of every kind, upright, in sRGB and as deep as they were."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from nst.errors import UserError
from nst.images import load_image, read

few = settings(max_examples=40)
sides = st.integers(1, 24)
shapes = st.tuples(sides, sides) | st.tuples(sides, sides, st.sampled_from([1, 3, 4]))
equal, close = np.testing.assert_array_equal, np.testing.assert_allclose
COLOR = (204, 51, 102)  # one of the palette Pillow converts to
NOISE = np.random.default_rng(7).integers(0, 256, (2, 3, 4), np.uint8)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def said(error: UserError | None) -> str:
    return f"{error.message} {error.hint}" if error else ""


@pytest.mark.parametrize(
    ("mode", "kinds"),
    [
        ("RGB", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"]),
        ("P", ["PNG"]),
        ("RGBA", ["PNG"]),
        ("RGBX", ["TIFF"]),
        ("CMYK", ["TIFF", "JPEG"]),
        ("YCbCr", ["JPEG"]),
        ("LAB", ["TIFF"]),
    ],
)
def test_every_color_mode_comes_out_as_rgb(tmp_path: Path, mode: str, kinds: list[str]) -> None:
    image = Image.new("RGB", (5, 4), COLOR)
    for kind in kinds:
        (tmp_path / kind).write_bytes(encoded(image.convert(mode), kind))
        picture = read(tmp_path / kind)
        close(picture.pixels * 255, np.broadcast_to(COLOR, (4, 5, 3)), atol=3)
        assert (picture.alpha, picture.notes, picture.source) == (None, (), str(tmp_path / kind))


@pytest.mark.parametrize("mode", ["1", "L", "LA"])
def test_gray_is_repeated_in_every_channel(tmp_path: Path, mode: str) -> None:
    gray = np.array([[0, 255, 255], [255, 0, 255]], np.uint8)
    Image.fromarray(gray).convert(mode).save(tmp_path / "gray.png")
    equal(load_image(tmp_path / "gray.png"), np.repeat(gray[..., None] / 255, 3, 2))


@pytest.mark.parametrize(
    ("kind", "mode", "dtype"),
    [
        ("PNG", "I;16", "<u2"),
        ("TIFF", "I;16", "<u2"),
        ("TIFF", "I;16B", ">u2"),
        ("PPM", "I", "i4"),
        ("TIFF", "F", "f4"),
    ],
)
def test_deep_gray_keeps_its_depth(tmp_path: Path, kind: str, mode: str, dtype: str) -> None:
    gray = np.linspace(0, 1 if mode == "F" else 65535, 12).reshape(3, 4).astype(dtype)
    (tmp_path / "deep").write_bytes(encoded(Image.frombytes(mode, (4, 3), gray.tobytes()), kind))
    close(load_image(tmp_path / "deep")[..., 1], gray / gray.max(), atol=1e-7)


@pytest.mark.parametrize(("kind", "key", "alpha"), [("PNG", b"\0\x80", [0, 128, 255]), ("GIF", 1, [255, 0, 255])])
def test_palettes_bring_their_transparency_and_the_colors_under_it(
    tmp_path: Path, kind: str, key: Any, alpha: list[int]
) -> None:
    image = Image.frombytes("P", (3, 1), bytes([0, 1, 2]))
    image.putpalette([*COLOR, 1, 2, 3, 4, 5, 6])
    (tmp_path / "palette").write_bytes(encoded(image, kind, transparency=key))
    picture = read(tmp_path / "palette")
    equal(np.rint(picture.pixels[0] * 255), [COLOR, (1, 2, 3), (4, 5, 6)])
    equal(np.rint(picture.alpha[0] * 255), alpha)


STORED = {  # what a camera held that way stores of an upright picture, by EXIF orientation
    1: lambda up: up,
    2: np.fliplr,
    3: lambda up: np.rot90(up, 2),
    4: np.flipud,
    5: lambda up: up.swapaxes(0, 1),
    6: lambda up: np.rot90(up, 1),
    7: lambda up: np.rot90(up, 2).swapaxes(0, 1),
    8: lambda up: np.rot90(up, -1),
}


@pytest.mark.parametrize("orientation", STORED)
def test_every_orientation_comes_out_upright(tmp_path: Path, orientation: int) -> None:
    upright = np.kron(NOISE[..., :3], np.ones((8, 8, 1), np.uint8))  # JPEG's own blocks: next to no loss
    image, exif = Image.fromarray(STORED[orientation](upright).copy()), Image.Exif()
    exif[0x0112] = orientation
    for kind in ("PNG", "TIFF", "JPEG"):
        subsampling = {"subsampling": 0} if kind == "JPEG" else {}
        (tmp_path / kind).write_bytes(encoded(image, kind, exif=exif, **subsampling))
        close(load_image(tmp_path / kind) * 255, upright, atol=12 if kind == "JPEG" else 1e-4)


FORMS: dict[str, Any] = {  # what a file without loss is made of, by mode, from 8-bit RGB
    "RGB": lambda rgb: rgb,
    "L": lambda rgb: rgb[..., 1],
    "LA": lambda rgb: rgb[..., :2],
    "RGBA": lambda rgb: np.dstack([rgb, rgb[..., 0]]),
    "I;16": lambda rgb: rgb[..., 1].astype(np.uint16) * 257,
    "1": lambda rgb: rgb[..., 1] > 127,
}


@settings(max_examples=60)
@given(data=st.data())
def test_any_size_mode_and_orientation_comes_out_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    size = data.draw(st.tuples(st.integers(1, 300), st.integers(1, 300)))
    form, orientation = data.draw(st.sampled_from(sorted(FORMS))), data.draw(st.sampled_from(sorted(STORED)))
    kind = data.draw(st.sampled_from(["PNG", "TIFF"]))
    upright = np.random.default_rng(size[0]).integers(0, 256, (*size, 3), np.uint8)
    stored = np.ascontiguousarray(FORMS[form](STORED[orientation](upright)))
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(encoded(Image.fromarray(stored), kind, exif=exif))

    picture = read(path)  # among them raw gray TIFF on its side, which Pillow garbles when it maps the file
    expected = {"L": [1] * 3, "LA": [0] * 3, "I;16": [1] * 3, "1": [1] * 3}.get(form, [0, 1, 2])
    colors = upright[..., expected] / 255
    close(picture.pixels, np.rint(colors) if form == "1" else colors, atol=1e-6)
    if form in ("LA", "RGBA"):
        alpha = upright[..., 1 if form == "LA" else 0] / 255
        close(np.ones(size) if picture.alpha is None else picture.alpha, alpha, atol=1e-6)
    assert (picture.depth, picture.notes) == (16 if form == "I;16" else 8, ())


def test_damaged_exif_costs_the_orientation_only(tmp_path: Path) -> None:
    Image.new("RGB", (2, 2), COLOR).save(tmp_path / "a.png", exif=b"Exif\0\0no such thing")
    picture = read(tmp_path / "a.png")
    close(picture.pixels[1, 1] * 255, COLOR)
    assert "EXIF" in picture.notes[0]


@pytest.mark.parametrize(
    ("kind", "notes"),
    [
        ("GIF", ("first of 3 frames",)),
        ("WEBP", ("first of 3 frames",)),
        ("PNG", ("first of 3 frames",)),
        ("TIFF", ("first of 3 pages",)),
        ("MPO", ()),
    ],
)
def test_the_first_frame_is_taken(tmp_path: Path, kind: str, notes: tuple[str, ...]) -> None:
    first, *rest = (Image.new("RGB", (8, 8), color) for color in (COLOR, "blue", "green"))
    first.save(tmp_path / "frames", kind, save_all=True, append_images=rest)
    picture = read(tmp_path / "frames")
    close(picture.pixels[0, 0] * 255, COLOR, atol=3)
    assert picture.notes == notes


def test_a_pil_image_is_read_and_left_alone() -> None:
    image = Image.fromarray(NOISE)
    image.getexif()[0x0112] = 6
    assert read(image).pixels.shape == (3, 2, 3)
    assert (image.size, image.getexif()[0x0112], read(image).source) == ((3, 2), 6, "")


@few
@given(
    arrays(np.uint8, shapes)
    | arrays(np.uint16, shapes)
    | arrays(np.float32, shapes, elements=st.floats(0, 1, width=32))
    | arrays(np.float64, shapes, elements=st.sampled_from([0, 0.3, 1]))
)
def test_arrays_become_pixels_of_their_own(array: np.ndarray) -> None:
    unit = array.reshape(*array.shape[:2], -1) / (np.iinfo(array.dtype).max if array.dtype.kind == "u" else 1)
    picture = read(array)
    close(picture.pixels, np.broadcast_to(unit[..., :3], picture.pixels.shape), atol=1e-7)
    assert picture.pixels.dtype == np.float32
    assert picture.pixels.flags.c_contiguous
    assert picture.pixels.flags.writeable
    assert not np.shares_memory(picture.pixels, array)
    assert (picture.alpha is None) == (unit.shape[2] < 4 or bool((unit[..., 3] == 1).all()))


def test_floats_just_outside_are_clipped() -> None:
    equal(load_image(np.array([[-5e-4, 1 + 5e-4]]))[0, :, 0], [0, 1])


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (np.full((2, 2, 3), 255.0), "divide by 255"),
        (np.full((2, 2, 3), -0.01), "from -0.01"),
        (np.array([[0.5, np.nan]]), "NaN"),
        (np.array([[0.5, np.inf]]), "infinite"),
        (np.zeros((2, 2), np.int64), "int64"),
        (np.zeros((2, 2), bool), "bool"),
        (np.zeros((2, 2, 2)), "(2, 2, 2)"),
        (np.zeros(3), "(3,)"),
        (np.zeros((0, 2, 3)), "(0, 2, 3)"),
        (Image.new("RGB", (0, 1)), "(1, 0, 3)"),
        (Image.new("I", (1, 1), 65536), "int32"),
        (Image.new("I", (1, 1), -1), "int32"),
        ([[0.5]], "not list"),
    ],
)
def test_what_is_no_picture_is_refused(source: Any, words: str) -> None:
    with pytest.raises(UserError) as caught:
        read(source)
    assert words in said(caught.value)
