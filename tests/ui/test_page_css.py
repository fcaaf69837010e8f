"""Test the style of the page: no rule that Gradio would break."""

from __future__ import annotations

import re
from importlib.resources import files


def test_no_selector_has_a_comma_in_brackets() -> None:
    """Gradio prefixes selectors at every comma, and a broken rule may hide what it should show."""
    text = re.sub(r"/\*.*?\*/", "", (files("nst.ui") / "page.css").read_text("utf-8"), flags=re.DOTALL)
    selectors = [rule for rule in re.findall(r"([^{};]+)\{", text) if not rule.strip().startswith("@")]
    assert len(selectors) > 20
    assert [selector for selector in selectors if re.search(r"\([^)]*,", selector)] == []
