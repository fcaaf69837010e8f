"""Test the requirements on plugins: the conformance kit for authors. Needs pytest: `pip install nst[testing]`.

    from nst.testing import OptimizerSuite

    class TestMine(OptimizerSuite):
        distribution = "nst-mine"
        name = "mine"  # without it: every optimizer that the distribution offers

Each test is the executable form of one sentence in `nst.protocols` or `nst.specs`, and has it for a docstring. Names
are imported when first used, so that `nst plugins check`, which uses `nst.testing.checks`, needs no pytest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nst.testing.executors import ExecutorSuite as ExecutorSuite
    from nst.testing.feature_backends import FeatureBackendSuite as FeatureBackendSuite
    from nst.testing.image_backends import ImageBackendSuite as ImageBackendSuite
    from nst.testing.initializers import InitializerSuite as InitializerSuite
    from nst.testing.losses import LossSuite as LossSuite
    from nst.testing.optimizers import OptimizerSuite as OptimizerSuite
    from nst.testing.plugin import PluginSuite as PluginSuite
    from nst.testing.vggs import VGGSuite as VGGSuite

_HOMES = {
    "ExecutorSuite": "nst.testing.executors",
    "FeatureBackendSuite": "nst.testing.feature_backends",
    "ImageBackendSuite": "nst.testing.image_backends",
    "InitializerSuite": "nst.testing.initializers",
    "LossSuite": "nst.testing.losses",
    "OptimizerSuite": "nst.testing.optimizers",
    "PluginSuite": "nst.testing.plugin",
    "VGGSuite": "nst.testing.vggs",
}

_SHARED = ("nst.testing.backends", "nst.testing.namespaces")
"""What suites of several protocols are made of, with assertions of its own."""

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    """Import a suite from its module, its assertions rewritten by pytest to say what they compared."""
    if name not in _HOMES:
        raise AttributeError(f"module 'nst.testing' has no attribute '{name}'")
    from importlib import import_module

    import pytest

    pytest.register_assert_rewrite(_HOMES[name], *_SHARED)
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
