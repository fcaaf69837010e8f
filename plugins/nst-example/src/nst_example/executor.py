"""Paints in the process that asks, one picture after another: a crash of a framework is the end of it all."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from nst.orders import Event, Order, Outcome
from nst.worker.painter import Painter


def execute(
    orders: Iterable[Order], *, tell: Callable[[Order, Event], object], pause: float = 0.0
) -> Iterator[tuple[Order, Outcome]]:
    """Yield what became of each order; `pause` is in seconds. One painter keeps its backend from picture to picture."""
    painter = Painter()
    for order in orders:
        yield order, painter.paint(order, partial(tell, order))
        time.sleep(pause)
