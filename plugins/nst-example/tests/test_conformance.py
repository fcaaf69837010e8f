"""Everything that nst promises its users of a plugin, tried on this one."""

from __future__ import annotations

from nst.testing import (
    ExecutorSuite,
    FeatureBackendSuite,
    ImageBackendSuite,
    InitializerSuite,
    LossSuite,
    OptimizerSuite,
    PluginSuite,
)


class TestPlugin(PluginSuite):
    distribution = "nst-example"


class TestBackend(FeatureBackendSuite):
    distribution = "nst-example"
    name = "example-backend"


class TestImageBackend(ImageBackendSuite):
    distribution = "nst-example"
    name = "example-image-backend"


class TestOptimizer(OptimizerSuite):
    distribution = "nst-example"
    name = "example-optimizer"


class TestInitializer(InitializerSuite):
    distribution = "nst-example"
    name = "example-initializer"


class TestLoss(LossSuite):
    distribution = "nst-example"
    name = "example-loss"


class TestExecutor(ExecutorSuite):
    distribution = "nst-example"
    name = "example-executor"
