"""What a run on this backend needs."""

from __future__ import annotations

import pytest

from nst.plugins import Plugins
from nst.plugins.discovery import EntryPoint


@pytest.fixture(scope="session")
def plugins():
    """Our own plugins, and nothing that happens to be installed."""
    modules = {name: name.replace("-", "_") for name in ("nst-jax", "nst-optimizers", "nst-initializers")}
    found = {"nst": "nst.builtin_plugins", **modules}
    return Plugins([EntryPoint("nst.v1", name, module, name, "0.1.0") for name, module in found.items()], strict=True)
