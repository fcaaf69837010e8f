"""Numbers held against each other: what passes, what fails, what is not judged."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from nst.compare import network_identity, parity, probe_images, report
from nst.compare.parity import ADAM, CellNumbers, ParityRow

SAME = {
    "architecture": "vgg19",
    "preprocessing": "caffe (1, 2)",
    "pooling": "max",
    "padding": "zero",
    "precision": "float32",
    "weights": "a",
}


def probed(name="one", change=None, **differs):
    rng = np.random.default_rng(0)
    values = {
        "features": {"content/relu1_1": rng.normal(size=(4, 5, 6)).astype(np.float32)},
        "reference": {},
        "gradient": {"noise": rng.normal(size=(8, 9, 3)).astype(np.float32)},
        "adam": {"step 20": rng.random((8, 9, 3)).astype(np.float32)},
        "terms": {"content/gram relu1_1": 2.0, "content/content relu4_2": 0.0},
    }
    if change:
        check, key, apply = change
        values[check] = values[check] | {key: apply(values[check][key])}
    return CellNumbers(name, {**SAME, **differs}, values)


def judged(other) -> list[ParityRow]:
    return parity.rows([probed(), other])


def test_the_same_numbers_pass():
    assert {row.parity for row in judged(probed("two"))} == {"pass"}
    assert {row.error for row in judged(probed("two"))} == {0.0}


@pytest.mark.parametrize(
    ("check", "key", "wrong", "close"),
    [
        ("features", "content/relu1_1", 1.001, 1.00005),
        ("terms", "content/gram relu1_1", 1.002, 1.0005),
        ("gradient", "noise", 1.002, 1.00005),
    ],
)
def test_a_wrong_scale_fails_and_a_rounding_passes(check, key, wrong, close):
    """A scale is what a cosine would never see."""
    for factor, expected in ((wrong, "fail"), (close, "pass")):
        rows = judged(probed("two", (check, key, lambda value, factor=factor: value * factor)))
        assert [row.parity for row in rows if row.check == check and row.item != "content relu4_2"] == [expected]


@pytest.mark.parametrize(("error", "expected"), [(0.07, "pass"), (0.3, "fail")])
def test_a_few_values_of_a_gradient_may_differ_a_little_and_are_named(error, expected):
    """A near-tie in a pool is none of a backend's doing; the box says where to look."""

    def spoil(gradient):
        spoiled = gradient.copy()
        spoiled[3:5, 4, 1] += error * np.abs(gradient).max()
        return spoiled

    rows = {row.check: row for row in judged(probed("two", ("gradient", "noise", spoil)))}
    assert rows["gradient"].parity == "pass"
    assert rows["gradient"].error < 1e-6
    assert rows["peak"].parity == expected
    assert rows["peak"].error == pytest.approx(error, rel=1e-3)
    assert rows["peak"].item == "rows 3–4, columns 4–4"


def test_a_part_of_a_gradient_that_is_wrong_fails():
    def spoil(gradient):
        spoiled = gradient.copy()
        spoiled[:, :1] *= 1.01  # a border
        return spoiled

    rows = {row.check: row for row in judged(probed("two", ("gradient", "noise", spoil)))}
    assert rows["gradient"].parity == "fail"
    assert rows["gradient"].item == "rows 0–7, columns 0–0"


def test_pixels_may_differ_by_two_levels():
    for levels, expected in ((1.9, "pass"), (2.1, "fail")):
        rows = judged(probed("two", ("adam", "step 20", lambda image, by=levels / 255: image + np.float32(by))))
        assert [row.parity for row in rows if row.check == "adam"] == [expected]
    assert ADAM == 2 / 255


def test_a_term_of_nothing_is_held_against_the_whole_loss():
    tiny = judged(probed("two", ("terms", "content/content relu4_2", lambda _: 1e-10)))
    assert {row.parity for row in tiny} == {"pass"}
    large = judged(probed("two", ("terms", "content/content relu4_2", lambda _: 1e-6)))
    assert [row.item for row in large if row.parity == "fail"] == ["content relu4_2"]


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_not_finite_fails(value):
    rows = judged(probed("two", ("features", "content/relu1_1", lambda features: features * np.float32(value))))
    assert [row.parity for row in rows if row.check == "features"] == ["fail"]
    assert "null" in json.dumps(report._strict([{"error": value}]))


@pytest.mark.parametrize(
    ("differs", "reason"),
    [
        ({"weights": "b"}, "different weights"),
        ({"preprocessing": "torchvision (3)"}, "different preprocessing (caffe and torchvision)"),
        ({"weights": "b", "pooling": "average"}, "different weights, pooling (max and average)"),
        ({"padding": "reflect"}, "different padding (zero and reflect)"),
        ({"architecture": "vgg16", "weights": "b"}, "different networks: vgg19 and vgg16"),
        ({"precision": "bfloat16"}, "computed in bfloat16"),
    ],
)
def test_different_networks_say_so(differs, reason):
    rows = judged(probed("two", **differs))
    assert {(row.parity, row.reason) for row in rows} == {("different", reason)}


def test_float64_is_judged():
    assert network_identity.differences(SAME, {**SAME, "precision": "float64"}) == ""


def test_shapes_that_differ_are_no_error():
    rows = judged(probed("two", ("features", "content/relu1_1", lambda features: features[..., :2]), weights="b"))
    (row,) = (row for row in rows if row.check == "features")
    assert math.isnan(row.error)
    assert row.parity == "different"


def test_the_baseline_is_the_first_that_got_furthest():
    cut = CellNumbers("cut", SAME, {**probed().values, "gradient": {}, "adam": {}})
    against = {row.name: row.against for row in parity.rows([cut, probed("one"), probed("two")])}
    assert against == {"cut": "one", "two": "one"}


def test_nothing_found_is_nothing_judged():
    empty = CellNumbers("empty", {}, {check: {} for check in probed().values})
    assert parity.rows([empty, empty]) == []
    assert parity.rows([]) == []
    assert parity.worst([]) is None


def test_the_digest_is_of_values_not_of_files(make_network):
    from dataclasses import replace

    network = make_network()
    renamed = replace(network, source="elsewhere", sha256="other")
    assert (
        network_identity.digest(network)
        == network_identity.digest(renamed)
        != network_identity.digest(make_network(seed=1))
    )


@pytest.mark.parametrize("side", [1, 23, 24, 25, 255])
def test_sampled_positions_keep_the_borders(side):
    rows = probe_images._positions(side).tolist()
    assert rows == sorted(set(rows))
    assert len(rows) == min(side, probe_images.GRID)
    edge = min(probe_images.EDGE, side)
    assert rows[:edge] == list(range(edge))
    assert rows[-edge:] == list(range(side - edge, side))


def test_the_pinned_images_are_the_same_everywhere(photo):
    one, other = (probe_images.images(photo(60, 90), 45) for _ in range(2))
    assert list(one) == ["content", "noise", "half-way"]
    for name, pixels in one.items():
        np.testing.assert_array_equal(pixels, other[name])
        assert (pixels.shape, pixels.dtype) == ((30, 45, 3), np.float32)
    np.testing.assert_allclose(one["half-way"], (one["content"] + one["noise"]) / 2, atol=1e-6)


def test_pinned_images_are_small_odd_and_large_enough(photo):
    assert probe_images.long_side(photo(512, 512), ["relu5_1"], 512) == 255
    assert probe_images.long_side(photo(48, 64), ["relu5_1"], 64) == 64
    assert probe_images.long_side(photo(16, 600), ["relu5_1"], 600) == 600
    assert probe_images.layers(["relu1_1"], ["conv1_1", "relu1_1", "pool5"], (31, 99)) == ("conv1_1", "relu1_1")
