"""Where pictures go: the same names tomorrow, inside the folder, and over nothing that is read."""

from __future__ import annotations

import os
import sys

import pytest

from nst.batches.names import named
from nst.batches.rows import BatchRow, pairs


def test_a_picture_is_named_after_its_content_and_its_style(desk):
    rows = named(pairs(["photos"], ["paintings/sea.png"]), "out")
    assert [row.output for row in rows] == ["cat--sea.png", "dog--sea.png"]
    assert [row.error for row in rows] == [None, None]


def test_two_of_one_name_are_told_apart_whatever_else_there_is(desk):
    same = [BatchRow(1, "a/cat.png", ["sea.png"]), BatchRow(2, "b/cat.png", ["sea.png"])]
    first, second = (row.output for row in named(same, "out"))
    assert first != second
    assert {row.output for row in named([*same[::-1], BatchRow(3, "dog.png", ["sea.png"])], "out")} >= {first, second}


def test_a_recipe_of_its_own_tells_a_picture_apart_too(desk):
    rows = [BatchRow(1, "cat.png", ["sea.png"], recipe={"size": size}) for size in (1, 2)]
    assert len({row.output for row in named(rows, "out")}) == 2


@pytest.mark.parametrize(
    "output",
    [
        "../../etc/passwd",
        "../x.png",
        "/etc/x.png",
        "a/../../x.png",
        "C:\\x.png",
        "..\\x.png",
        "\\\\host\\x.png",
        "~/x.png",
    ],
)
def test_no_name_leads_out_of_the_folder(desk, output):
    (row,) = named([BatchRow(1, "photos/cat.png", ["paintings/sea.png"], output)], "out")
    assert row.error.message == f"the output '{output}' leads out of the folder"


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_no_link_leads_out_of_the_folder(desk):
    (desk / "out").mkdir()
    (desk / "out" / "away").symlink_to(desk / "photos")
    (row,) = named([BatchRow(1, "photos/cat.png", ["paintings/sea.png"], "away/x.png")], "out")
    assert "by a link" in row.error.message


def test_a_name_may_lead_into_a_folder_of_the_folder(desk):
    (row,) = named([BatchRow(1, "photos/cat.png", ["paintings/sea.png"], "cats/a.tif")], "out")
    assert row.error is None


@pytest.mark.parametrize("output", ["report.csv", "index.html", "x"])
def test_what_is_no_picture_is_refused(desk, output):
    (row,) = named([BatchRow(1, "photos/cat.png", ["paintings/sea.png"], output)], "out")
    assert row.error.message == f"the output '{output}' is not a picture"


def test_a_name_given_twice_is_nobody_s(desk):
    rows = [BatchRow(1, "a.png", ["b.png"], "x.png"), BatchRow(2, "c.png", ["b.png"], os.path.join(".", "x.png"))]
    assert ["two rows have the output" in row.error.message for row in named(rows, "out")] == [True, True]


def test_a_picture_that_is_read_is_not_written_over(desk):
    rows = [
        BatchRow(1, "photos/cat.png", ["paintings/sea.png"], "sky.png"),
        BatchRow(2, "photos/cat.png", ["paintings/sky.png"]),
    ]
    first, second = named(rows, "paintings")
    assert "is one of the pictures to read" in first.error.message
    assert second.error is None


def test_a_name_too_long_for_a_file_is_refused(desk):
    (row,) = named([BatchRow(1, "photos/cat.png", ["paintings/sea.png"], "x" * 252 + ".png")], "out")
    assert "is too long" in row.error.message
