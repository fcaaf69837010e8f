"""The initializers of this distribution keep what every initializer promises."""

from nst.testing import InitializerSuite, PluginSuite


class TestInitializers(InitializerSuite):
    distribution = "nst-initializers"
    entry_module = "nst_initializers"


class TestPlugin(PluginSuite):
    distribution = "nst-initializers"
    entry_module = "nst_initializers"
