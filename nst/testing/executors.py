"""Test the requirements on executors: `nst.protocols.Executor`."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

import pytest

from nst.hookspecs import ENTRY_POINT_GROUP
from nst.images import save_image
from nst.orders import Done, Event, Failed, Order, Outcome, Started
from nst.plugins.discovery import EntryPoint
from nst.plugins.host import Plugins
from nst.specs import ExecutorSpec
from nst.testing.pictures import photo
from nst.testing.suite import Suite, said_of
from nst.worker.painter import Painter

BACKEND = """
import os, time
from nst import BackendSpec, Option, hookimpl

@hookimpl
def nst_backends():
    deed = Option("deed", "paint", "what becomes of a picture", choices=("paint", "wait", "fail", "die"))
    yield BackendSpec("suite-backend", "nst_suite_backend:Deed", kind="image", files="", options=(deed,))

class Deed:
    device, precision, notes = "cpu", "float32", ()

    def __init__(self, weights, *, device="auto", deed="paint"):
        self._deed = deed

    def stylize(self, content, styles, *, blend, style_scale):
        if self._deed == "die":
            os._exit(3)
        if self._deed == "fail":
            raise RuntimeError("as told")
        time.sleep(0.1 * (self._deed == "wait"))
        return content[::-1].copy()

    def peak_memory(self):
        return None
"""
"""A backend that paints upside down, or does what it is told; as a plugin that painters find beside the installed."""

ENTRY = "[nst.v1]\nnst-suite = nst_suite_backend\n"
ABOUT = "Metadata-Version: 2.4\nName: nst-suite\nVersion: 1.0\n"


@dataclass
class ExecutorDesk:
    """A folder with a content and a style, and orders for them; `taken` counts the orders taken by the executor."""

    folder: Path
    taken: list[Order] = field(default_factory=list)

    def order(self, name: str, deed: str = "paint") -> Order:
        """Return an order for an image of that name."""
        recipe = {"backend": "suite-backend", "size": 12, "backend_options": {"deed": deed}}
        return Order("content.png", ["style.png"], f"{name}.png", recipe, folder=str(self.folder))

    def handed_out(self, orders: Iterable[Order]) -> Iterator[Order]:
        """Yield the orders, and record each one that is taken."""
        for order in orders:
            self.taken.append(order)
            yield order

    def pictures(self) -> set[str]:
        """Return the names of the finished outputs."""
        return {path.stem for path in self.folder.glob("*.png")} - {"content", "style"}


class ExecutorSuite(Suite):
    """Tests of executors, on the suite's own backend, which worker processes find on the module path."""

    kind = "executor"

    ahead: ClassVar[int] = 1000
    """Orders that may have been taken and not come out yet."""

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def backend(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
        """Install the suite's backend where this process and its child processes find plugins."""
        place = tmp_path_factory.mktemp("backend")
        (place / "nst_suite_backend.py").write_text(BACKEND)
        info = place / "nst_suite-1.0.dist-info"
        info.mkdir()
        (info / "entry_points.txt").write_text(ENTRY)
        (info / "METADATA").write_text(ABOUT)
        sys.path.insert(0, str(place))
        yield
        sys.path.remove(str(place))

    @pytest.fixture
    def desk(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ExecutorDesk:
        """Return a folder for images."""
        save_image(tmp_path / "content.png", photo(9, 12))
        save_image(tmp_path / "style.png", photo(8, 8, seed=1))
        monkeypatch.chdir(tmp_path)
        return ExecutorDesk(tmp_path)

    def run(
        self, spec: ExecutorSpec, orders: Iterable[Order], tell: Any = lambda order, event: None
    ) -> Iterator[tuple[Order, Outcome]]:
        """Run the executor on orders and return the outcomes."""
        outcomes: Iterator[tuple[Order, Outcome]] = spec.load()(orders, tell=tell, **self.settings(spec))
        return outcomes

    def test_every_order_comes_out_once(self, spec: ExecutorSpec, desk: ExecutorDesk) -> None:
        """Every order comes out once, with what became of it, in any order."""
        names = [f"picture {number}" for number in range(12)]
        outcomes = list(self.run(spec, map(desk.order, names)))
        assert all(isinstance(outcome, Done) and outcome.output == order.output for order, outcome in outcomes)
        assert sorted(order.output for order, _ in outcomes) == sorted(f"{name}.png" for name in names)
        assert desk.pictures() == set(names)

    def test_no_orders_give_nothing(self, spec: ExecutorSpec, desk: ExecutorDesk) -> None:
        """Every order comes out once, with what became of it, in any order."""
        assert list(self.run(spec, [])) == []

    def test_an_order_comes_out_as_it_was_given(self, spec: ExecutorSpec, desk: ExecutorDesk) -> None:
        """It comes out as it was given."""
        order = replace(desk.order("a"), options={"quality": 90}, chosen=("size",), styles=[["style.png", "style.png"]])
        assert [order for order, _ in self.run(spec, [order])] == [order]

    def test_an_order_that_fails_costs_no_other(self, spec: ExecutorSpec, desk: ExecutorDesk) -> None:
        """An order that fails costs no other."""
        bad = {"gone": replace(desk.order("gone"), content="gone.png"), "fails": desk.order("fails", "fail")}
        orders = [desk.order("a"), bad["gone"], desk.order("b"), bad["fails"], desk.order("c")]
        outcomes = {Path(order.output).stem: outcome for order, outcome in self.run(spec, orders)}
        gone, fails = outcomes.pop("gone"), outcomes.pop("fails")
        assert isinstance(gone, Failed)
        assert gone.mistake
        assert "gone.png" in gone.message
        assert isinstance(fails, Failed)
        assert "as told" in fails.message
        assert set(outcomes) == desk.pictures() == {"a", "b", "c"}

    @said_of(isolated=(True,))
    def test_a_process_that_dies_costs_no_picture_but_its_own(self, spec: ExecutorSpec, desk: ExecutorDesk) -> None:
        """A process that dies costs no picture but the one it was painting."""
        orders = [desk.order("a"), desk.order("dies", "die"), *(desk.order(name) for name in "bcd")]
        outcomes = {Path(order.output).stem: outcome for order, outcome in self.run(spec, orders)}
        assert isinstance(outcomes.pop("dies"), Failed)
        assert all(isinstance(outcome, Done) for outcome in outcomes.values()), outcomes
        assert desk.pictures() == {"a", "b", "c", "d"}

    def test_orders_are_taken_when_there_is_room_to_paint_them(self, spec: ExecutorSpec, desk: ExecutorDesk) -> None:
        """Orders are taken when there is room to paint them: no more than a thousand wait for it."""
        endless = desk.handed_out(desk.order(f"picture {number}") for number in count())
        with closing(self.run(spec, endless)) as outcomes:  # type: ignore[type-var]
            for came, _ in enumerate(outcomes, start=1):
                assert len(desk.taken) - came <= self.ahead
                if came == 8:
                    break

    def test_events_are_heard_in_the_thread_that_asks(self, spec: ExecutorSpec, desk: ExecutorDesk) -> None:
        """`tell` hears the events of each order, in the thread that asks for the next outcome."""
        heard: list[tuple[str, Event, int]] = []
        orders = [desk.order("a"), desk.order("b")]
        list(self.run(spec, orders, lambda order, event: heard.append((order.output, event, threading.get_ident()))))
        assert {output for output, event, _ in heard if isinstance(event, Started)} == {"a.png", "b.png"}
        assert {thread for *_, thread in heard} == {threading.get_ident()}

    def test_pictures_are_those_of_the_painter(self, spec: ExecutorSpec, desk: ExecutorDesk) -> None:
        """What is painted is what `nst.worker.painter.Painter` paints, to the last bit."""
        list(self.run(spec, [desk.order("here")]))
        entry = EntryPoint(ENTRY_POINT_GROUP, "nst-suite", "nst_suite_backend", "nst-suite", "1.0")
        local = Painter(Plugins([entry])).paint(desk.order("there"))
        assert isinstance(local, Done), local
        assert (desk.folder / "here.png").read_bytes() == (desk.folder / "there.png").read_bytes()

    def test_closed_before_its_end_it_paints_no_further_picture(self, spec: ExecutorSpec, desk: ExecutorDesk) -> None:
        """Closed before its end it paints no further picture."""
        outcomes = self.run(spec, (desk.order(f"picture {number}", "wait") for number in range(1000)))
        next(outcomes)
        outcomes.close()  # type: ignore[attr-defined]
        painted = desk.pictures()
        time.sleep(0.5)
        assert desk.pictures() == painted
        assert len(painted) < 1000
