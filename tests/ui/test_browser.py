"""Test the page in a real browser at desktop and phone width, without requests to other hosts.

The tests need Gradio, Playwright and Chromium. `NST_UI_SHOTS=folder` saves screenshots (see `Makefile`).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import zipfile
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from itertools import combinations
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import numpy as np
import pytest
from PIL import Image

from nst.images import load_image, save_image
from nst.persistence import provenance

from .conftest import huge_png, wait_until

gradio = pytest.importorskip("gradio", reason="the page needs Gradio: pip install 'nst[ui]'")
sync_api = pytest.importorskip("playwright.sync_api", reason="needs Playwright: pip install playwright")
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.frameworks,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (CHROMIUM=path, or on the PATH)"),
]

FLAGS = "--no-sandbox --disable-gpu --disable-background-networking --disable-component-update --disable-sync"
DOCS = Path(__file__).parents[2] / "docs"
SHOTS = os.environ.get("NST_UI_SHOTS")
MESSAGES = ("trouble", "live", "answer", "compared", "loaded", "brush-trouble")


@dataclass
class Tab:
    """A page in a browser, with its console errors and its requests to other hosts."""

    page: Any
    url: str
    troubles: list[str] = field(default_factory=list)

    def watch(self) -> Tab:
        self.page.on("console", lambda message: message.type == "error" and self.troubles.append(message.text))
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("request", self._check)
        return self

    def _check(self, request: Any) -> None:
        if not request.url.startswith((self.url, "data:", "blob:", "about:")):
            self.troubles.append(f"request to {request.url}")

    def open(self) -> Tab:
        self.page.goto(self.url)
        self.button("Paint").wait_for()
        return self

    def button(self, name: str) -> Any:
        return self.page.get_by_role("button", name=name, exact=True)

    def upload(self, content: Path, *styles: Path) -> None:
        self.page.locator("#content input[type=file]").set_input_files(str(content))
        self.page.locator("#styles input[type=file]").set_input_files([str(style) for style in styles])
        self.page.locator("#content img").wait_for()
        self.page.locator("#styles img").first.wait_for()

    def choose(self, label: str, value: str) -> None:
        self.page.get_by_label(label, exact=True).last.click()
        self.page.get_by_role("option", name=value, exact=True).click()

    def fill(self, label: str, value: Any) -> None:
        field = self.page.get_by_label(re.compile(rf"^\s*{label}\b")).first
        field.fill(str(value))
        self.page.wait_for_timeout(50)  # the server may restore the old value
        if field.input_value() != str(value):
            field.fill(str(value))
        sync_api.expect(field).to_have_value(str(value))

    def unfold(self, title: str, *, shut: bool = False) -> None:
        fold = self.page.locator("button.label-wrap").filter(has_text=re.compile(f"^{title}"))
        if ("open" in (fold.get_attribute("class") or "")) is shut:
            fold.click()

    def step(self) -> int:
        match = re.search(r"step (\d+) of", self.page.locator("#live").inner_text())
        return int(match[1]) if match else 0

    def status(self) -> str:
        line = self.page.locator("#live [role=status]")
        return line.inner_text() if line.count() else ""

    def until(self, *statuses: str) -> str:
        assert wait_until(lambda: self.page.wait_for_timeout(50) or self.status() in statuses, 60), (
            self.status(),
            self.page.locator("#trouble").inner_text(),
        )
        return self.status()

    def visible(self) -> dict[str, str]:
        """Return the text of every message and status that a visitor can see, by component."""
        parts = {name: self.page.locator(f"#{name}") for name in MESSAGES}
        return {name: part.inner_text() for name, part in parts.items() if part.is_visible()}

    def see(self, name: str, text: str) -> None:
        """Wait until the text is visible in a component."""
        sync_api.expect(self.page.locator(f"#{name}").get_by_text(text).first).to_be_visible(timeout=20_000)

    def shoot(self, name: str) -> None:
        if SHOTS:
            self.page.wait_for_timeout(500)
            shot = Image.open(BytesIO(self.page.screenshot()))
            shot.save(Path(SHOTS) / f"{name}.webp", quality=80)


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    """Start `nst ui` and return the URL of the page."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("GRADIO")}
    command = [sys.executable, "-m", "nst", "ui", "--port", "0", "--max-pixels", "2000000"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=plain, start_new_session=True) as server:
        assert server.stderr is not None
        line = server.stderr.readline()
        yield re.search(r"http://127\.0\.0\.1:\d+/", line)[0]
        server.send_signal(signal.SIGTERM)
        assert server.wait(30) == 0
        raised = re.findall(r"^[\w.]+(?:Error|Exception)\b", server.stderr.read(), re.MULTILINE)
        assert set(raised) <= {"gradio.exceptions.InvalidPathError"}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS.split(), "--no-first-run"])
        yield browser
        browser.close()


@pytest.fixture
def open_tab(browser, served) -> Iterator[Any]:
    """Return a function that opens a page: `open_tab(390)`. Check at the end that no page had errors."""
    tabs = []

    def open_one(width: int = 1280, **how: Any) -> Tab:
        context = browser.new_context(viewport={"width": width, "height": 844}, **how)
        context.set_default_timeout(20_000)
        tabs.append(Tab(context.new_page(), served).watch().open())
        return tabs[-1]

    yield open_one
    for tab in tabs:
        tab.page.context.close()
    assert [trouble for tab in tabs for trouble in tab.troubles] == []


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> tuple[Path, Path]:
    """Return a photograph and a painting that may be published."""
    from nst.images.demo_painting import paint_demo

    folder = tmp_path_factory.mktemp("pictures")
    data = pytest.importorskip("skimage.data", reason="needs a photograph: pip install 'nst[demo]'")
    cat = save_image(folder / "chelsea.jpg", np.ascontiguousarray(data.chelsea(), np.float32) / 255)
    return cat, save_image(folder / "painting.jpg", paint_demo())


@pytest.mark.parametrize("width", [1280, 390])
def test_a_picture_is_painted_stopped_continued_downloaded_and_its_settings_used_again(
    open_tab, pictures, tmp_path, width
):
    tab = open_tab(width)
    tab.upload(*pictures)
    tab.fill("Size", 160)
    tab.unfold("Optimizer")
    tab.fill("Steps", 400)
    tab.unfold("Optimizer", shut=True)
    tab.button("Paint").click()
    seen = _previews(tab, 3)
    assert len(seen) >= 3
    if width > 600:
        tab.shoot("ui-painting")
    tab.button("Cancel").click()
    tab.until("Stopped, with the best picture so far")
    assert tab.page.locator("#slider img").count() == 2
    steps_before = tab.step()
    tab.button("Continue").click()
    assert wait_until(lambda: tab.page.wait_for_timeout(50) or tab.step() > steps_before, 60)
    tab.button("Cancel").click()
    tab.until("Stopped, with the best picture so far")
    tab.page.locator("#slider img").last.wait_for()
    if width < 600:
        tab.page.locator("#painting").scroll_into_view_if_needed()
        tab.shoot("ui-phone")
    with tab.page.expect_download() as download:
        tab.page.locator("#download").click()
    download_path = tmp_path / download.value.suggested_filename
    download.value.save_as(download_path)
    assert download_path.name == "chelsea-painting-painted.png"
    assert provenance.read(download_path).recipe.size == 160
    assert load_image(download_path).shape[1] == 160
    tab.fill("Size", 512)
    tab.unfold("Settings of")
    tab.page.locator("#finished input[type=file]").set_input_files(str(download_path))
    tab.page.get_by_text("The form now has the settings of this picture").wait_for()
    assert tab.page.get_by_label("Size", exact=True).input_value() == "160"
    assert _overflow(tab) <= 0


def test_only_the_brushed_part_is_painted(open_tab, pictures):
    tab = open_tab(390)
    tab.upload(*pictures)
    _small(tab)
    tab.unfold("Only a part")
    tab.button("Put the content on the canvas").click()
    canvas = tab.page.locator("#canvas canvas").first
    canvas.wait_for()
    tab.page.wait_for_timeout(1000)
    box = canvas.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    tab.page.mouse.move(middle[0] - 60, middle[1])
    tab.page.mouse.down()
    tab.page.mouse.move(*middle, steps=5)
    tab.page.mouse.up()
    tab.page.get_by_label("is painted, and the rest stays unchanged").check()
    tab.button("Paint").click()
    tab.until("Done")
    before, after = (_pixels(tab, f"#slider img[alt={which}]") for which in ("before", "after"))
    changed = np.abs(before - after).mean(axis=2)
    assert changed[20:24, 22:28].mean() > 3 * changed[:8].mean()


def test_two_backends_are_compared_side_by_side(open_tab, pictures):
    tab = open_tab()
    tab.upload(*pictures)
    _small(tab)
    tab.button("Estimate time and memory").click()
    tab.see("answer", "on cpu")
    tab.unfold("Backends side")
    tab.page.get_by_label("example-backend", exact=True).check()
    tab.page.get_by_label("example-image-backend").check()
    tab.button("Compare").click()
    report = tab.page.frame_locator("#report iframe")
    report.locator("h1").wait_for(timeout=60_000)
    assert report.locator("h1").inner_text() == "chelsea.jpg × painting.jpg", "also after other uploads of this name"
    assert report.locator(".gallery img").count() >= 4
    text = tab.page.locator("#report iframe").get_attribute("srcdoc")
    assert "nst-ui-" not in text, "no folder of the server"


def test_two_pages_take_turns_and_a_closed_page_frees_the_device(open_tab, pictures):
    first, second = open_tab(), open_tab()
    for tab, steps in ((first, 5000), (second, 3)):
        tab.upload(*pictures)
        _small(tab, steps)
        tab.button("Paint").click()
        assert tab.until("Painting" if tab is first else "Waiting: 1 before this one")
    first.page.close()
    second.until("Done")
    assert second.page.locator("#gallery img").count() == 1


def test_a_file_that_is_no_picture_is_refused(open_tab, pictures, tmp_path):
    tab = open_tab()
    with zipfile.ZipFile(tmp_path / "archive.jpg", "w") as archive:
        archive.writestr("sky.txt", "blue")
    (tmp_path / "program.jpg").write_bytes(b"\x7fELF" + b"\1" * 99)
    (tmp_path / "drawing.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')
    huge_png(tmp_path / "huge.png", 40_000)
    tab.page.locator("#styles input[type=file]").set_input_files(str(pictures[1]))
    tab.page.locator("#styles img").first.wait_for()
    for name in ("archive.jpg", "program.jpg", "drawing.svg", "huge.png"):
        tab.page.locator("#content input[type=file]").set_input_files(str(tmp_path / name))
        tab.page.wait_for_timeout(500)
        tab.button("Paint").click()
        message = "has more than 2,000,000 pixels" if name == "huge.png" else "is not a picture"
        tab.page.get_by_text(f"'{name}' {message}").wait_for()
        tab.page.locator("#content").get_by_label("Remove Image").or_(
            tab.page.locator("#content [title=Clear]")
        ).first.click()
    tab.troubles.clear()  # the browser cannot show them either


def test_too_many_styles_are_refused(open_tab, pictures, tmp_path):
    tab = open_tab()
    data = save_image(tmp_path / "s.png", np.full((8, 8, 3), 0.5, np.float32)).read_bytes()
    many = [{"name": f"{i}.png", "mimeType": "image/png", "buffer": data} for i in range(500)]
    tab.page.locator("#content input[type=file]").set_input_files(str(pictures[0]))
    tab.page.locator("#styles input[type=file]").set_input_files(many)
    tab.page.locator("#styles img").first.wait_for(timeout=60_000)
    tab.button("Paint").click()
    tab.page.get_by_text("500 styles at once").wait_for(timeout=60_000)


def test_every_input_has_a_name_and_works_with_the_keyboard(open_tab, pictures):
    tab = open_tab()
    folds = tab.page.locator("button.label-wrap")
    for fold in folds.all():
        sync_api.expect(fold).to_have_attribute("aria-expanded", "false")
        fold.click()
        sync_api.expect(fold).to_have_attribute("aria-expanded", "true")
    assert tab.page.evaluate(NAMELESS) == []
    tab.upload(*pictures)
    _small(tab)
    tab.button("Paint").focus()
    tab.page.keyboard.press("Enter")
    tab.until("Done")
    edge = tab.page.get_by_label("Before and after")
    edge.focus()
    for _ in range(5):
        tab.page.keyboard.press("ArrowRight")
    assert "--cut: 55%" in tab.page.locator("#slider figure").get_attribute("style")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")])
def test_the_errors_of_every_action_are_visible_one_at_a_time(open_tab, pictures, width, scheme):
    tab = open_tab(width, color_scheme=scheme)
    assert tab.visible() == {}
    tab.unfold("Backends side")
    tab.unfold("Only a part")
    for action, name in (
        ("Paint", "trouble"),
        ("Estimate time and memory", "answer"),
        ("Compare", "compared"),
        ("Put the content on the canvas", "brush-trouble"),
    ):
        tab.button(action).click()
        tab.see(name, "there is no content")
        assert tab.visible().keys() == {name}
        assert _contrast(tab, f"#{name} li") > 4.5
    tab.unfold("Settings of")
    tab.page.locator("#finished input[type=file]").set_input_files(str(pictures[1]))
    tab.see("loaded", "painting.jpg contains no provenance record")
    assert tab.visible().keys() == {"loaded"}


def test_a_new_error_stands_without_the_old_states(open_tab, pictures):
    tab = open_tab(390)
    tab.upload(*pictures)
    _small(tab, 1)
    tab.button("Estimate time and memory").click()
    tab.see("answer", "on cpu")
    tab.button("Paint").click()
    tab.until("Done")
    assert "answer" not in tab.visible()
    assert ", 1 step, " in tab.page.locator("#gallery").inner_text()
    tab.button("Estimate time and memory").click()
    tab.see("answer", "on cpu")
    tab.fill("Size", 0)
    assert tab.visible() == {}, "the estimate was for another size"
    tab.button("Paint").click()
    tab.see("trouble", "--size: must be 1 or more, not 0")
    assert tab.visible().keys() == {"trouble"}
    tab.fill("Size", 64)
    assert tab.visible() == {}


def test_a_running_job_keeps_its_status_while_another_action_fails(open_tab, pictures):
    tab = open_tab()
    tab.upload(*pictures)
    _small(tab, 5000)
    tab.button("Paint").click()
    tab.until("Painting")
    tab.unfold("Backends side")
    tab.button("Compare").click()
    tab.see("compared", "a comparison needs two or more backends, not 0")
    assert tab.visible().keys() == {"live", "compared"}
    tab.button("Cancel").click()
    tab.until("Stopped, with the best picture so far")


@pytest.mark.parametrize("width", [1280, 390])
def test_the_labels_of_the_curves_do_not_overlap(open_tab, pictures, width):
    tab = open_tab(width)
    tab.upload(*pictures)
    _small(tab, 30)
    tab.unfold("Sizes and memory")
    tab.fill("Levels", 3)
    tab.button("Paint").click()
    tab.until("Done")
    boxes = [label.bounding_box() for label in tab.page.locator("#live svg text").all()]
    drawing = tab.page.locator("#live svg").bounding_box()
    assert len(boxes) > 6
    assert [pair for pair in combinations(boxes, 2) if _overlap(*pair)] == []
    assert all(
        drawing["x"] - 1 <= box["x"] and box["x"] + box["width"] <= drawing["x"] + drawing["width"] + 1 for box in boxes
    )


@pytest.mark.parametrize(("scheme", "light"), [("light", True), ("dark", False)])
def test_the_page_follows_the_color_scheme_of_the_browser(open_tab, scheme, light):
    tab = open_tab(390, color_scheme=scheme)
    color = tab.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", color)[:3])) > 3 * 128) is light


NAMELESS = """() => [...document.querySelectorAll("input, textarea, select, button, [role=slider]")]
  .filter(element => element.offsetParent && element.type !== "file")
  .filter(element => !(element.labels?.length || element.ariaLabel || element.getAttribute("aria-labelledby")
                       || element.title || element.innerText?.trim()))
  .map(element => element.outerHTML.slice(0, 200))"""


def _small(tab: Tab, steps: int = 3) -> None:
    """Fill the form for a small picture that needs no framework."""
    tab.choose("Backend", "example-backend")
    tab.page.wait_for_timeout(500)  # until the server has sent the backend's choices
    tab.fill("Size", 64)
    tab.unfold("Losses")
    tab.fill("Style layers", "relu1_1=1,relu2_1=1")
    tab.fill("Content layers", "relu2_1=1")
    tab.unfold("Optimizer")
    tab.fill("Steps", steps)


def _pixels(tab: Tab, selector: str) -> Any:
    data = tab.page.locator(selector).get_attribute("src").partition(",")[2]
    return np.asarray(Image.open(BytesIO(b64decode(data))), np.float32)


def _previews(tab: Tab, wanted: int) -> set[str]:
    """Return the previews that appear during a run."""
    seen: set[str] = set()

    def look() -> bool:
        preview = tab.page.locator("#preview img")
        if preview.count():
            seen.add(preview.get_attribute("src") or "")
        tab.page.wait_for_timeout(100)
        return len(seen) >= wanted

    wait_until(look, 60)
    return seen


def _overlap(one: Mapping[str, float], other: Mapping[str, float]) -> bool:
    """Return whether two boxes overlap by more than a pixel of empty line height."""
    across = min(one["x"] + one["width"], other["x"] + other["width"]) - max(one["x"], other["x"])
    down = min(one["y"] + one["height"], other["y"] + other["height"]) - max(one["y"], other["y"])
    return across > 0 and down > 1


def _contrast(tab: Tab, selector: str) -> float:
    """Return the contrast of a text with the background of the page (WCAG 2)."""
    colors = tab.page.evaluate(
        "selector => [document.querySelector(selector), document.body].map((element, i) =>"
        " getComputedStyle(element)[i ? 'backgroundColor' : 'color'])",
        selector,
    )
    light, dark = sorted((_luminance(color) for color in colors), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: str) -> float:
    values = np.array([int(value) for value in re.findall(r"\d+", color)[:3]]) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def _overflow(tab: Tab) -> int:
    """Return the number of pixels by which the page is wider than the window."""
    return int(tab.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def test_the_examples_and_options_of_the_document_work(served, pictures, tmp_path):
    """Run the example in `docs/ui.md`, and compare its options with `nst ui --help`."""
    text = (DOCS / "ui.md").read_text("utf-8")
    shutil.copyfile(pictures[0], tmp_path / "content.jpg"), shutil.copyfile(pictures[1], tmp_path / "style.jpg")
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    quick = example.replace("http://127.0.0.1:7860/", served).replace('"size": 256', '"size": 48, "steps": "2"')
    process = subprocess.run([sys.executable, "-c", quick], cwd=tmp_path, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    picture = process.stdout.splitlines()[-1]
    assert provenance.read(picture).recipe.optimizer_options == {"lr": 0.05}
    help_text = subprocess.run([sys.executable, "-m", "nst", "ui", "--help"], capture_output=True, text=True).stdout
    assert {option for option in re.findall(r"--[a-z][a-z-]+", text) if option not in help_text} == set()


def test_no_file_of_the_server_can_be_read(served, outside):
    """Request a local file by its URL, and as a fake upload."""
    assert _asked(f"{served}gradio_api/file={outside}") == 403
    upload = {"path": str(outside), "meta": {"_type": "gradio.FileData"}}
    call = _asked(f"{served}gradio_api/call/paint", {"data": [upload, [upload], {}]})
    answer = urlopen(f"{served}gradio_api/call/paint/{json.loads(call)['event_id']}").read().decode()
    assert "event: error" in answer
    assert "complete" not in answer


def _asked(url: str, data: Any = None) -> Any:
    """Return the answer of a server, or its error code."""
    body = None if data is None else json.dumps(data).encode()
    try:
        return urlopen(Request(url, body, {"Content-Type": "application/json"})).read()
    except HTTPError as error:
        return error.code
