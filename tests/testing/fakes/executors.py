"""Executors: a good one, and one with each defect. `breaks` names the tests that find it out, its own first."""

import threading
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any

from nst.orders import Done, Failed
from nst.specs import ExecutorSpec
from nst.testing import ExecutorSuite
from nst.worker.client import Worker
from nst.worker.painter import Painter


@dataclass(frozen=True)
class Ready(ExecutorSpec):
    thing: Any = None

    def load(self):
        return self.thing


class Fake(ExecutorSuite):
    breaks = ()
    isolated = False

    @classmethod
    def specs(cls):
        return [Ready("fake", "fake:fake", thing=cls.execute, isolated=cls.isolated)]

    @staticmethod
    def execute(orders, *, tell):
        """One after another, here."""
        painter = Painter()
        for order in orders:
            yield order, painter.paint(order, partial(tell, order))


good = Fake.execute


class TestGood(Fake):
    isolated = True

    @staticmethod
    def execute(orders, *, tell):
        with Worker() as worker:
            for order in orders:
                for event in worker.paint(order):
                    if isinstance(event, Done | Failed):
                        yield order, event
                    else:
                        tell(order, event)


class TestPaintsTheFirstTwice(Fake):
    breaks = ("test_every_order_comes_out_once",)

    @staticmethod
    def execute(orders, *, tell):
        for number, found in enumerate(good(orders, tell=tell)):
            yield found
            if number == 10:
                yield found


class TestWaitsForTheFirst(Fake):
    breaks = ("test_no_orders_give_nothing",)

    @staticmethod
    def execute(orders, *, tell):
        orders = iter(orders)
        yield from good(chain([next(orders)], orders), tell=tell)


class TestGivesBackAnother(Fake):
    breaks = ("test_an_order_comes_out_as_it_was_given",)

    @staticmethod
    def execute(orders, *, tell):
        yield from ((replace(order, chosen=()), outcome) for order, outcome in good(orders, tell=tell))


class TestEndsWithTheFirstFailure(Fake):
    breaks = ("test_an_order_that_fails_costs_no_other",)

    @staticmethod
    def execute(orders, *, tell):
        for order, outcome in good(orders, tell=tell):
            yield order, outcome
            if isinstance(outcome, Failed):
                return


class TestGivesUpWithItsProcess(Fake):
    breaks = ("test_a_process_that_dies_costs_no_picture_but_its_own",)
    isolated = True

    @staticmethod
    def execute(orders, *, tell):
        for order, outcome in TestGood.execute(orders, tell=tell):
            yield order, outcome
            if isinstance(outcome, Failed) and "exit code 3" in outcome.message:
                return


class TestTakesThemAllAtOnce(Fake):
    breaks = ("test_orders_are_taken_when_there_is_room_to_paint_them",)

    @staticmethod
    def execute(orders, *, tell):
        yield from good(list(islice(orders, 2000)), tell=tell)


class TestTellsNobody(Fake):
    breaks = ("test_events_are_heard_in_the_thread_that_asks",)

    @staticmethod
    def execute(orders, *, tell):
        yield from good(orders, tell=lambda order, event: None)


class TestWritesInAnotherWay(Fake):
    breaks = ("test_pictures_are_those_of_the_painter",)

    @staticmethod
    def execute(orders, *, tell):
        for order, outcome in good(orders, tell=tell):
            with suppress(OSError):
                path = Path(order.folder, order.output)
                path.write_bytes(path.read_bytes() + b"!")
            yield order, outcome


class TestPaintsOnBehindOurBacks(Fake):
    breaks = ("test_closed_before_its_end_it_paints_no_further_picture",)

    @staticmethod
    def execute(orders, *, tell):
        orders = iter(orders)
        try:
            yield from good(orders, tell=tell)
        finally:
            rest = [order for order, _ in zip(orders, range(3), strict=False)]
            threading.Thread(target=lambda: list(good(rest, tell=tell)), daemon=True).start()
