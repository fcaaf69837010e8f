"""Files that are missing, damaged, too large or not one's own are told so, and never half read."""

import io
import struct
import threading
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from nst import images
from nst.errors import UserError
from nst.images import check_input, load_image, read, write

few = settings(max_examples=40)
equal = np.testing.assert_array_equal
Monkey = pytest.MonkeyPatch
NOISE = np.random.default_rng(7).integers(0, 256, (2, 3, 4), np.uint8)


def smooth(height: int = 24, width: int = 32) -> np.ndarray:
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return np.dstack([x / width, y / height, (x + y) / (width + height)])


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


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


def header(width: int, height: int) -> bytes:
    """A PNG that says how large it is and holds nothing."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n\0\0\0\r" + chunk + struct.pack(">I", zlib.crc32(chunk)) + b"\0\0\0\0IDAT\x35\xaf\x06\x1e"


BAD_FILES = {
    "empty.png": (b"", "is empty"),
    "letter.png": (b"Dear reader, this is no picture.", "not a picture"),
    "flat.png": (header(0, 4), "not a picture"),
    "bomb.png": (header(60_000, 60_000), f"more than {images.MAX_PIXELS:,} pixels"),
    "phone.heic": (b"\0\0\0\x18ftypheic\0\0\0\0", "pip install 'nst[heic]'"),
    "phone.jpg": (b"\0\0\0\x18ftypmif1\0\0\0\0", "pip install 'nst[heic]'"),  # HEIC under any name
    "damaged.avif": (b"\0\0\0\x18ftypavif\0\0\0\0", "AVIF"),
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
    (tmp_path / "secret.png").touch()
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


def test_a_program_is_not_run_to_see_its_picture(tmp_path: Path, monkeypatch: Monkey) -> None:
    """PostScript, whatever its suffix: Pillow would hand it to Ghostscript."""
    from PIL import EpsImagePlugin

    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", lambda *_: pytest.fail("it was run"))
    path = tmp_path / "photo.jpg"
    path.write_bytes(encoded(Image.new("RGB", (4, 4)), "EPS"))
    for refused in (lambda: read(path), lambda: images.read_text(path)):
        with pytest.raises(UserError, match=r"photo\.jpg is EPS, which is a program to be run"):
            refused()
    assert "save it as PNG" in said(check_input(path))
