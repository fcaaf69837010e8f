"""A description leaves nothing out that a spec declares, and says what it means."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields

import pytest

from nst.plugins.describe import as_data, describe
from nst.plugins.host import KINDS, Plugin, Plugins
from nst.specs import BackendSpec, LossSpec, MemoryModel, OptimizerSpec, Option, WeightSet


@pytest.fixture
def owner(plugins) -> Plugin:
    return plugins.installed[0]


def words(description):
    """Every text of a description, in one."""
    return json.dumps(asdict(description), ensure_ascii=False)


def every(plugins: Plugins):
    return [(owner, kind, spec) for kind in KINDS for owner, spec in plugins.offered(kind)]


def test_every_field_of_every_spec_of_ours_is_told(plugins):
    for owner, kind, spec in every(plugins):
        text = words(describe(owner, kind, spec))
        for field in fields(spec):
            for value in _texts(getattr(spec, field.name)):
                assert value in text, f"{spec.name}: {field.name}"


def _texts(value):
    """The texts that a field holds, of options and weight sets too."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, tuple):
        return [text for item in value for text in _texts(item)]
    return _texts(tuple(asdict(value).values())) if isinstance(value, Option | WeightSet) else []


def test_a_field_that_is_added_later_is_told_by_its_name(owner):
    @dataclass(frozen=True)
    class Later(LossSpec):
        colors: tuple[str, ...] = ("lab", "rgb")
        brave: bool = True

    facts = describe(owner, "loss", Later("mine", "a:b")).facts
    assert (facts["colors"], facts["brave"]) == ("lab, rgb", "yes")


def test_it_says_whose_it_is(owner):
    text = describe(owner, "loss", LossSpec("mine", "a:b", "how alike"))
    assert (text.name, text.kind, text.owner, text.summary) == ("mine", "loss", "nst 0.1.0", "how alike")


@pytest.mark.parametrize(
    ("spec", "label", "start"),
    [
        (LossSpec("mine", "a:b", shape="whole"), "shape", "whole (needs the whole image"),
        (LossSpec("mine", "a:b", role="image"), "role", "image (of the image alone"),
        (OptimizerSpec("mine", "a:b"), "resumable", "yes ("),
        (OptimizerSpec("mine", "a:b", resumable=False), "resumable", "no ("),
        (OptimizerSpec("mine", "a:b", carries=True), "carries", "yes ("),
        (BackendSpec("mine", "a:b"), "weights", "none"),
        (BackendSpec("mine", "a:b", memory=MemoryModel(28 * 10**7, 2)), "memory", "0.28 GB, and 2 times"),
        (BackendSpec("mine", "a:b", files=""), "weight files", "none"),
        (BackendSpec("mine", "a:b", install="nst-mine"), "install with", "pip install nst-mine"),
        (BackendSpec("mine", "a:b"), "memory", "not declared"),
        (LossSpec("mine", "a:b", copies=2.5), "copies of the features in memory", "2.5"),
    ],
)
def test_what_a_value_means_is_said_beside_it(owner, spec, label, start):
    assert describe(owner, "any", spec).facts[label].startswith(start)


def test_what_means_nothing_to_one_pass_is_left_out(owner):
    facts = describe(owner, "backend", BackendSpec("mine", "a:b", kind="image")).facts
    assert facts["kind"].startswith("image (stylizes in one pass")
    assert not {"pooling", "padding", "layers", "architecture"} & facts.keys()


@pytest.mark.parametrize(
    ("option", "default", "allowed"),
    [
        (Option("lr", 0.1, "", minimum=0, maximum=1), "0.1", "0 to 1"),
        (Option("lr", 0.1, "", minimum=0), "0.1", "0 or more"),
        (Option("lr", 0.1, "", maximum=2), "0.1", "2 or less"),
        (Option("lr", 0.1, ""), "0.1", "a number"),
        (Option("side", 8, "", minimum=1, unit="px"), "8 px", "a whole number, 1 or more"),
        (Option("side", 8, ""), "8", "a whole number"),
        (Option("on", True, ""), "yes", "yes or no"),
        (Option("space", "lab", "", choices=("lab", "rgb")), "lab", "one of lab, rgb"),
        (Option("text", "a b", ""), "a b", "text"),
        (Option("text", "", ""), "none", "text"),
    ],
)
def test_an_option_tells_its_default_and_what_is_allowed(owner, option, default, allowed):
    (text,) = describe(owner, "loss", LossSpec("mine", "a:b", options=(option,))).options
    assert (text.default, text.allowed) == (default, allowed)


def test_the_data_holds_every_field_and_whose_it_is(plugins):
    for owner, kind, spec in every(plugins):
        data = json.loads(json.dumps(as_data(owner, kind, spec)))
        assert (data["type"], data["plugin"], data["version"]) == (kind, owner.distribution, "0.1.0")
        assert {field.name for field in fields(spec)} <= data.keys()
