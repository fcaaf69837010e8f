"""The executor keeps what every executor promises, and the plugin what every plugin does."""

from __future__ import annotations

import pytest

from nst.testing import ExecutorSuite, PluginSuite


class TestPlugin(PluginSuite):
    distribution = "nst-ray"


@pytest.mark.usefixtures("cluster")
class TestRay(ExecutorSuite):
    distribution = "nst-ray"
    entry_module = "nst_ray"
    options = {"retries": 1, "jobs": 2}  # noqa: RUF012 - a ClassVar of the suite
