"""The losses that come with nst keep what every loss promises."""

from nst.testing import LossSuite, PluginSuite


class TestLosses(LossSuite):
    distribution = "nst"
    entry_module = "nst.losses"


class TestPlugin(PluginSuite):
    distribution = "nst"
    entry_module = "nst.losses"
