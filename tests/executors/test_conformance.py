"""The executor of one machine keeps what every executor promises, with one process and with two."""

from __future__ import annotations

from nst.testing import ExecutorSuite


class TestLocal(ExecutorSuite):
    distribution = "nst"
    entry_module = "nst.builtin_plugins"
    name = "local"


class TestLocalWithTwo(TestLocal):
    options = {"jobs": 2}  # noqa: RUF012 - a ClassVar of the suite
