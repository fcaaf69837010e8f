"""The networks of this distribution keep what every VGG promises."""

import pytest

from nst.testing import PluginSuite, VGGSuite

pytestmark = pytest.mark.frameworks


class TestNetworks(VGGSuite):
    distribution = "nst-jax"
    entry_module = "nst_jax"


class TestPlugin(PluginSuite):
    distribution = "nst-jax"
    entry_module = "nst_jax"
