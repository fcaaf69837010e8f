"""Previews: small, like the picture, and never too many."""

from __future__ import annotations

import io
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from nst.worker import previews
from nst.worker.previews import Previews, jpeg


@pytest.fixture
def clock(monkeypatch):
    """A clock that goes when told to."""
    found = SimpleNamespace(now=0.0)
    monkeypatch.setattr(previews.time, "monotonic", lambda: found.now)
    return found


def shown(clock, photo, *, seconds=0.0, steps=0, cost=0.0, pace=1.0, count=20):
    """The steps at which there is a preview that takes `cost` seconds, of `count` steps that take `pace` each."""
    told = []

    def tell(preview):
        clock.now += cost
        told.append(preview.step)

    watch = Previews(seconds, steps, 16, tell)
    for step in range(1, count + 1):
        clock.now += pace
        watch(SimpleNamespace(step=step, size=48, pixels=lambda: photo(36, 48)))
    return told


def test_previews_come_every_so_many_steps(clock, photo):
    assert shown(clock, photo, steps=5) == [5, 10, 15, 20]


def test_previews_come_every_so_many_seconds(clock, photo):
    assert shown(clock, photo, seconds=8) == [8, 16]


def test_there_are_none_unless_asked_for(clock, photo):
    assert shown(clock, photo) == []


@pytest.mark.parametrize("when", [{"seconds": 1e-9}, {"steps": 1}])
def test_what_takes_long_is_done_less_often(clock, photo, when):
    """A preview of half a second costs two hundredths of the time that steps take."""
    told = shown(clock, photo, cost=0.5, count=100, **when)
    assert len(told) == 4
    assert 0.5 * len(told) <= previews.SHARE * clock.now + 0.5


def test_a_preview_looks_like_the_picture(photo):
    found = Image.open(io.BytesIO(jpeg(photo(64, 96), 48)))
    assert (found.format, found.size) == ("JPEG", (48, 32))
    small = Image.fromarray(np.rint(photo(64, 96) * 255).astype(np.uint8)).resize((48, 32), Image.Resampling.BOX)
    assert np.abs(np.asarray(found, float) - np.asarray(small, float)).mean() < 10


def test_a_small_picture_is_not_enlarged(photo):
    assert Image.open(io.BytesIO(jpeg(photo(8, 10), 512))).size == (10, 8)
