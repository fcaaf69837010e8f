"""One small Ray for all tests of this folder: to start it takes longer than to paint a picture."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def cluster():
    """A Ray of two places."""
    ray = pytest.importorskip("ray")
    from nst_ray.cluster import STORE

    ray.init(num_cpus=2, include_dashboard=False, object_store_memory=STORE, log_to_driver=False)
    yield ray
    ray.shutdown()
