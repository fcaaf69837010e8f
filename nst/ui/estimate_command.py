"""Estimate time and memory for the page, and format the result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nst.estimate.model import Estimate
from nst.estimate.text import format_total
from nst.orders import Order
from nst.recipe.recipe import Recipe


def estimate_order(content: str, styles: Sequence[str], recipe: Recipe, largest: int) -> Order:
    """Return the order that opens the backend and times one or two evaluations."""
    return Order(content, styles, recipe=recipe.to_dict(), max_pixels=largest, kind="estimate")


def summary(report: Mapping[str, Any]) -> str:
    """Return the estimate in one line: `about 42 s and 1.2 GB, plus 5 s to start, on cpu`."""
    return f"{format_total(Estimate.from_dict(report))}, on {report['device']}"
