"""Runs the fakes: suites that must fail, in a pytest of their own inside this one."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

FAKES = Path(__file__).with_name("fakes")


class Recorder:
    """What became of each test: failures by class, all parameters as one; `trouble` is what failed before any test."""

    def __init__(self):
        self.classes = {}
        self.failed = defaultdict(set)
        self.passed, self.skipped = set(), set()
        self.trouble = []

    def pytest_collection_modifyitems(self, items):
        self.classes = {item.cls.__name__: item.cls for item in items}
        items[:] = [item for item in items if item.cls.__name__ == "TestGood" or _call(item) in (None, "abs")]

    def pytest_collectreport(self, report):
        if report.failed:
            self.trouble.append(str(report.longrepr))

    def pytest_runtest_logreport(self, report):
        _, suite, test = report.nodeid.split("::", 2)
        if report.failed:
            self.failed[suite].add(test.partition("[")[0])
        elif report.when == "call" or report.skipped:
            (self.skipped if report.skipped else self.passed).add(test)


def _call(item):
    """Which call of the namespace a test makes: for most fakes one will do, and saves two thirds of the time."""
    call = item.callspec.params.get("call") if hasattr(item, "callspec") else None
    return call if isinstance(call, str) else None


@pytest.fixture(scope="session")
def run():
    """`run("optimizers")`: what became of the fakes in that file; `run(path)` of any file."""

    @cache
    def call(name):
        recorder = Recorder()
        path = name if isinstance(name, Path) else FAKES / f"{name}.py"
        quietly = ["-q", "--no-header", "--no-summary", "-pno:cacheprovider", "-Wignore"]
        pytest.main([str(path), *quietly, "--import-mode=importlib"], plugins=[recorder])
        return recorder

    return call
