"""Pictures are written whole or not at all, and hold what was given."""

import io
import os
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from nst import images
from nst.errors import NstError, UserError
from nst.images import Picture, WriteOptions, check_output, load_image, read, save_image, write

few = settings(max_examples=40)
sides = st.integers(1, 24)
equal, close = np.testing.assert_array_equal, np.testing.assert_allclose
Monkey = pytest.MonkeyPatch


def smooth(height: int = 24, width: int = 32) -> np.ndarray:
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return np.dstack([x / width, y / height, (x + y) / (width + height)])


def noise() -> np.ndarray:
    return np.random.default_rng(5).random((24, 32, 3), np.float32)


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
def test_alpha_is_kept_where_the_format_can_and_a_jpeg_is_laid_on_white(tmp_path: Path, suffix: str) -> None:
    alpha = np.zeros((24, 32), np.float32)
    alpha[:, 20:] = 0.6
    picture = read(write(tmp_path / f"a{suffix}", smooth(), alpha=alpha))
    if suffix in (".jpg", ".jpeg"):
        assert picture.alpha is None
        close(picture.pixels, alpha[..., None] * smooth() + 1 - alpha[..., None], atol=0.05)
    else:
        close(picture.pixels, smooth(), atol=0.05)
        close(picture.alpha, alpha, atol=1e-6)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg"])
@pytest.mark.parametrize("depth", [8, 16])
def test_as_many_bits_are_written_as_the_content_had_where_the_format_can(
    tmp_path: Path, suffix: str, depth: int
) -> None:
    like = Picture(smooth(), None, "", depth=depth)
    assert read(write(tmp_path / f"a{suffix}", smooth(), like=like)).depth == (8 if suffix == ".jpg" else depth)
    assert read(write(tmp_path / f"a{suffix}", smooth())).depth == 8


@pytest.mark.parametrize("depth", [8, 16])
def test_bits_can_be_asked_for(tmp_path: Path, depth: int) -> None:
    like = Picture(smooth(), None, "", depth=24 - depth)
    path = write(tmp_path / "a.png", smooth(), like=like, options=WriteOptions(bit_depth=str(depth)))
    assert read(path).depth == depth


def test_lower_quality_makes_smaller_files(tmp_path: Path) -> None:
    for suffix in set(images.SUFFIXES) - {".png", ".tif", ".tiff"}:
        sizes = [
            write(tmp_path / f"a{suffix}", noise(), options=WriteOptions(quality=quality)).stat().st_size
            for quality in (30, 95)
        ]
        assert sizes[0] < sizes[1]


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("a.jpg", WriteOptions(bit_depth="16"), "PNG or TIFF"),
        ("a.png", WriteOptions(bit_depth="12"), "unknown bit depth '12'"),
        ("a.png", WriteOptions(metadata="kept"), "did you mean keep?"),
        ("a.jpg", WriteOptions(quality=0), "1 to 100, not 0"),
        ("a.jpg", WriteOptions(quality=101), "1 to 100, not 101"),
    ],
)
def test_options_that_cannot_be_are_named_by_checking_and_by_writing(
    tmp_path: Path, name: str, options: WriteOptions, words: str
) -> None:
    with pytest.raises(UserError, match=name) as caught:
        write(tmp_path / name, smooth(), options=options)
    assert words in said(caught.value)
    assert said(check_output(tmp_path / name, options)) == said(caught.value)
    assert contents(tmp_path) == {}


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
        ("a.pgn", "unknown suffix '.pgn' choose from .avif"),
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
