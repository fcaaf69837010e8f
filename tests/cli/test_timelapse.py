"""`--timelapse`: a film beside the picture, whatever ends the run."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageSequence

from nst import load_image
from nst.cli import session

pytestmark = pytest.mark.frameworks

PAIR = ["content.png", "style.png", "-o", "out.png"]


def test_a_film_shows_each_step_and_ends_with_the_picture(nst, here, unsized):
    words = [*PAIR, *unsized, "--sizes", "32,48", "--steps", "2,3", "--timelapse", "film.png", "--save-every", "4"]
    assert nst("stylize", *words).code == 0
    with Image.open("film.png") as film:
        assert film.size == (48, 36)
        shown = [frame.info["duration"] for frame in ImageSequence.Iterator(film)]
        assert sum(shown) == 5 * 200 + 1000, "equal frames, such as the best step and the finished picture, may be one"
        film.seek(film.n_frames - 1)
        last = np.asarray(film.convert("RGB"), np.float32) / 255
    np.testing.assert_allclose(last, load_image("out.png"), atol=1e-6)
    assert sorted(each.name for each in here.iterdir() if each.suffix == ".png") == [
        "content.png",
        "film.png",
        "out-0004.png",
        "out.png",
        "style.png",
    ]


def test_a_film_changes_nothing_in_the_picture(nst, here, fast):
    nst("stylize", *PAIR, *fast)
    plain = load_image("out.png")
    nst("stylize", *PAIR, *fast, "--timelapse", "film.gif")
    np.testing.assert_array_equal(load_image("out.png"), plain)


def test_ctrl_c_gives_the_film_so_far(nst, here, fast, monkeypatch):
    def impatient(self, progress):
        if progress.step == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(session.Watcher, "show", impatient)
    assert nst("stylize", *PAIR, *fast, "--timelapse", "film.gif").code == 130
    with Image.open("film.gif") as film:
        assert film.n_frames == 2


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("film.avi", "'film.avi' is not a film"),
        ("style.png", "--timelapse 'style.png' is another file of this run"),
        ("out.png", "--timelapse 'out.png' is another file of this run"),
        ("nowhere/film.gif", "cannot write 'nowhere/film.gif'"),
    ],
)
def test_a_film_that_could_not_be_is_refused_at_once(nst, here, fast, name, message):
    done = nst("stylize", *PAIR, *fast, "--timelapse", name)
    assert done.code == 2
    assert any(message in error for error in done.errors), done.err
    assert not (here / "out.png").exists()


ENCODERS = {
    "fails": "#!/bin/sh\necho 'Unknown encoder: libx264' >&2\nexit 1\n",
    "does nothing": "#!/bin/sh\nexit 0\n",
    "writes and fails": "#!/bin/sh\nfor last; do :; done\necho stump > $last\nexit 3\n",
    "is no program": "just a text\n",
}


@pytest.mark.parametrize("program", ENCODERS.values(), ids=ENCODERS)
def test_an_encoder_that_does_not_work_is_found_before_the_run(nst, here, fast, monkeypatch, program):
    pytest.importorskip("imageio_ffmpeg")
    encoder = here / "ffmpeg"
    encoder.write_text(program)
    encoder.chmod(0o755)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(encoder))
    done = nst("stylize", *PAIR, *fast, "--timelapse", "film.mp4")
    assert done.code == 2
    (error,) = done.errors
    assert error.startswith("--timelapse: ")
    assert done.hints == ["install FFmpeg with H.264, or choose .webp or .gif"]
    assert not (here / "film.mp4").exists()
    assert not (here / "out.png").exists()


def test_an_encoder_that_fails_at_the_end_leaves_the_picture_and_no_stump(nst, here, fast, monkeypatch):
    pytest.importorskip("imageio_ffmpeg")
    monkeypatch.setattr("nst.images.timelapse._check_encoder", lambda: None)
    encoder = here / "ffmpeg"
    encoder.write_text(ENCODERS["writes and fails"])
    encoder.chmod(0o755)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(encoder))
    done = nst("stylize", *PAIR, *fast, "--timelapse", "film.mp4")
    assert done.code == 1
    assert "failed: exit code 3" in done.errors[0]
    assert (here / "out.png").is_file()
    assert not (here / "film.mp4").exists()
