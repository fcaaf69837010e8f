"""The networks of this distribution keep what every feature backend promises, on weights at random."""

import pytest

from nst.testing import FeatureBackendSuite, PluginSuite

pytestmark = pytest.mark.frameworks


class TestNetworks(FeatureBackendSuite):
    distribution = "nst-torch"
    entry_module = "nst_torch"

    @pytest.fixture(scope="class")
    @classmethod
    def weights(cls, spec, make_network):
        return make_network(spec.architecture)


class TestPlugin(PluginSuite):
    distribution = "nst-torch"
    entry_module = "nst_torch"
