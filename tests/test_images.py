"""What goes in comes out: files of every kind, good and bad, and pictures written whole or not at all."""

import io
import json
import os
import stat
import struct
import threading
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, PngImagePlugin

from nst import images
from nst.errors import NstError, UserError
from nst.images import check_input, check_output, fit, load_image, read, resize, save_image, write

few = settings(max_examples=40, deadline=None)
sides = st.integers(1, 24)
shapes = st.tuples(sides, sides) | st.tuples(sides, sides, st.sampled_from([1, 3, 4]))
equal, close = np.testing.assert_array_equal, np.testing.assert_allclose
COLOR = (204, 51, 102)  # one of the palette Pillow converts to
NOISE = np.random.default_rng(7).integers(0, 256, (2, 3, 4), np.uint8)
Monkey = pytest.MonkeyPatch


def smooth(height: int = 24, width: int = 32) -> np.ndarray:
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return np.dstack([x / width, y / height, (x + y) / (width + height)])


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}


def said(error: UserError | None) -> str:
    return f"{error.message} {error.hint}" if error else ""


def raising(error: BaseException) -> Any:
    def half_done(*arguments: Any, **options: Any) -> None:
        for file in arguments:
            if isinstance(file, io.BufferedWriter):
                file.write(b"half a picture")
        raise error

    return half_done


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("images")


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


def test_damaged_exif_costs_the_orientation_only(tmp_path: Path) -> None:
    Image.new("RGB", (2, 2), COLOR).save(tmp_path / "a.png", exif=b"Exif\0\0no such thing")
    picture = read(tmp_path / "a.png")
    close(picture.pixels[1, 1] * 255, COLOR)
    assert "EXIF" in picture.notes[0]


@pytest.mark.parametrize(("kind", "notes"), [("GIF", ("first of 3 frames",)), ("MPO", ())])
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


def header(width: int, height: int) -> bytes:
    """A PNG that says how large it is and holds nothing."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n\0\0\0\r" + chunk + struct.pack(">I", zlib.crc32(chunk)) + b"\0\0\0\0IDAT\x35\xaf\x06\x1e"


BAD_FILES = {
    "empty.png": (b"", "is empty"),
    "letter.png": (b"Dear reader, this is no picture.", "not a picture"),
    "flat.png": (header(0, 4), "not a picture"),
    "bomb.png": (header(60_000, 60_000), f"more than {images.MAX_PIXELS:,} pixels"),
    "smaller-bomb.png": (header(10_000, 10_000), "raise --max-pixels"),  # Pillow would only warn
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_files_are_named_by_reading_and_by_checking(
    tmp_path: Path, recwarn: pytest.WarningsRecorder, name: str
) -> None:
    content, words = BAD_FILES[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=name) as caught:
        read(tmp_path / name)
    assert words in said(caught.value)
    assert said(check_input(tmp_path / name)) == said(caught.value)
    assert not recwarn.list


def test_a_missing_file_brings_the_nearest_name_and_a_folder_none(tmp_path: Path) -> None:
    (tmp_path / "Sunset.JPG").touch()
    assert check_input(tmp_path / "SUNSET.jpg").hint == f"did you mean {tmp_path / 'Sunset.JPG'}?"
    assert "did you mean" not in check_input(tmp_path / "portrait.png").hint
    assert f"no folder {tmp_path / 'nope'}" in check_input(tmp_path / "nope" / "sunset.jpg").hint
    with pytest.raises(UserError, match=r"there is no file .*sunset\.jpg"):
        read(tmp_path / "sunset.jpg")
    assert check_input(tmp_path).message == f"{tmp_path} is a folder, not a picture"


def test_a_file_one_may_not_read_is_named(tmp_path: Path, monkeypatch: Monkey) -> None:
    # Raised by hand: root may read everything, and tests may run as root.
    monkeypatch.setattr(Image, "open", raising(PermissionError(13, "Permission denied")))
    error = check_input(tmp_path / "secret.png")
    assert error.message == f"cannot read {tmp_path / 'secret.png'}: Permission denied"
    assert "right to read" in error.hint


WHOLE = {
    kind: encoded(Image.fromarray(np.uint8(smooth(80, 90) * 255)), kind) for kind in ("PNG", "JPEG", "TIFF", "GIF")
}


@pytest.mark.filterwarnings("ignore:(Truncated|Corrupt)")
@pytest.mark.parametrize("kind", WHOLE)
@few
@given(data=st.data())
def test_a_truncated_file_is_never_a_partial_picture(folder: Path, kind: str, data: st.DataObject) -> None:
    whole, path = WHOLE[kind], folder / "cut"
    kept = data.draw(st.integers(1, len(whole) - 1) | st.integers(len(whole) - 20, len(whole) - 1))
    path.write_bytes(whole[:kept])
    try:
        pixels = load_image(path)
    except UserError:
        return
    path.write_bytes(whole)
    equal(pixels, load_image(path))  # only what comes after the pixels was missing


@pytest.mark.parametrize("kind", WHOLE)
def test_three_quarters_of_a_file_are_refused(tmp_path: Path, kind: str) -> None:
    (tmp_path / "cut").write_bytes(WHOLE[kind][: len(WHOLE[kind]) * 3 // 4])
    assert check_input(tmp_path / "cut") is None or kind == "TIFF"  # all but TIFF begin with all of their header
    with pytest.raises(UserError, match="cut"):
        read(tmp_path / "cut")


def test_max_pixels_is_the_most_that_is_read(tmp_path: Path) -> None:
    assert load_image(write(tmp_path / "1.png", smooth(1, 1)), max_pixels=1).shape == (1, 1, 3)
    path = write(tmp_path / "20.png", smooth(4, 5))
    assert load_image(path, max_pixels=20).shape == (4, 5, 3)
    for source in (path, Image.fromarray(NOISE).resize((5, 4))):
        with pytest.raises(UserError, match="more than 19 pixels"):
            read(source, max_pixels=19)


def test_max_pixels_holds_for_a_picture_inside_a_file(tmp_path: Path, monkeypatch: Monkey) -> None:
    inside = encoded(Image.new("RGB", (12, 12)), "PNG")
    icon = struct.pack("<HHHBBBBHHII", 0, 1, 1, 8, 8, 0, 0, 1, 32, len(inside), 22)  # says it is 8 x 8
    (tmp_path / "a.ico").write_bytes(icon + inside)
    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", raising(AssertionError("decoded before it was checked")))
    with pytest.raises(UserError, match="more than 100 pixels"):
        read(tmp_path / "a.ico", max_pixels=100)


@pytest.mark.parametrize("max_pixels", [20, 19, 5])
def test_pillows_own_limit_is_another_inside_the_call_only(
    tmp_path: Path, monkeypatch: Monkey, max_pixels: int
) -> None:
    path = write(tmp_path / "a.png", smooth(4, 5))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 3)
    assert (check_input(path, max_pixels=max_pixels) is None) == (max_pixels == 20)
    assert Image.MAX_IMAGE_PIXELS == 3


def test_threads_keep_to_their_own_limits(tmp_path: Path, monkeypatch: Monkey) -> None:
    path, open_at_once, allowed = write(tmp_path / "a.png", smooth(4, 5)), Image.open, {}
    monkeypatch.setattr(Image, "open", lambda name: (time.sleep(0.02), open_at_once(name))[1])

    def check(limit: int) -> None:
        allowed[limit] = check_input(path, max_pixels=limit) is None

    threads = [threading.Thread(target=check, args=[limit]) for limit in (20, 5, 21, 6)]
    for step in (threading.Thread.start, threading.Thread.join):
        for thread in threads:
            step(thread)
    assert allowed == {20: True, 5: False, 21: True, 6: False}


@few
@given(arrays(np.float32, shapes, elements=st.sampled_from([0, 0.25, 1])), st.tuples(sides, sides))
def test_resize_gives_the_size_asked_for_within_bounds(pixels: np.ndarray, size: tuple[int, int]) -> None:
    resized = resize(pixels, size)
    assert resized.shape == (*size, *pixels.shape[2:])
    assert resized.dtype == np.float32
    assert resized.flags.c_contiguous
    assert 0 <= resized.min() <= resized.max() <= 1


def test_resize_keeps_every_channel_in_place() -> None:
    larger = resize(smooth(24, 32), (48, 64))
    close(larger[8:-8, 8:-8], smooth(48, 64)[8:-8, 8:-8], atol=0.03)
    equal(larger[..., 2], resize(smooth(24, 32)[..., 2], (48, 64)))
    assert resize(larger, (48, 64)) is larger


@pytest.mark.parametrize("size", [(5, 4), (30, 50)])
def test_resize_is_pillows_lanczos_without_its_rounding_to_8_bits(size: tuple[int, int]) -> None:
    gray = Image.fromarray(np.random.default_rng(3).integers(60, 200, (20, 30), np.uint8))
    rounded = np.asarray(gray.resize(size[::-1], Image.Resampling.LANCZOS))
    close(resize(np.asarray(gray) / np.float32(255), size) * 255, rounded, atol=1.2)  # it rounds twice
    close(resize(np.full((9, 9), 0.30001, np.float32), (4, 5)), 0.30001, atol=1e-6)


@few
@given(*[st.integers(1, 5000)] * 3)
@example(1, 5000, 10)
@example(5000, 1, 10)
def test_fit_keeps_proportions_to_half_a_pixel(height: int, width: int, long_side: int) -> None:
    fitted = fit(height, width, long_side)
    assert max(fitted) == long_side
    for side, before in zip(fitted, (height, width), strict=True):
        exact = before * long_side / max(height, width)
        assert side == 1 if exact < 1 else abs(side - exact) <= 0.5


@few
@given(arrays(np.uint8, st.tuples(sides, sides, st.sampled_from([1, 3, 4]))), st.sampled_from([".png", ".tif"]))
def test_lossless_files_return_what_was_written(folder: Path, samples: np.ndarray, suffix: str) -> None:
    before = read(samples)
    after = read(write(folder / f"round{suffix}", before.pixels, alpha=before.alpha))
    equal(after.pixels, before.pixels)
    equal(after.alpha, before.alpha)


@pytest.mark.parametrize("suffix", [*images.SUFFIXES, ".PNG", ".Jpg"])
def test_every_suffix_is_written_in_its_own_format(tmp_path: Path, suffix: str) -> None:
    path = save_image(str(tmp_path / f"a{suffix}"), smooth())
    assert path == tmp_path / f"a{suffix}"
    with Image.open(path) as image:
        assert image.format.startswith(suffix[1:3].upper())
    close(load_image(path), smooth(), atol=0.05)
    assert os.listdir(tmp_path) == [path.name]


def test_values_are_rounded_not_cut(tmp_path: Path) -> None:
    path = write(tmp_path / "a.png", np.full((1, 1, 3), 99.6 / 255, np.float32))
    with Image.open(path) as image:
        assert image.getpixel((0, 0)) == (100, 100, 100)


def test_jpeg_is_written_at_quality_95_with_full_color(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "wanted.jpg", quality=95, subsampling=0)
    with Image.open(write(tmp_path / "a.jpg", smooth())) as written, Image.open(tmp_path / "wanted.jpg") as wanted:
        assert (written.quantization, written.layer) == (wanted.quantization, wanted.layer)


@pytest.mark.parametrize("suffix", images.SUFFIXES)
def test_alpha_is_kept_where_the_format_can_and_colors_always(tmp_path: Path, suffix: str) -> None:
    alpha = np.zeros((24, 32), np.float32)
    alpha[:, 20:] = 0.6
    picture = read(write(tmp_path / f"a{suffix}", smooth(), alpha=alpha))
    close(picture.pixels, smooth(), atol=0.05)
    if suffix in (".jpg", ".jpeg"):
        assert picture.alpha is None
    else:
        close(picture.alpha, alpha, atol=1e-6)


@pytest.mark.parametrize("suffix", images.SUFFIXES)
def test_text_is_kept_in_chunks_or_as_json(tmp_path: Path, suffix: str) -> None:
    text = {"nst:recipe": "steps = 3", "title": "Café", "note": "星月夜"}
    with Image.open(write(tmp_path / f"a{suffix}", smooth(), text=text)) as written:
        assert (written.text if suffix == ".png" else json.loads(written.getexif()[0x010E])) == text


def test_a_new_file_has_a_new_files_rights_and_an_old_one_its_own(tmp_path: Path) -> None:
    (tmp_path / "any").touch()
    path = write(tmp_path / "a.png", smooth())
    assert path.stat().st_mode == (tmp_path / "any").stat().st_mode
    path.chmod(0o640)
    assert stat.S_IMODE(write(path, smooth()).stat().st_mode) == 0o640


def test_a_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "link.png").symlink_to(tmp_path / "real.png")
    write(tmp_path / "link.png", smooth())
    assert (tmp_path / "link.png").is_symlink()
    assert not (tmp_path / "real.png").is_symlink()


@pytest.mark.parametrize("old", [{}, {"a.png": b"the old picture"}])
@pytest.mark.parametrize("broken", ["PIL.Image.Image.save", "os.fsync", "os.replace"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failed_write_changes_nothing(
    tmp_path: Path, monkeypatch: Monkey, old: dict[str, bytes], broken: str, error: BaseException
) -> None:
    for name, content in old.items():
        (tmp_path / name).write_bytes(content)
    monkeypatch.setattr(broken, raising(error))
    with pytest.raises(NstError if isinstance(error, OSError) else KeyboardInterrupt) as caught:
        write(tmp_path / "a.png", smooth())
    assert contents(tmp_path) == old
    assert str(caught.value) in ("", f"cannot write {tmp_path / 'a.png'}: No space left on device")
    assert not isinstance(caught.value, UserError)


def test_a_picture_too_long_for_webp_is_told_to_be_png(tmp_path: Path) -> None:
    with pytest.raises(NstError, match=r"long\.webp") as caught:
        write(tmp_path / "long.webp", np.zeros((1, 16384, 3), np.float32))
    assert "PNG" in caught.value.hint
    assert contents(tmp_path) == {}


@pytest.mark.parametrize(
    ("pixels", "alpha", "words"),
    [
        (smooth() * 255, None, "divide by 255"),
        (smooth() * np.float32(np.nan), None, "NaN"),
        (smooth(), np.full((24, 32), 2, np.float32), "values from 0 to 2"),
        (smooth(), np.ones((32, 24), np.float32), "resize alpha"),
    ],
)
def test_what_is_no_picture_is_not_written(tmp_path: Path, pixels: Any, alpha: Any, words: str) -> None:
    with pytest.raises(UserError, match=r"a\.png") as caught:
        write(tmp_path / "a.png", pixels, alpha=alpha)
    assert words in said(caught.value)
    assert contents(tmp_path) == {}


def test_a_good_output_is_checked_without_a_trace(tmp_path: Path) -> None:
    (tmp_path / "old.png").write_bytes(b"old")
    for name in ("new.png", "NEW.JPG", "old.png"):
        assert check_output(tmp_path / name) is None
    assert contents(tmp_path) == {"old.png": b"old"}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a.pgn", "unknown suffix '.pgn' did you mean .png"),
        ("a", ".tiff"),
        ("folder.png", "it is a folder"),
        ("nope/a.png", "mkdir -p"),
    ],
)
def test_bad_outputs_are_named_by_checking_and_by_writing(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "folder.png").mkdir()
    error = check_output(tmp_path / name)
    assert str(tmp_path / name) in error.message
    assert words in said(error)
    with pytest.raises(UserError) as caught:
        write(tmp_path / name, smooth())
    assert said(caught.value) == said(error)


def test_a_read_only_file_is_not_replaced(tmp_path: Path, monkeypatch: Monkey) -> None:
    (tmp_path / "a.png").touch()
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)  # root may write everything
    assert "read-only" in check_output(tmp_path / "a.png").message
    assert check_output(tmp_path / "b.png") is None


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs a folder where even root may write nothing")
def test_a_folder_that_takes_no_files_is_found_by_trying() -> None:
    assert "in /proc" in check_output("/proc/a.png").message
