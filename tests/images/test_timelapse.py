"""A run as a film: thinned, enlarged to the finished picture, which stands for a second at its end."""

from __future__ import annotations

import errno
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence

from nst.errors import NstError
from nst.images import timelapse
from nst.images.timelapse import Timelapse, check

PILLOW = [".gif", ".webp", ".png", ".apng"]


@pytest.fixture
def film(tmp_path, photo):
    """`film(suffix, *shapes)`: the path of a film of frames of these shapes, and of a finished one of 24×30."""

    def make(suffix: str, *shapes: tuple[int, int], finished: tuple[int, int] = (24, 30)) -> Path:
        path = tmp_path / f"film{suffix}"
        made = Timelapse(path, len(shapes))
        for seed, shape in enumerate(shapes):
            made.add(photo(*shape, seed=seed))
        made.write(photo(*finished, seed=99))
        return path

    return make


def frames(path: Path) -> list[tuple[np.ndarray, float]]:
    """Each frame in 0..1, and its milliseconds."""
    with Image.open(path) as image:
        found = []
        for frame in ImageSequence.Iterator(image):
            pixels = np.asarray(frame.convert("RGB"), np.float32) / 255  # WebP knows the duration once it has loaded
            found.append((pixels, frame.info["duration"]))
        return found


@pytest.mark.parametrize("suffix", PILLOW)
def test_frames_of_every_size_become_one_film(film, photo, suffix):
    found = frames(film(suffix, (12, 15), (12, 15), (24, 30)))
    assert [pixels.shape for pixels, _ in found] == [(24, 30, 3)] * 4
    assert [milliseconds for _, milliseconds in found] == [200, 200, 200, 1000]
    lights = [pixels.mean(-1) for pixels, _ in found]  # WebP has half the resolution in color
    tolerance = {".gif": 0.1, ".webp": 0.1}.get(suffix, 0.004)
    assert np.abs(lights[2] - photo(24, 30, seed=2).mean(-1)).mean() < tolerance
    assert np.abs(lights[3] - photo(24, 30, seed=99).mean(-1)).mean() < tolerance
    small = Image.fromarray((photo(12, 15, seed=1) * 255).round().astype(np.uint8))
    enlarged = np.asarray(small.resize((30, 24), Image.Resampling.BICUBIC))
    assert np.abs(lights[1] - enlarged.mean(-1) / 255).mean() < tolerance


def test_an_mp4_has_even_sides_and_a_second_of_the_finished_picture(film):
    ffmpeg = pytest.importorskip("imageio_ffmpeg")
    path = film(".mp4", (12, 15), (24, 30), finished=(25, 31))
    assert ffmpeg.count_frames_and_secs(str(path)) == (2 + timelapse.SLOWEST, pytest.approx(1.4, abs=0.01))
    assert next(ffmpeg.read_frames(str(path)))["size"] == (30, 24)


@pytest.mark.parametrize(("steps", "wanted"), [(1, 1), (40, 40), (250, 250), (251, 126), (5000, 250)])
def test_a_long_run_is_thinned_evenly_from_its_first_step_on(tmp_path, steps, wanted):
    film = Timelapse(tmp_path / "film.gif", steps)
    kept = [step for step in range(1, steps + 1) if film.wants(step)]
    assert (len(kept), kept[0]) == (wanted, 1)
    assert len({b - a for a, b in pairwise(kept)}) <= 1


@pytest.mark.parametrize(("count", "rate"), [(1, 5), (100, 10), (250, 25)])
def test_few_frames_are_shown_slowly(tmp_path, photo, count, rate):
    film = Timelapse(tmp_path / "film.gif", count)
    for _ in range(count):
        film.add(photo(2, 2))
    assert film.rate == rate


def test_a_film_too_large_to_hold_is_smaller(film, monkeypatch):
    monkeypatch.setattr(timelapse, "ROOM", 3 * 12 * 15)
    assert {pixels.shape for pixels, _ in frames(film(".png", (24, 30), (24, 30)))} == {(12, 15, 3)}


def test_values_beyond_what_can_be_shown_are_clipped(tmp_path):
    film = Timelapse(tmp_path / "film.png", 1)
    film.add(np.full((4, 4, 3), -0.5, np.float32))
    film.write(np.full((4, 4, 3), 1.5, np.float32))
    assert [pixels.mean() for pixels, _ in frames(tmp_path / "film.png")] == [0, 1]


def test_a_full_disk_costs_a_frame_and_not_those_before(tmp_path, photo, monkeypatch):
    class Full:
        def __init__(self, file):
            self.file = file

        def write(self, data):
            self.file.write(memoryview(data).cast("B")[:5])
            raise OSError(errno.ENOSPC, "No space left on device")

        def __getattr__(self, name):
            return getattr(self.file, name)

    film = Timelapse(tmp_path / "film.png", 3)
    film.add(photo(4, 4))
    whole = film._file
    monkeypatch.setattr(film, "_file", Full(whole))
    with pytest.raises(NstError, match="No space left on device"):
        film.add(photo(4, 4, seed=1))
    monkeypatch.setattr(film, "_file", whole)
    film.add(photo(4, 4, seed=2))
    film.write(photo(4, 4, seed=3))
    shown = [pixels for pixels, _ in frames(tmp_path / "film.png")]
    for pixels, seed in zip(shown, (0, 2, 3), strict=True):
        np.testing.assert_allclose(pixels, photo(4, 4, seed=seed), atol=0.003)


def test_a_film_that_cannot_be_written_leaves_the_old_one(tmp_path, photo):
    path = tmp_path / "film.gif"
    path.mkdir()
    film = Timelapse(path, 1)
    film.add(photo(4, 4))
    with pytest.raises(NstError, match="cannot write"):
        film.write(photo(4, 4))
    assert [each.name for each in tmp_path.iterdir()] == ["film.gif"]


@pytest.mark.parametrize(
    ("error", "reason"), [(ValueError("quantization error"), "quantization"), (MemoryError(), "memory")]
)
def test_a_film_for_which_memory_runs_out_is_said_to_be_the_film(film, photo, monkeypatch, error, reason):
    """So that nobody takes the picture, which is written, for lost."""

    def too_little(*given, **options):
        raise error

    monkeypatch.setattr(Image.Image, "quantize", too_little)
    with pytest.raises(NstError, match=f"cannot write .*{reason}") as caught:
        film(".gif")
    assert caught.value.hint == "the picture is written"


def test_no_other_suffix_is_a_film():
    assert "'film.avi' is not a film" in check(Path("film.avi")).message
    assert check(Path("FILM.GIF")) is None


def test_an_mp4_without_its_encoder_names_the_pip_line(monkeypatch):
    monkeypatch.setattr(timelapse, "find_spec", lambda name: None)
    assert "pip install 'nst[video]'" in check(Path("film.mp4")).hint
    assert check(Path("film.webp")) is None
