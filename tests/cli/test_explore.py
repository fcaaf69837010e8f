"""`nst explore` as typed. What it paints is in tests/explore."""

from __future__ import annotations

import pytest

from nst.compare import papers


def test_the_experiments_are_listed_without_any_picture(nst):
    done = nst("explore", "--list")
    assert done.code == 0
    assert [line.split()[0] for line in done.out.splitlines()] == papers.names()
    assert "CVPR 2016, figure 1" in done.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--paper", "fig2"], "unknown experiment 'fig2'"),
        (["--vary", "content-layers=relu1_1,relu2_1"], "gives fewer than two values"),
        ([], "nothing to explore"),
        (["--vary", "seed=1,2", "--seed", "3"], "--seed is both set and varied"),
    ],
)
def test_a_mistake_costs_nothing(nst, here, words, message):
    done = nst("explore", "content.png", "style.png", *words)
    assert done.code == 2
    assert any(message in error for error in done.errors), done.err
    assert not (here / "nst-explore").exists()
