"""How a picture is written, from the command line: bits, metadata, profile, and where its colors come from."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import ExifTags, Image

from nst import images
from nst.images import WriteOptions, color_transfer, read, read_text

pytestmark = pytest.mark.frameworks


@pytest.fixture
def photograph(here, photo):
    """`content.tif` beside the others: 16 bits, a camera's name."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Camera"
    like = images.Picture(photo(36, 48), None, "", exif=exif.tobytes())
    return images.write("content.tif", photo(36, 48), like=like, options=WriteOptions(bit_depth="16"))


def made(nst, fast, *words):
    done = nst("stylize", "content.tif", "style.png", "-o", "out.tif", *fast, *words)
    assert (done.code, done.out) == (0, ""), done.err
    return done


def camera(path="out.tif"):
    with Image.open(path) as image:
        return image.getexif().get(ExifTags.Base.Make)


def test_bits_metadata_and_recipe_follow_the_content(nst, photograph, fast):
    made(nst, fast)
    assert (read("out.tif").depth, camera()) == (16, "Camera")
    assert json.loads(read_text("out.tif"))["recipe"]["size"] == 48


def test_bits_and_metadata_can_be_chosen(nst, photograph, fast):
    made(nst, fast, "--bit-depth", "8", "--metadata", "strip")
    assert (read("out.tif").depth, camera()) == (8, None)


def test_quality_decides_how_large_a_jpeg_is(nst, photograph, fast, here):
    for quality in ("20", "95"):
        nst("stylize", "content.tif", "style.png", "-o", f"{quality}.jpg", *fast, "--quality", quality)
    assert (here / "20.jpg").stat().st_size < (here / "95.jpg").stat().st_size


def test_a_profile_that_is_not_there_is_told(nst, photograph, fast, here):
    Image.new("L", (48, 36), 90).save("content.tif")
    assert "no RGB profile" in made(nst, fast, "--keep-profile").err


def test_a_profile_is_kept_where_wished(nst, photograph, fast):
    kept = images.profile.srgb() + b"\0\0\0\0"  # of another length, and so to be told apart
    with Image.open("style.png") as image:
        image.save("content.tif", icc_profile=kept)
    for words, expected in ((["--keep-profile"], kept), ([], images.profile.srgb())):
        assert "no RGB profile" not in made(nst, fast, *words).err
        with Image.open("out.tif") as image:
            assert image.info["icc_profile"] == expected


def test_color_is_a_field_of_the_recipe_like_any_other(nst, here, fast):
    for mode in ("style", "luminance"):
        done = nst("stylize", "content.png", "style.png", "-o", f"out-{mode}.png", *fast, "--color", mode)
        assert done.code == 0, done.err
    painted, kept = (read(f"out-{mode}.png").pixels for mode in ("style", "luminance"))
    expected = color_transfer.luminance(painted, read("content.png").pixels)
    np.testing.assert_allclose(kept, expected, atol=1.5 / 255)
    assert json.loads(read_text("out-luminance.png"))["recipe"]["color"] == "luminance"


def test_every_wrong_choice_is_told_at_once(nst, here, fast):
    done = nst("stylize", "content.png", "style.png", "-o", "out.jpg", *fast, "--bit-depth", "16", "--color", "sepia")
    assert done.code == 2
    assert len(done.errors) == 2
    assert "JPEG has 8 bits" in done.errors[0]
    assert done.errors[1] == "unknown color mode 'sepia'"
