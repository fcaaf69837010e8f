"""The network of this distribution keeps what every image backend promises: the code around it, and Magenta's own."""

import pytest

from nst.specs import resolve
from nst.testing import ImageBackendSuite, PluginSuite


class TestAroundTheNetwork(ImageBackendSuite):
    distribution = "nst-tfhub"
    entry_module = "nst_tfhub"

    @pytest.fixture(scope="class", params=[None, 32], ids=["any size", "one size"])
    @classmethod
    def weights(cls, fake, request):
        return fake(request.param)


@pytest.mark.weights
class TestMagentas(ImageBackendSuite):
    distribution = "nst-tfhub"
    entry_module = "nst_tfhub"

    @pytest.fixture(scope="class")
    @classmethod
    def weights(cls, spec, magenta):
        return resolve(spec.files)(str(magenta)).load()


class TestPlugin(PluginSuite):
    distribution = "nst-tfhub"
    entry_module = "nst_tfhub"
