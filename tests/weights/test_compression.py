"""A compression's mistakes are found before any work is done."""

from __future__ import annotations

import re

import pytest

from nst.errors import UserError
from nst.weights.compression import CompressionTask, mistakes, picture_files, read_steps, read_widths


def test_one_width_per_block_is_one_per_convolution(make_network):
    assert read_widths("1,2,3,4,5", make_network("vgg16")) == (1, 1, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5)
    assert read_widths("4,6,8,8,8", make_network("vgg19", depth=9)) == (4, 4, 6, 6, 8, 8, 8, 8, 8)


def test_each_convolution_may_have_a_width_of_its_own(make_network):
    widths = "3,4,5,6,7,8,1,2,3,4,5,6,7,8,1,2"
    assert read_widths(widths, make_network()) == (3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("wide", "'wide' are not whole numbers"),
        ("1,2,,4,5", "'1,2,,4,5' are not whole numbers"),
        ("1,2,3", "has 3 numbers; vgg19 has 5 blocks, 16 convolutions"),
        ("5,6,8,8,8", "asks for 5 channels at conv1_1; the teacher has 4"),
        ("4,6,8,8,0", "asks for 0 channels at conv5_1"),
    ],
)
def test_widths_that_fit_no_network_are_refused(make_network, text, says):
    with pytest.raises(UserError, match=re.escape(says)) as caught:
        read_widths(text, make_network())
    assert caught.value.hint


def test_the_files_of_each_folder_come_in_order_without_hidden_ones(tmp_path):
    for name in ("b.png", "a.png", ".DS_Store"):
        (tmp_path / name).touch()
    (tmp_path / "inner").mkdir()
    (found,) = picture_files([tmp_path]).values()
    assert [file.name for file in found] == ["a.png", "b.png"]


@pytest.mark.parametrize(("folder", "says"), [("none", "no folder"), ("empty", "no pictures in")])
def test_folders_without_pictures_are_refused(tmp_path, folder, says):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=says):
        picture_files([tmp_path / folder])


def test_no_folder_at_all_is_refused():
    with pytest.raises(UserError, match="no --photos"):
        picture_files([])


def test_every_wrong_number_is_named_at_once(make_network):
    task = CompressionTask(make_network(depth=12), (), {}, seed=-1, steps=(-2, 0), crop=16)
    said = " ".join(error.message for error in mistakes(task))
    for part in ("ends at conv4_4; it must reach conv5_1", "--seed", "--steps", "--crop must be 32 to 512"):
        assert part in said


def test_a_whole_teacher_and_fair_numbers_are_no_mistake(make_network):
    assert mistakes(CompressionTask(make_network("vgg16"), (), {}, seed=0, steps=(0, 0), crop=128)) == []


def test_steps_are_two_numbers():
    assert read_steps("500,3000") == (500, 3000)
    for text in ("500", "1,2,3", "some,more"):
        with pytest.raises(UserError, match="are not two whole numbers"):
            read_steps(text)
