"""Identify the network that a backend runs by its weights and settings, not by its name."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import astuple
from typing import Any

import numpy as np

from nst.job.job import Job
from nst.vgg.network import Network

EXACT = ("float32", "float64")
"""The precisions the tolerances are stated for."""


def identify(job: Job, network: Any, precision: str) -> dict[str, str]:
    """Return the facts that are equal if two backends run the same network."""
    if isinstance(network, Network):
        architecture, preprocessing, weights = network.architecture, _inputs(network), digest(network)
    else:  # not a VGG's: what the backend declares, and its file
        architecture, preprocessing, weights = job.spec.name, "its own", job.weights.source.verify()
    return {
        "architecture": architecture,
        "preprocessing": preprocessing,
        "pooling": job.recipe.pooling,
        "padding": job.spec.pads(job.recipe.padding) or "zero",
        "precision": precision,
        "weights": weights,
    }


def _inputs(network: Network) -> str:
    """Return the name and the numbers of the preprocessing."""
    return f"{network.preprocessing.name} {astuple(network.preprocessing)[1:]}"


def digest(network: Network) -> str:
    """SHA-256 in hex over every kernel and bias, as float32, in network order."""
    sha256 = hashlib.sha256()
    for name, kernel in network.kernels.items():
        sha256.update(name.encode())
        for values in (kernel, network.biases[name]):
            sha256.update(str(values.shape).encode())
            sha256.update(np.ascontiguousarray(values, np.dtype("<f4")).tobytes())
    return sha256.hexdigest()


def differences(one: Mapping[str, str], other: Mapping[str, str]) -> str:
    """Return the differences of two networks in words, or "" for the same network."""
    if one["architecture"] != other["architecture"]:
        return f"different networks: {one['architecture']} and {other['architecture']}"
    parts = ["weights"] if one["weights"] != other["weights"] else []
    parts += [
        f"{part} ({_word(one[part])} and {_word(other[part])})"
        for part in ("preprocessing", "pooling", "padding")
        if one[part] != other[part]
    ]
    if parts:
        return f"different {', '.join(parts)}"
    rough = [facts["precision"] for facts in (one, other) if facts["precision"] not in EXACT]
    return f"computed in {rough[0]}" if rough else ""


def _word(value: str) -> str:
    return value.partition(" ")[0]
