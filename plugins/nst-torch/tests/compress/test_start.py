"""A slim network made earlier is recognized by what it does, and gone on from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from nst_torch.compress import closed_form
from nst_torch.compress.calibration import Calibration
from nst_torch.compress.stack import Stack, fixed
from nst_torch.compress.start import identify

pytestmark = pytest.mark.frameworks
DEPTH = 6


@pytest.fixture
def batch(pictures):
    return Calibration(pictures, 32, np.random.default_rng(0)).draw(32)


@pytest.fixture
def teacher(make_network):
    return fixed(make_network(depth=DEPTH))


def fitted(teacher, batch, widths, known):
    return list(closed_form.fit(teacher, batch, widths, torch.Generator().manual_seed(0), known))


@pytest.fixture
def slim(teacher, batch):
    """The fits of a network of three channels a layer."""
    return fitted(teacher, batch, [3] * DEPTH, {})


def shuffled(fits):
    """The same network with its channels in another order and of other sizes."""
    rng, convs, before = np.random.default_rng(1), {}, None
    for fit in fits:
        order, sizes = torch.from_numpy(rng.permutation(3)), torch.from_numpy(rng.uniform(0.5, 2, 3)).float()
        kernel, bias = fit.conv
        kernel = kernel if before is None else (kernel / before[1][:, None, None])[:, before[0]]
        convs[fit.name] = (kernel * sizes[:, None, None, None])[order], (bias * sizes)[order]
        before = order, sizes
    return Stack(closed_form.student(fits).mean, convs)


def test_its_channels_are_told_by_what_they_do(teacher, batch, slim):
    known = identify(teacher, shuffled(slim), batch)
    for fit in slim[:2]:
        assert sorted(known[fit.name].channels.tolist()) == fit.channels.tolist(), fit.name


def test_no_two_channels_stand_for_one(teacher, batch, slim):
    for each in identify(teacher, shuffled(slim), batch).values():
        assert len(set(each.channels.tolist())) == 3


def test_a_wider_student_keeps_the_channels(teacher, batch, slim):
    known = identify(teacher, shuffled(slim), batch)
    for fit in fitted(teacher, batch, [4, 4, 5, 5, 5, 5], known):
        assert set(known[fit.name].channels.tolist()) <= set(fit.channels.tolist()), fit.name


def test_channels_that_explain_much_less_than_others_are_given_up(teacher, batch, slim):
    poor = list(fitted(teacher, batch, [1] * DEPTH, {}))
    known = identify(teacher, closed_form.student(poor), batch)
    silent = {name: replace(each, channels=torch.tensor([3])) for name, each in known.items()}
    chosen = [fit.channels.tolist() for fit in fitted(teacher, batch, [1] * DEPTH, silent)]
    assert chosen == [fit.channels.tolist() for fit in poor]


def test_a_start_of_the_same_widths_is_carried_on_as_it_is(teacher, batch, slim):
    """Order and sizes of its channels are the teacher's again, and nothing else has changed."""
    start = shuffled(slim)
    known = identify(teacher, start, batch)
    again = closed_form.student(fitted(teacher, batch, [3] * DEPTH, known))
    for (name, theirs), (_, ours) in zip(start.relus(batch), again.relus(batch), strict=True):
        order = torch.argsort(known[name].channels)
        sizes = ours.flatten(2).norm(dim=2).sum(0) / theirs[:, order].flatten(2).norm(dim=2).sum(0)
        torch.testing.assert_close(ours, theirs[:, order] * sizes[:, None, None], rtol=1e-3, atol=1e-3)


def test_a_channel_that_does_not_show_has_the_scale_of_the_others(teacher, batch, slim):
    start = closed_form.student(slim)
    kernel, bias = start.convs["conv3_1"]
    faint = torch.tensor([1, 1, 1e-6])
    convs = {**start.convs, "conv3_1": (kernel * faint[:, None, None, None], bias * faint)}
    scales = identify(teacher, Stack(start.mean, convs), batch)["conv3_1"].scales
    assert float(scales.max() / scales.min()) < 2.5
