"""Test the sessions: private folders, deleted at the end of a session."""

from __future__ import annotations

import stat

import pytest

from nst.ui.sessions import Visitors


@pytest.fixture
def visitors():
    visitors = Visitors()
    yield visitors
    visitors.close()


def test_a_visitor_is_the_same_for_as_long_as_the_page_is_open(visitors):
    assert visitors.enter("a") is visitors.enter("a")
    assert visitors.enter("a").folder != visitors.enter("b").folder
    assert len(visitors) == 2


def test_only_the_owner_of_the_server_can_look_into_the_folder(visitors):
    for folder in (visitors.root, visitors.enter("a").folder):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_who_leaves_leaves_nothing(visitors):
    folder = visitors.enter("a").folder
    (folder / "cat.png").write_bytes(b"cat")
    other = visitors.enter("b").folder
    visitors.leave("a")
    assert not folder.exists()
    assert other.exists()
    assert visitors.enter("a").pictures == []


def test_uploads_go_with_the_last_page(visitors):
    upload = visitors.cache / "1f" / "cat.png"
    upload.parent.mkdir()
    upload.write_bytes(b"cat")
    visitors.enter("a"), visitors.enter("b")
    visitors.leave("a")
    assert upload.exists()
    visitors.leave("b")
    assert list(visitors.cache.iterdir()) == []


def test_leaving_twice_or_without_having_come_is_no_mistake(visitors):
    visitors.leave("nobody")
    visitors.enter("a")
    visitors.leave("a")
    visitors.leave("a")
    assert len(visitors) == 0


def test_leaving_is_told_before_the_files_go():
    told = []
    visitors = Visitors(lambda visitor: told.append(visitor.folder.exists()))
    visitors.enter("a")
    visitors.close()
    assert told == [True]
    assert not visitors.root.exists()
