"""What the page costs: until it is ready, until it is seen, and in the time of a run for the picture as it forms.

    python benchmarks/ui.py [--rounds 5] [--size 256] [--steps 40]

Start-up and the first page are clock time, with the processor time beside it, which a busy machine leaves as it is. The
page is opened by Chromium; that row is left out where Playwright or Chromium is missing. Previews are processor time of
the process that paints, with and without them turn by turn, and of the page that shows them; and of one preview alone,
as a share of the time from one to the next. The server's share of a core is taken over ten seconds each, without and
with a picture being painted and watched.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from table import publish, spread

from nst.images import save_image
from nst.images.demo_painting import paint_demo
from nst.orders import Order
from nst.ui import status_html
from nst.ui.run_state import RunState
from nst.ui.service import PREVIEW_EVERY, PREVIEW_SIZE
from nst.worker.client import Worker
from nst.worker.previews import jpeg

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
TICKS = os.sysconf("SC_CLK_TCK")


def processor_seconds(pid: int) -> float:
    """Of a process so far, its own and the system's for it."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


@contextmanager
def served() -> Iterator[dict[str, Any]]:
    """`nst ui`: its address, and what it took to be ready."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "nst", "ui", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        line = server.stderr.readline()
        ready = time.perf_counter() - began
        yield {"url": line.split()[1], "clock": ready, "processor": processor_seconds(server.pid), "pid": server.pid}
        server.send_signal(signal.SIGTERM)


@contextmanager
def chromium() -> Iterator[Any]:
    """Return a browser, None where there is none."""
    path = shutil.which("chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        path = None
    if path is None:
        yield None
        return
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=path, args=FLAGS)


def first_page(browser: Any, url: str) -> float:
    """Seconds from the address to a button that can be pressed, with nothing cached."""
    context = browser.new_context()
    page = context.new_page()
    began = time.perf_counter()
    page.goto(url)
    page.get_by_role("button", name="Paint", exact=True).wait_for()
    found = time.perf_counter() - began
    context.close()
    return found


def watching(browser: Any, url: str, pid: int, picture: Path) -> tuple[float, float]:
    """Of a core, what serving a page takes: while nothing happens, and while a picture is painted."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(url)
    page.get_by_role("button", name="Paint", exact=True).wait_for()
    for place in ("content", "styles"):
        page.locator(f"#{place} input[type=file]").set_input_files(str(picture))
        page.locator(f"#{place} img").first.wait_for()
    page.wait_for_timeout(1000)
    idle = share(page, pid)
    page.get_by_role("button", name="Paint", exact=True).click()
    page.get_by_text("step 1").first.wait_for(timeout=120_000)
    busy = share(page, pid)
    context.close()
    return idle, busy


def share(page: Any, pid: int) -> float:
    """Return the processor time of a process per second of clock time, over ten seconds."""
    before, began = processor_seconds(pid), time.perf_counter()
    page.wait_for_timeout(10_000)
    return (processor_seconds(pid) - before) / (time.perf_counter() - began)


def painted(worker: Worker, order: Order) -> tuple[float, float, int]:
    """Processor seconds of the process that paints, those of showing it here, and how many previews came."""
    assert worker.pid is not None
    before, shown, previews = processor_seconds(worker.pid), 0.0, 0
    run = RunState(order)
    for event in worker.paint(order):
        began = resource.getrusage(resource.RUSAGE_SELF)
        run.take(event)
        previews += run.preview is not None and event is run.preview
        status_html.run_status(run), status_html.preview_image(run)
        ended = resource.getrusage(resource.RUSAGE_SELF)
        shown += ended.ru_utime + ended.ru_stime - began.ru_utime - began.ru_stime
    assert run.done is not None, run.failed
    return processor_seconds(worker.pid) - before, shown, previews


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("--rounds", 5), ("--size", 256), ("--steps", 40)):
        parser.add_argument(name, type=int, default=default)
    asked = parser.parse_args()
    names = ("ready", "ready, processor", "first page", "server, idle", "server, watched")
    raw: dict[str, list[float]] = {name: [] for name in names}
    with chromium() as browser, tempfile.TemporaryDirectory() as folder:
        picture = save_image(Path(folder) / "painting.png", paint_demo())
        for _ in range(asked.rounds):
            with served() as page:
                raw["ready"].append(page["clock"])
                raw["ready, processor"].append(page["processor"])
                if browser is not None:
                    raw["first page"].append(first_page(browser, page["url"]))
                    idle, watched = watching(browser, page["url"], page["pid"], picture)
                    raw["server, idle"].append(idle)
                    raw["server, watched"].append(watched)
    raw |= previews(asked) | {"one preview": [one_preview(asked.size) for _ in range(20)]}
    publish("ui", [{"what": name, "measured": spread(values)} for name, values in raw.items() if values], raw)


def previews(asked: argparse.Namespace) -> dict[str, list[float]]:
    """Measure the processor time of previews, relative to a run without them."""
    found: dict[str, list[float]] = {name: [] for name in ("with previews / without", "shown / painted", "previews")}
    with tempfile.TemporaryDirectory() as folder, Worker() as worker:
        style = save_image(Path(folder) / "style.png", paint_demo())
        recipe = {"size": asked.size, "steps": asked.steps}
        plain = Order(str(style), [str(style)], f"{folder}/out.png", recipe)
        watched = replace(plain, preview_seconds=PREVIEW_EVERY, preview_size=PREVIEW_SIZE)
        list(worker.paint(plain))
        for _ in range(asked.rounds):
            without, _, _ = painted(worker, plain)
            with_them, shown, count = painted(worker, watched)
            found["with previews / without"].append(with_them / without)
            found["shown / painted"].append(shown / with_them)
            found["previews"].append(count)
    return found


def one_preview(size: int) -> float:
    """Measure the processor time of one preview, relative to the time between previews."""
    pixels = np.random.default_rng(0).random((size, size, 3), np.float32)
    began = time.thread_time()
    jpeg(pixels, PREVIEW_SIZE)
    return (time.thread_time() - began) / PREVIEW_EVERY


if __name__ == "__main__":
    main()
