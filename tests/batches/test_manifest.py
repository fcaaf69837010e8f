"""Files that list pictures: what is read of them, and what is wrong with the file or with one picture of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from nst.batches.manifest import read_csv, read_toml
from nst.errors import Mistakes, UserError


def csv(text: str, encoding: str = "utf-8") -> Path:
    path = Path("lists/pairs.csv")
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding)
    return path


def toml(text: str) -> Path:
    path = Path("lists/pairs.toml")
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def test_a_line_says_what_to_paint_like_what_and_how(desk):
    (row,) = read_csv(csv("content,style,output,size,style-scale\ncat.png,sea.png; sky.png,x.png,64,0.5\n"))
    assert (row.number, row.content, row.styles) == (1, "lists/cat.png", ["lists/sea.png", "lists/sky.png"])
    assert (row.output, row.recipe, row.error) == ("x.png", {"size": 64, "style_scale": (0.5,)}, None)


def test_an_empty_cell_says_nothing(desk):
    (row,) = read_csv(csv("content,style,output,size\n/a/cat.png,s3://b/sea.png,,\n"))
    assert (row.content, row.styles, row.output, row.recipe) == ("/a/cat.png", ["s3://b/sea.png"], "", {})


def test_every_missing_column_is_named(desk):
    with pytest.raises(UserError) as raised:
        read_csv(csv("picture\ncat.png\n"))
    assert raised.value.errors[0].message == "'lists/pairs.csv' has no column content, style"
    assert raised.value.errors[1].message == "unknown column in 'lists/pairs.csv': 'picture'"


def test_a_column_that_nobody_knows_may_be_a_slip(desk):
    with pytest.raises(UserError, match="unknown column") as raised:
        read_csv(csv("content,style,contentweight\n"))
    assert "did you mean content_weight" in raised.value.hint


def test_a_column_may_come_but_once(desk):
    with pytest.raises(UserError, match="has the column style twice"):
        read_csv(csv("content,style,style\n"))


def test_a_table_from_a_spreadsheet_is_read(desk):
    assert len(read_csv(csv("content,style\r\ncat.png,sea.png\r\n", "utf-8-sig"))) == 1


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"content,style\n\xe9,\n", b'content,style\n"a'])
def test_what_is_no_csv_is_refused_whole(desk, data):
    path = csv("")
    path.write_bytes(data)
    with pytest.raises(UserError, match=r"is not CSV in UTF-8|has no column"):
        read_csv(path)


def test_an_empty_file_lacks_its_columns(desk):
    with pytest.raises(UserError, match="has no column content, style"):
        read_csv(csv(""))


def test_a_list_of_nothing_is_a_mistake(desk):
    with pytest.raises(UserError, match="lists no picture"):
        read_csv(csv("content,style\n"))


def test_a_file_that_is_not_there_is_named(desk):
    with pytest.raises(UserError, match=r"cannot read 'gone\.csv'"):
        read_csv(Path("gone.csv"))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("cat.png", "it has not as many cells as the first line"),
        ("cat.png,sea.png,64,more", "it has not as many cells as the first line"),
        (",sea.png,64", "it has no content"),
        (",,", "it has no content and no style"),
        ("cat.png,sea.png,large", "--size: must be a whole number, not 'large'"),
    ],
)
def test_what_is_wrong_with_a_line_is_that_line_s_own(desk, line, message):
    good, bad = read_csv(csv(f"content,style,size\ncat.png,sea.png,64\n{line}\n"))
    assert good.error is None
    assert bad.error.message == f"row 2 of 'pairs.csv': {message}"


def test_a_toml_file_has_a_recipe_for_all_and_one_for_each(desk):
    shared, (first, second) = read_toml(
        toml(
            """
            [recipe]
            size = 512
            [[picture]]
            content = "cat.png"
            style = "sea.png"
            [[picture]]
            content = "dog.png"
            style = ["sea.png", "sky.png"]
            output = "dogs/dog.png"
            mask = ["sky.png:sea.png,cat.png"]
            protect = "face.png"
            recipe = { content_weight = 3 }
            """
        )
    )
    assert shared == {"size": 512}
    assert (first.content, first.styles, first.recipe) == ("lists/cat.png", ["lists/sea.png"], {})
    assert (second.output, second.recipe) == ("dogs/dog.png", {"content_weight": 3.0})
    assert second.masks == [("lists/sky.png", ["lists/sea.png", "lists/cat.png"])]
    assert second.protect == "lists/face.png"


@pytest.mark.parametrize("text", ["", "size = 3", "picture = 3", "[picture]\ncontent = 'a'", "recipe = 3\n[[picture]]"])
def test_what_is_no_manifest_says_what_one_has(desk, text):
    with pytest.raises(UserError, match="is not a manifest") as raised:
        read_toml(toml(text))
    assert "[[picture]]" in raised.value.hint


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("content = 3\nstyle = 'a'", "its content is not text: 3"),
        ("content = 'a'\nstyle = [3]", "its style is not text: 3"),
        ("content = 'a'\nstyle = 'b'\nrecipe = 3", "its recipe is not a table: 3"),
        ("content = 'a'\nstyles = 'b'", "unknown name in [[picture]]: 'styles'"),
        ("content = 'a'\nstyle = 'b'\nmask = 'c'", "--mask 'c' is not MASK:STYLE"),
        ("content = 'a'\nstyle = 'b'\nrecipe = { stile = 3 }", "unknown recipe field 'stile'"),
    ],
)
def test_what_is_wrong_with_a_table_is_that_picture_s_own(desk, table, message):
    _, (row, good) = read_toml(toml(f"[[picture]]\n{table}\n[[picture]]\ncontent = 'a'\nstyle = 'b'"))
    assert row.error.message == f"row 1 of 'pairs.toml': {message}"
    assert good.error is None


def test_several_mistakes_of_a_picture_are_told_together(desk):
    (row,) = read_csv(csv("content,style,size,levels\na,b,x,y\n"))
    assert not isinstance(row.error, Mistakes)
    assert "--size" in row.error.message
    assert "--levels" in row.error.message
