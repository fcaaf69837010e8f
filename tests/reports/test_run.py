"""Test the curves and the facts of a report, and the check of its types."""

from __future__ import annotations

import json

import pytest

from nst.errors import UserError
from nst.reports import run


def test_losses_are_summed_over_layers_and_missing_terms_are_0(report):
    del report["history"][2]["terms"]["gram relu2_1"]
    assert run.losses(report) == {"loss": [7, 3.5, 7 / 3], "gram": [6, 3, 4 / 3], "content": [1, 0.5, 1 / 3]}


def test_each_term_has_a_curve(report):
    assert run.terms(report)["gram relu2_1"] == [2, 1, 2 / 3]
    assert len(run.terms(report)) == 3


def test_each_size_is_marked_at_its_first_step(report):
    assert run.sizes(report) == {1: "48 px", 3: "64 px"}


def test_facts_are_text(report):
    facts = run.facts(report)
    assert facts["sizes"] == "48 px: 2 steps, 64 px: 3 steps"
    assert (facts["steps taken"], facts["time"], facts["peak memory"]) == ("3", "12.3 s", "0.50 GB")
    assert facts["computed on"] == "cpu, float32"
    chosen = "--size 64, --style-layers relu1_1=1,relu2_1=0.5, --optimizer adam, --until 0.001"
    assert facts["chosen"] == chosen


def test_one_step_is_singular(report):
    facts = run.facts({**report, "history": report["history"][:1], "sizes": [64], "steps": [1]})
    assert facts["sizes"] == "64 px: 1 step"


def test_a_run_of_one_pass_has_no_steps(report):
    facts = run.facts({**report, "history": [], "sizes": [64], "steps": [0], "peak_memory": None})
    assert facts["sizes"] == "64 px: one pass"
    assert not {"steps taken", "peak memory"} & facts.keys()


def test_a_report_is_read_from_its_file(report, tmp_path):
    (tmp_path / "run.json").write_text(json.dumps(report))
    assert run.load_report(tmp_path / "run.json") == report


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "cannot read"),
        ("{", "is not JSON"),
        ("\xff", "is not JSON"),
        ("[]", "is not the report"),
        ('{"history": 3}', "is not the report"),
        (
            '{"history": [{"step": 1}], "recipe": {}, "stopped": "", "seconds": 1, "sizes": [], "steps": []}',
            "not the report",
        ),
        ('{"history": [], "columns": []}', "is not the report"),
    ],
)
def test_any_other_file_is_refused(tmp_path, text, words):
    if text is not None:
        (tmp_path / "run.json").write_text(text, "latin-1")
    with pytest.raises(UserError, match=words):
        run.load_report(tmp_path / "run.json")


@pytest.mark.parametrize(
    ("place", "value"),
    [
        *((("history", 0, name), "x") for name in ("step", "size", "loss", "terms")),
        *((("history", 0, "terms", "gram relu1_1"), value) for value in ("x", None, [], 10**400, True)),
        *((("history", 0, "terms"), value) for value in ([], dict.fromkeys(map(str, range(2000)), 1.0))),
        *(((name,), 3) for name in ("stopped", "backend", "notes", "versions", "recipe", "sizes", "steps")),
        *(((name,), "3") for name in ("seconds", "peak_memory", "sizes")),
        *((("sizes",), value) for value in ([64], ["64", "48"], [-1, 2])),
        *((("versions", "nst"), value) for value in (None, {})),
        (("recipe", "size"), "huge"),
        (("notes", 0), {}),
    ],
)
def test_a_report_with_a_wrong_type_is_refused(report, tmp_path, place, value):
    *keys, last = place
    parent = report
    for key in keys:
        parent = parent[key]
    parent[last] = value
    (tmp_path / "run.json").write_text(json.dumps(report))
    with pytest.raises(UserError, match="is not the report of a run"):
        run.load_report(tmp_path / "run.json")


def test_a_long_fact_is_cut(report):
    assert len(run.facts({**report, "backend": "x" * 10**6})["backend"]) == run.LONGEST
