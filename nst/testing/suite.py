"""Run conformance suites: find the specs under test, run each test on each spec, and expect known failures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, ClassVar, TypeVar

import pytest

from nst.errors import NstError
from nst.hookspecs import ENTRY_POINT_GROUP
from nst.plugins.discovery import EntryPoint, canonical, discover
from nst.plugins.host import Plugins
from nst.specs import OptionValue, Spec

Test = TypeVar("Test", bound=Callable[..., None])


def said_of(**fields: Any) -> Callable[[Test], Test]:
    """Mark a test for specs with one of these values only: `said_of(shape=("statistic", "whole"))`."""

    def mark(test: Test) -> Test:
        test.said_of = fields  # type: ignore[attr-defined]
        return test

    return mark


class Suite:
    """Tests of all specs of one kind in a distribution, or of the spec called `name`.

    `options` are given to the factory in place of the spec's defaults. `xfails` maps tests, as `test_name` or as
    `test_name[id]`, to the reason of their failure; a listed test that passes is a failure. A subclass may override
    each hook and fixture. `entry_module` finds a plugin that is not installed.
    """

    distribution: ClassVar[str] = ""
    name: ClassVar[str] = ""
    entry_module: ClassVar[str] = ""
    options: ClassVar[Mapping[str, OptionValue]] = {}
    xfails: ClassVar[Mapping[str, str]] = {}
    kind: ClassVar[str] = ""

    @classmethod
    def specs(cls) -> list[Any]:
        """Return the specs under test."""
        offered = (spec for _, spec in plugin_host(cls.distribution, cls.entry_module).offered(cls.kind))
        return [spec for spec in offered if cls.name in ("", spec.name) and cls.suits(spec)]

    @classmethod
    def suits(cls, spec: Any) -> bool:
        """Return whether a spec of the suite's kind is for this suite."""
        return True

    def settings(self, spec: Spec) -> dict[str, OptionValue]:
        """Return the options for a factory: the spec's defaults, overridden by the suite's."""
        return {option.name: option.default for option in spec.options} | dict(self.options)

    @pytest.fixture(scope="class")
    @classmethod
    def spec(cls) -> Any:
        """Return the spec under test: each of `specs` in turn, unless a subclass overrides this fixture."""

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run a test once for each spec that it applies to."""
        overridden = any("spec" in vars(kind) for kind in type(self).__mro__ if kind is not Suite)
        if "spec" in metafunc.fixturenames and not overridden:
            fields = getattr(metafunc.function, "said_of", {})
            metafunc.parametrize("spec", _parameters(type(self), fields), scope="class")

    @pytest.fixture(autouse=True)
    def expect_known_gaps(self, request: pytest.FixtureRequest) -> None:
        """Turn the failure of a test in `xfails` into an expected one, and its success into a failure."""
        for test, reason in self.xfails.items():
            assert hasattr(self, test.partition("[")[0]), f"xfails names {test}, which is no test of this suite"
            if test in (request.node.name, request.node.name.partition("[")[0]):
                request.applymarker(pytest.mark.xfail(reason=reason, strict=True))


def _parameters(suite: type[Suite], fields: Mapping[str, Any]) -> list[Any]:
    specs, trouble = _found(suite)
    if trouble:
        pytest.fail(trouble, pytrace=False)
    chosen = [spec for spec in specs if all(getattr(spec, name) in values for name, values in fields.items())]
    said = "; ".join(f"{name} {' or '.join(map(str, values))}" for name, values in fields.items())
    none = pytest.param(None, marks=pytest.mark.skip(reason=f"said of {said} only"), id="none")
    return [pytest.param(spec, id=spec.name) for spec in chosen] or [none]


def _found(suite: type[Suite]) -> tuple[list[Any], str]:
    """Return the specs under test, or the reason why there are none."""
    called = f" called '{suite.name}'" if suite.name else ""
    try:
        specs = suite.specs()
    except NstError as error:
        return [], f"{error.message} ({error.hint})"
    return specs, "" if specs else f"{suite.distribution} offers no {suite.kind}{called} for {suite.__name__}"


@cache
def plugin_host(distribution: str, entry_module: str = "") -> Plugins:
    """Return a host of one distribution, installed, or importable as `entry_module`. Raises the error of its plugin."""
    if entry_module:
        return Plugins([EntryPoint(ENTRY_POINT_GROUP, distribution, entry_module, distribution, "0")], strict=True)
    entries = [entry for entry in discover() if canonical(entry.distribution) == canonical(distribution)]
    if not entries:
        raise NstError(f"no distribution '{distribution}' with a plugin is installed", "pip install -e .")
    return Plugins(entries, strict=True)
