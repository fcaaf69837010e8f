"""Write a time-lapse of a run: store frames on disk during the run, then encode them as MP4, GIF, WebP or APNG."""

from __future__ import annotations

import io
import math
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from importlib.util import find_spec
from itertools import repeat
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nst.errors import NstError, UserError
from nst.io import atomic
from nst.protocols import Pixels

FORMATS = {".mp4": "MP4", ".gif": "GIF", ".webp": "WEBP", ".png": "PNG", ".apng": "PNG"}
LENGTH = 10  # seconds at most, but for the end
SLOWEST, FASTEST = 5, 25  # frames a second
HELD = 1  # seconds for which the finished picture stands
ROOM = 128e6  # pixels of all frames together that Pillow may hold while it writes
SAVING: dict[str, dict[str, Any]] = {
    "WEBP": {"quality": 85, "method": 0},
    "PNG": {"compress_level": 3},
    "GIF": {"optimize": False},
}

Frame = NDArray[np.uint8]


def check(path: Path) -> UserError | None:
    """Return the error that stops writing a film at `path`, by its name and by trying the encoder; else None."""
    if path.suffix.lower() not in FORMATS:
        return UserError(f"--timelapse: '{path.name}' is not a film", f"choose from {', '.join(FORMATS)}")
    if path.suffix.lower() == ".mp4" and find_spec("imageio_ffmpeg") is None:
        return UserError("--timelapse: MP4 needs imageio-ffmpeg", "pip install 'nst[video]', or choose .webp or .gif")
    return _check_encoder() if path.suffix.lower() == ".mp4" else None


def _check_encoder() -> UserError | None:
    """Return the error of encoding a black frame, or None."""
    try:
        _encode([bytes(16 * 16 * 3)] * 2, (16, 16), SLOWEST, io.BytesIO())
    except OSError as error:
        return UserError(f"--timelapse: {error}", "install FFmpeg with H.264, or choose .webp or .gif")
    return None


class Timelapse:
    """The film of a run, reduced to at most `LENGTH` seconds. Its frames are stored in an unnamed temporary file."""

    def __init__(self, path: Path, steps: int) -> None:
        self._path = path
        self._every = max(1, math.ceil(steps / (LENGTH * FASTEST)))
        self._shapes: list[tuple[int, ...]] = []
        try:  # unbuffered: what finds no room now must not be tried again later
            self._file = tempfile.TemporaryFile(buffering=0, dir=path.parent)  # noqa: SIM115
        except OSError as error:
            raise NstError(f"cannot write '{path}': {error.strerror}", "make room on the disk") from error

    def wants(self, step: int) -> bool:
        """Return whether the film shows this step, counted from 1."""
        return (step - 1) % self._every == 0

    def add(self, pixels: Pixels) -> None:
        """Add a frame. Raises `NstError` if the disk is full; earlier frames are kept."""
        frame = _frame(pixels)
        try:
            self._file.seek(sum(map(math.prod, self._shapes)))
            left = frame.reshape(-1).data
            while left:
                left = left[self._file.write(left) :]
        except OSError as error:
            raise NstError(f"a frame of the film is lost: {error.strerror}", "make room on the disk") from error
        self._shapes.append(frame.shape)

    def write(self, finished: Pixels) -> None:
        """Write the film, enlarged to the finished picture, which is its last frame. Raises `NstError`."""
        kind = FORMATS[self._path.suffix.lower()]
        save = partial(_mp4, self, finished) if kind == "MP4" else partial(_animated, self, finished, kind)
        try:
            atomic.replace(self._path, save)
        except (OSError, MemoryError, ValueError) as error:  # Pillow calls want of memory a ValueError now and then
            reason = getattr(error, "strerror", "") or str(error) or "not enough memory"
            raise NstError(f"cannot write '{self._path}': {reason}", "the picture is written") from error

    @property
    def rate(self) -> int:
        """Return the frames per second."""
        return min(FASTEST, max(SLOWEST, round(len(self._shapes) / LENGTH)))

    def frames(self, finished: Pixels, height: int, width: int) -> Iterator[Image.Image]:
        """Yield every frame at this size in pixels, the finished picture last."""
        self._file.seek(0)
        for shape in self._shapes:
            data = np.frombuffer(self._file.read(math.prod(shape)), np.uint8)
            yield _sized(data.reshape(shape), height, width)
        yield _sized(_frame(finished), height, width)

    def __len__(self) -> int:
        """Return the number of frames, including the finished picture."""
        return len(self._shapes) + 1


def _frame(pixels: Pixels) -> Frame:
    return np.ascontiguousarray((np.clip(pixels, 0, 1) * 255).round(), np.uint8)


def _sized(frame: Frame, height: int, width: int) -> Image.Image:
    image = Image.fromarray(frame)
    return image if image.size == (width, height) else image.resize((width, height), Image.Resampling.BICUBIC)


def _animated(film: Timelapse, finished: Pixels, kind: str, file: BinaryIO) -> None:
    """Encode with Pillow, which keeps all frames in memory: frames that exceed `ROOM` bytes together are reduced."""
    height, width = finished.shape[:2]
    scale = min(1.0, math.sqrt(ROOM / (len(film) * height * width)))
    frames = [*film.frames(finished, max(1, round(height * scale)), max(1, round(width * scale)))]
    first, *others = _in_one_palette(frames) if kind == "GIF" else frames
    durations = [round(1000 / film.rate)] * len(others) + [1000 * HELD]
    how = {"save_all": True, "append_images": others, "duration": durations, "loop": 0}
    first.save(file, kind, **how, **SAVING[kind])


def _in_one_palette(frames: list[Image.Image]) -> list[Image.Image]:
    """Quantize all frames to one palette of 256 colors, taken from some of them and the last: fast, without flicker."""
    shown = frames[:: -max(1, len(frames) // 8)]
    width, height = shown[0].size
    mosaic = Image.new("RGB", (width, height * len(shown)))
    for i, frame in enumerate(shown):
        mosaic.paste(frame, (0, i * height))
    palette = mosaic.quantize(256)
    return [frame.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG) for frame in frames]


def _mp4(film: Timelapse, finished: Pixels, file: BinaryIO) -> None:
    """Encode with FFmpeg, frame by frame. H.264 requires even sides, so an odd last row or column is cut off."""
    height, width = finished.shape[:2]
    even = max(2, width - width % 2), max(2, height - height % 2)
    cropped = (image.crop((0, 0, *even)).tobytes() for image in film.frames(finished, height, width))
    _encode(_held(cropped, film.rate * HELD), even, film.rate, file)


def _held(frames: Iterable[bytes], count: int) -> Iterator[bytes]:
    """Yield the frames, and the last one so many times."""
    last = b""
    for last in frames:
        yield last
    yield from repeat(last, count - 1)


def _encode(frames: Iterable[bytes], size: tuple[int, int], rate: int, file: BinaryIO) -> None:
    """Encode frames (width, height) of 8-bit RGB as H.264. Raises `OSError` with FFmpeg's reason if it fails."""
    import imageio_ffmpeg

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        source = ("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{size[0]}x{size[1]}", "-r", str(rate), "-i", "-")
        target = ("-c:v", "libx264", "-crf", "10", "-pix_fmt", "yuv420p", "-preset", "veryfast")
        command = [_found(imageio_ffmpeg.get_ffmpeg_exe), "-y", "-loglevel", "error", *source, *target]
        command += ["-movflags", "+faststart", str(path)]
        with tempfile.TemporaryFile() as log, _started(command, log) as encoder:
            assert encoder.stdin is not None
            with suppress(BrokenPipeError), encoder.stdin as pipe:
                for frame in frames:
                    pipe.write(frame)
            if encoder.wait() or not path.is_file() or not path.stat().st_size:
                log.seek(0)
                lines = log.read().decode(errors="replace").strip().splitlines() or [f"exit code {encoder.returncode}"]
                raise OSError(f"the encoder {command[0]} failed: {lines[-1]}")
        with path.open("rb") as film_file:
            shutil.copyfileobj(film_file, file)


def _found(find: Callable[[], str]) -> str:
    try:
        return find()
    except Exception as error:  # imageio-ffmpeg raises whatever its search trips over
        raise OSError(f"there is no FFmpeg: {error}") from error


@contextmanager
def _started(command: Sequence[str], log: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Start a program, and end it with the block, also after an exception."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=log) as program:
        try:
            yield program
        finally:
            program.kill()
