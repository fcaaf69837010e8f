"""The page is one file that asks nobody for anything, says everything in words too, and shows whatever there is."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from nst.compare import page, tables
from nst.compare.comparison import MARK
from nst.reports import contact_sheet, curves, html

VOID = {"meta", "link", "img", "input", "br", "line"}
NASTY = "<b>&\"' \u202e日本"


def column(name: str, **changes: Any) -> dict[str, Any]:
    judgement = {"style_mean": 0.1, "style": dict.fromkeys(tables.STYLE_LAYERS, 0.1), "content": 0.5, "ssim": 0.4}
    judgement |= {"color": 10.0, "palette": 5.0, "total_variation": 0.01}
    facts = {"device": "cpu", "precision": "float32", "weights": "a/b.safetensors", "versions": {"torch": "2.13"}}
    costs = {"seconds": 12.5, "startup": 1.5, "peak_memory": 5e8, "notes": ["a note"]}
    history = [{"loss": 100.0 / step} for step in range(1, 30)]
    rest = {"name": name, "status": "finished", "failures": {}, "judgement": judgement, "history": history}
    return {**rest, **facts, **costs, **changes}


def row(name: str, parity: str = "pass", reason: str = "") -> dict[str, Any]:
    numbers = {"absolute": 0.1, "error": 1e-6, "tolerance": 1e-4}
    place = {"name": name, "against": "first", "check": "features", "at": "noise", "item": "relu1_1"}
    return {**place, **numbers, "parity": parity, "reason": reason}


def report(columns: list[dict[str, Any]], rows: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    found = rows or []
    checks = {check: next((row for row in found if row["check"] == check), None) for check in tables.CHECKS}
    summary = [{"name": found[0]["name"], "against": "first", "checks": checks}] if found else []
    judge = {"weights": "compact", "sha256": "69cc", "size": 512}
    return {"nst": "0.1.0", "originals": ["a/content.png", "style.png"], "judge": judge, "columns": columns} | {
        "rows": found,
        "summary": summary,
    }


class Checked(HTMLParser):
    """Every element closed in its order; attributes by element."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


@pytest.fixture
def pictures(photo):
    originals = [("content: content.png", photo(36, 48)), ("style: style.png", photo(40, 40))]
    return [*originals, ("one", photo(36, 48, seed=1)), (NASTY, photo(36, 48, seed=2)), ("gone", None)]


@pytest.fixture
def whole(pictures):
    failed = column("gone", status="failed", failures={"gradient": "killed (signal 9)"}, judgement=None, history=[])
    for name in ("seconds", "versions", "device", "precision", "weights", "peak_memory", "notes"):
        del failed[name]
    found = report(
        [column("one"), column(NASTY), failed], [row(NASTY), row("gone", "fail"), row("one", "different", "why")]
    )
    return page.render(found, pictures)


def test_it_is_html_with_everything_inside(whole):
    parsed = Checked(whole)
    assert MARK in whole
    images = parsed.all("img")
    assert [image["src"][:23] for image in images if "src" in image] == ["data:image/jpeg;base64,"] * 4
    assert all("alt" in image for image in images)
    assert not re.search(r"(https?:)?//[a-z]", re.sub(r"base64,[^\"]*", "", whole)), "it asks somebody"
    assert not re.search(r"url\(|@import|<iframe|fetch\(|XMLHttp", whole)
    policy = next(meta["content"] for meta in parsed.all("meta") if "http-equiv" in meta)
    assert policy.startswith("default-src 'none'")


def test_it_speaks_to_those_who_do_not_see_it(whole):
    parsed = Checked(whole)
    assert parsed.all("html") == [{"lang": "en"}]
    assert len(parsed.all("h1")) == 1
    (edge,) = parsed.all("input")
    assert edge["type"] == "range"
    assert edge["aria-label"]
    (drawing,) = parsed.all("svg")
    assert (drawing["role"], bool(drawing["aria-label"])) == ("img", True)
    assert {cell["scope"] for cell in parsed.all("th")} == {"col", "row"}
    assert all(region["aria-label"] for region in parsed.all("div") if region.get("role") == "region")


def test_names_stay_text(whole):
    assert NASTY in Checked(whole).text
    assert "<b>" not in whole


def test_what_went_wrong_is_said_in_words(whole):
    text = Checked(whole).text
    assert "gone, gradient" in text
    assert "killed (signal 9)" in text
    assert "no picture" in text
    assert "The backends do not compute the same network: 1 of 2 checks failed (gone)." in text
    assert "2 of 3 finished." in text
    assert "one and first: why." in text
    assert "a note" in text


@pytest.mark.parametrize(
    ("pairs", "subject"),
    [
        ([("one", "reference")], "The backend and the NumPy reference compute"),
        ([("one", "reference"), ("two", "one")], "Both backends compute"),
        ([("two", "one"), ("three", "one")], "All backends compute"),
    ],
)
def test_the_lead_says_that_every_check_passed(pairs, subject):
    rows = [{**row(name), "against": against} for name, against in pairs]
    count = len(rows)
    assert f"{subject} the same network: {count} of {count} checks passed." in tables.lead(
        report([column("one")], rows)
    )


def test_finished_pictures_need_no_runs(photo):
    """What `--against` knows: no times, no losses, no checks."""
    bare = {"name": "a.png", "status": "finished", "failures": {}, "judgement": column("a")["judgement"]}
    pictures = [("content", photo()), ("style", photo()), ("a.png", photo(seed=1))]
    text = Checked(page.render(report([bare]), pictures)).text
    assert "Evaluation" in text
    for absent in ("Cost", "Parity", "Loss", "Notes"):
        assert absent not in text


def test_nothing_finished_is_a_page_all_the_same(photo):
    lost = {"name": "a", "status": "not finished", "failures": {}, "judgement": None}
    parsed = Checked(page.render(report([lost]), [("content", photo()), ("style", photo()), ("a", None)]))
    assert "not finished" in parsed.text
    assert parsed.all("input") == []


def test_large_pictures_are_shown_smaller(photo):
    from nst.images import load_image

    data = html.data_uri(photo(40, 2000))
    import base64
    from io import BytesIO

    from PIL import Image

    image = Image.open(BytesIO(base64.b64decode(data.partition(",")[2])))
    assert image.size == (1024, 20)
    assert load_image(image).shape == (20, 1024, 3)


@pytest.mark.parametrize("losses", [[5.0], [1e-9, 1e9], [3.0, 3.0, 3.0], [2.0, float("nan"), 1.0], [1e-3] * 1000])
def test_curves_stay_inside_their_drawing(losses):
    drawn = curves.svg({"a": losses}, "losses")
    Checked(drawn)
    (points,) = re.findall(r'points="([^"]*)"', drawn)
    places = np.array([[float(value) for value in point.split(",")] for point in points.split()])
    assert (places >= 0).all()
    assert (places <= [curves.WIDTH, curves.HEIGHT]).all()
    assert len(places) == np.isfinite(losses).sum()
    assert len(re.findall(r"<text", drawn)) >= 3


@pytest.mark.parametrize("losses", [{}, {"a": []}, {"a": [0.0, -1.0, float("inf")]}])
def test_nothing_to_draw_is_no_drawing(losses):
    assert curves.svg(losses, "losses") == ""


def test_the_nearest_of_each_measure_is_marked():
    better = column("better", judgement=column("x")["judgement"] | {"style_mean": 0.05, "ssim": 0.9})
    table = tables.judged(report([column("worse"), better]))
    marks = {cell.text: cell.kind for row in table.rows for cell in row}
    assert (marks["0.0500"], marks["0.900"], marks["0.400"]) == ("best", "best", "")
    assert marks["10.0"] == "", "how far colors moved is neither good nor bad"


def test_the_sheet_places_every_picture(photo):
    rows = [
        [("content", photo(36, 48)), ("style", photo(48, 36))],
        [("a" * 300, photo(36, 48)), ("", None), ("b", photo())],
    ]
    sheet = contact_sheet.grid(rows, 0.75)
    height = round(contact_sheet.WIDTH * 0.75)
    assert sheet.shape == (2 * (height + 2 * contact_sheet.LINE + 16) + 16, 3 * (contact_sheet.WIDTH + 16) + 16, 3)
    assert (sheet[20 : 20 + height, 700:] == 1).all(), "an empty place in the first row"
    middle = sheet[16 + height + 56 + 30, 16 + contact_sheet.WIDTH + 16 + 30]
    np.testing.assert_allclose(middle, 232 / 255, atol=1e-6)
    below = sheet[2 * height + 16 + 56 + 16 : -8, : contact_sheet.WIDTH + 16]
    assert (below < 0.9).any()
    assert (sheet[-14:, : contact_sheet.WIDTH] == 1).all()


def test_captions_fit_their_place():
    from PIL import ImageFont

    font = ImageFont.load_default(size=15)
    for caption in (
        "short",
        "optimizer=lbfgs, style-layers=relu1_1,relu2_1,relu3_1, pooling=average, seed=12345",
        "x" * 200,
    ):
        lines = contact_sheet._wrapped(caption, font)
        assert len(lines) <= 2
        assert all(font.getlength(line) <= contact_sheet.WIDTH for line in lines)
    assert contact_sheet._wrapped("x" * 200, font)[-1].endswith("…")
    assert contact_sheet._wrapped("", font) == []


def test_a_caption_breaks_after_a_comma():
    from PIL import ImageFont

    font = ImageFont.load_default(size=15)
    lines = contact_sheet._wrapped("style-layers=" + ",".join(f"relu{i}_1" for i in range(1, 7)), font)
    assert lines == ["style-layers=relu1_1,relu2_1,relu3_1,relu4_1,", "relu5_1,relu6_1"]


@pytest.fixture
def panels(photo):
    """A report of two panels, of two pictures and of one, and the pictures."""
    made = [(f"picture {i}", photo(36, 48, seed=i)) for i in range(3)]
    columns = [column(name, judgement=None) for name, _ in made]
    shown = [
        {"title": "Layers & all", "note": "Look here.", "across": 2, "count": 2},
        {"title": "Starts", "note": "", "across": 1, "count": 1},
    ]
    found = {**report(columns), "command": "nst explore", "title": "A paper", "departures": ["not quite"]}
    del found["judge"]
    return {**found, "panels": shown}, [("content", photo(36, 48)), ("style", photo(40, 40)), *made]


def test_panels_have_galleries_of_their_own(panels):
    made = page.render(*panels)
    text = Checked(made).text
    for words in ("A paper", "Layers & all", "Look here.", "Starts", "not quite", "3 pictures painted."):
        assert words in text
    first, second = made.index("Layers &amp; all"), made.index("<h2>Starts")
    assert made[first:second].count("<img src=") == 2
    assert 'content="nst explore"' in made
    assert MARK not in made


def test_panels_are_sheets_under_titles(photo):
    sheet = contact_sheet.panels(
        [("One", [[("a", photo(30, 40))]]), ("Two", [[("b", photo(30, 40)), ("c", None)]])], 0.75
    )
    width = 2 * (contact_sheet.WIDTH + 16) + 16
    one = contact_sheet.grid([[("a", photo(30, 40))]], 0.75).shape[0]
    assert sheet.shape == (2 * (one + 40), width, 3)
    for top in (0, one + 40):
        assert (sheet[top : top + 40, :80] < 0.5).any(), "no title"


def test_what_begins_is_marked_in_the_curves():
    drawn = curves.svg({"a": [3.0, 2.0, 1.0]}, "losses", {1: "48 px", 3: "64 px"})
    Checked(drawn)
    assert re.findall(r'<line x1="([\d.]+)" x2="\1"', drawn) == ["80.0", "708.0"]
    assert "64 px</text>" in drawn
