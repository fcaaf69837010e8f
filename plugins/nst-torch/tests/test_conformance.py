"""The networks of this distribution keep what every VGG promises."""

import pytest

from nst.testing import PluginSuite, VGGSuite

pytestmark = pytest.mark.frameworks


class TestNetworks(VGGSuite):
    distribution = "nst-torch"
    entry_module = "nst_torch"


class TestPlugin(PluginSuite):
    distribution = "nst-torch"
    entry_module = "nst_torch"
