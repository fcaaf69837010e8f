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


def test_a_session_has_one_visitor(visitors):
    assert visitors.enter("a") is visitors.enter("a")
    assert visitors.enter("a").folder != visitors.enter("b").folder
    assert len(visitors) == 2


def test_only_the_owner_of_the_server_can_read_the_folders(visitors):
    for folder in (visitors.root, visitors.enter("a").folder):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_end_of_a_session_deletes_its_files(visitors):
    folder = visitors.enter("a").folder
    (folder / "cat.png").write_bytes(b"cat")
    other = visitors.enter("b").folder
    visitors.leave("a")
    assert not folder.exists()
    assert other.exists()
    assert visitors.enter("a").pictures == []


def test_the_end_of_the_last_session_deletes_the_uploads(visitors):
    upload = visitors.cache / "1f" / "cat.png"
    upload.parent.mkdir()
    upload.write_bytes(b"cat")
    visitors.enter("a"), visitors.enter("b")
    visitors.leave("a")
    assert upload.exists()
    visitors.leave("b")
    assert list(visitors.cache.iterdir()) == []


def test_ending_an_unknown_session_does_nothing(visitors):
    visitors.leave("nobody")
    visitors.enter("a")
    visitors.leave("a")
    visitors.leave("a")
    assert len(visitors) == 0


def test_the_callback_runs_before_the_files_are_deleted():
    existed = []
    visitors = Visitors(lambda visitor: existed.append(visitor.folder.exists()))
    visitors.enter("a")
    visitors.close()
    assert existed == [True]
    assert not visitors.root.exists()
