"""The kit finds what it is for: each test of each suite fails on a fake with just that defect; a good one passes."""

from __future__ import annotations

import inspect

import pytest

import nst.testing
from nst import hookspecs, protocols, specs

FAKES = {
    "losses": nst.testing.LossSuite,
    "optimizers": nst.testing.OptimizerSuite,
    "initializers": nst.testing.InitializerSuite,
    "image_backends": nst.testing.ImageBackendSuite,
    "feature_backends": nst.testing.FeatureBackendSuite,
    "vggs": nst.testing.VGGSuite,
    "executors": nst.testing.ExecutorSuite,
    "plugins": nst.testing.PluginSuite,
}
PROMISES = " ".join(" ".join(inspect.getsource(module).split()) for module in (protocols, specs, hookspecs))


def sentences(suite):
    """The docstring of each test of a suite, by the test's name, but of those it has from another suite of the kit."""
    above = {name for other in FAKES.values() if issubclass(suite, other) and suite is not other for name in dir(other)}
    tests = {name: test for name, test in inspect.getmembers(suite) if name.startswith("test_") and name not in above}
    return {name: " ".join(test.__doc__.split()) for name, test in tests.items()}


@pytest.mark.parametrize("name", FAKES)
def test_each_defect_is_found_by_the_tests_that_are_for_it(run, name):
    found = run(name)
    assert found.trouble == []
    assert {fake: sorted(found.failed[fake]) for fake in found.classes} == {
        fake: sorted(suite.breaks) for fake, suite in found.classes.items()
    }


@pytest.mark.parametrize("name", FAKES)
def test_a_good_fake_is_among_them(run, name):
    assert "TestGood" in run(name).classes


@pytest.mark.parametrize("name", FAKES)
def test_every_test_has_a_fake_that_it_fails(run, name):
    first = {suite.breaks[0] for suite in run(name).classes.values() if suite.breaks}
    assert first == set(sentences(FAKES[name]))


def test_every_suite_has_fakes():
    assert {suite.__name__ for suite in FAKES.values()} == set(nst.testing.__all__)


@pytest.mark.parametrize("suite", FAKES.values())
def test_every_test_is_a_sentence_of_a_protocol(suite):
    assert {name: text for name, text in sentences(suite).items() if text not in PROMISES} == {}
