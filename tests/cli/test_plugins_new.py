"""`nst plugins new`: what it says, and what it makes of mistakes."""

from __future__ import annotations

import pytest

from nst.plugins.scaffold import KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_it_writes_a_folder_and_prints_the_commands_that_try_it(nst, here, kind):
    done = nst("plugins", "new", "nst-mine", "--kind", kind)
    assert done.code == 0
    assert done.err == "Saved nst-mine: a working plugin. To install and test it:\n"
    assert done.out.splitlines()[:3] == ["cd nst-mine", "pip install -e '.[test]'", "pytest"]
    assert done.out.splitlines()[3].startswith(
        ("nst stylize content.jpg style.jpg -o out.png ", "nst batch --content content.jpg --style style.jpg -o out ")
    )
    assert " nst-mine" in done.out.splitlines()[3]
    assert (here / "nst-mine" / "pyproject.toml").is_file()


def test_it_goes_where_it_is_told(nst, here):
    (here / "my plugins").mkdir()
    done = nst("plugins", "new", "nst-mine", "--kind", "loss", "--into", "my plugins", "--author", "Ada <ada@x.org>")
    assert done.out.startswith("cd 'my plugins/nst-mine'\n")
    assert (
        'authors = [{ name = "Ada", email = "ada@x.org" }]' in (here / "my plugins/nst-mine/pyproject.toml").read_text()
    )


def test_every_mistake_is_told_at_once_with_what_to_do(nst, here):
    done = nst("plugins", "new", "json", "--kind", "los", "--into", "none", "--author", "<ada")
    assert (done.code, done.out) == (2, "")
    assert done.errors == [
        "'json' would hide Python's own module 'json'",
        "unknown kind 'los'",
        "there is no folder none",
        "--author '<ada' is not an author",
    ]
    assert done.hints == [
        "choose another, such as nst-json",
        "did you mean loss?",
        "mkdir -p none",
        "write it like 'Ada Lovelace <ada@example.org>'",
    ]


def test_a_kind_must_be_chosen(nst, here):
    done = nst("plugins", "new", "nst-mine")
    assert (done.code, done.errors) == (2, ["Missing option '--kind'."])
    assert "nst plugins new --help" in done.hints[0]


def test_a_second_time_it_says_what_is_in_the_way(nst, here):
    nst("plugins", "new", "nst-mine", "--kind", "loss")
    before = {path: path.read_bytes() for path in here.rglob("nst-mine/**/*") if path.is_file()}
    done = nst("plugins", "new", "nst-mine", "--kind", "loss")
    assert (done.code, done.errors) == (2, ["nst-mine exists already"])
    assert {path: path.read_bytes() for path in before} == before


def test_ctrl_c_leaves_nothing_half_made(nst, tmp_path, monkeypatch):
    written = []

    def interrupted(path, text, *_: object, **__: object) -> None:
        written.append(path)
        if len(written) == 3:
            raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pathlib.Path.write_text", interrupted)
    done = nst("plugins", "new", "nst-mine", "--kind", "loss")
    assert (done.code, done.err) == (130, "interrupted\n")
    assert len(written) == 3
    assert list(tmp_path.iterdir()) == []
