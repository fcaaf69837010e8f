"""Training brings the student nearer to its teacher, on the pictures its own optimizations lead to as well."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nst_torch.compress import closed_form
from nst_torch.compress.calibration import Calibration, centers
from nst_torch.compress.finetune import DEEP, WHOLE, Supply, finetune, targets
from nst_torch.compress.loss import STYLE_LAYERS, distance, gram, relative
from nst_torch.compress.pool import MOST_STEPS, Pool
from nst_torch.compress.stack import fixed

pytestmark = pytest.mark.frameworks
SIZE = 32


@pytest.fixture
def made(make_network, pictures):
    """Teacher, fits, student and a supply of pictures."""
    rng = np.random.default_rng(0)
    calibration = Calibration(pictures, SIZE, rng)
    teacher = fixed(make_network())
    widths = [len(bias) // 2 for _, bias in teacher.convs.values()]
    fits = list(closed_form.fit(teacher, calibration.draw(16), widths, torch.Generator().manual_seed(0), {}))
    return teacher, fits, closed_form.student(fits), calibration, rng


def errors(student, made, pictures):
    """On pictures of the same kind that training has not seen."""
    teacher, fits, *_ = made
    batch = Calibration(pictures, SIZE, np.random.default_rng(99)).draw(24)
    with torch.no_grad():
        terms = distance(dict(student.relus(batch)), targets(teacher, fits, batch), 6)
    return float(sum(terms.values()))


def test_training_lowers_the_distance_to_the_teacher(made, pictures):
    teacher, fits, start, calibration, rng = made
    supply = Supply(teacher, fits, calibration, Pool(calibration, 3, rng), rng)
    *_, last = finetune(start, fits, supply, 60)
    assert last.number == 60
    assert errors(last.student(), made, pictures) < 0.98 * errors(start, made, pictures)


@pytest.mark.parametrize("phase", [WHOLE, DEEP])
def test_what_a_phase_leaves_stays_and_the_start_is_not_changed(made, phase):
    teacher, fits, start, calibration, rng = made
    before = {name: kernel.clone() for name, (kernel, _) in start.convs.items()}
    supply = Supply(teacher, fits, calibration, Pool(calibration, 3, rng), rng)
    supply.enter(phase)
    *_, last = finetune(start, fits, supply, 3)
    for name, (kernel, _) in last.student().convs.items():
        assert torch.equal(start.convs[name][0], before[name])
        assert torch.equal(kernel, before[name]) == (name <= phase.frozen), name


def test_no_error_is_no_distance(made, pictures):
    teacher, fits, *_ = made
    wanted = targets(teacher, fits, centers(pictures[0], SIZE))
    assert all(float(term) < 1e-3 for term in distance(wanted, wanted, 1).values())


def test_pictures_of_the_pool_go_down_the_student_s_own_loss(made):
    _, _, student, calibration, rng = made
    pool = Pool(calibration, 2, rng)

    def style_loss(images, styles):
        found, wanted = dict(student.relus(images)), dict(student.relus(styles))
        return float(sum(relative(gram(found[name]), gram(wanted[name])).sum() for name in STYLE_LAYERS))

    for work in pool.works:
        work.weight, work.rate, work.steps = 0.0, 0.01, 1000
    first, last = pool.advance(student, 2, 1), pool.advance(student, 2, 15)
    assert style_loss(*last) < 0.9 * style_loss(*first)


def test_a_finished_picture_gives_way_to_another(made):
    _, _, student, calibration, rng = made
    pool = Pool(calibration, 1, rng)
    (work,) = pool.works
    pool.advance(student, 1, 1)
    assert pool.works == [work]
    work.steps = 1
    pool.advance(student, 1, 1)
    assert pool.works[0] is not work
    assert 0 < pool.works[0].steps <= MOST_STEPS
