"""What sets cells apart, as typed."""

from __future__ import annotations

import pytest

from nst.compare import grid
from nst.errors import Mistakes, UserError


@pytest.mark.parametrize(
    ("typed", "field", "values"),
    [
        ("optimizer=lbfgs,adam", "optimizer", ["lbfgs", "adam"]),
        ("optimiser=lbfgs, adam", "optimizer", ["lbfgs", "adam"]),
        ("style-layers=relu1_1=1,relu2_1;relu3_1", "style_layers", ["relu1_1=1,relu2_1", "relu3_1"]),
        ("style_layers=relu1_1;relu3_1;", "style_layers", ["relu1_1", "relu3_1"]),
        ("weights=compact,/a/b.safetensors", "weights", ["compact", "/a/b.safetensors"]),
        ("weights=compact;/a,b.safetensors", "weights", ["compact", "/a,b.safetensors"]),
        ("optimizer-option=lr=0.01;lr=0.02,beta1=0.8", "optimizer_options", ["lr=0.01", "lr=0.02,beta1=0.8"]),
        ("sizes=48,64;64", "sizes", ["48,64", "64"]),
    ],
)
def test_a_field_and_its_values(typed, field, values):
    assert grid.read_vary(typed) == (field, values)


@pytest.mark.parametrize("typed", ["optimizer", "optimizer=", "optimizer=adam", "style-layers=relu1_1,relu2_1", "=1,2"])
def test_fewer_than_two_values_are_refused(typed):
    with pytest.raises(UserError) as caught:
        grid.read_vary(typed)
    assert caught.value.hint


def test_the_combinations_come_with_the_last_field_fastest():
    found = grid.read("a,b@w.safetensors", ["seed=1,2"])
    assert found == [
        {"backend": "a", "seed": "1"},
        {"backend": "a", "seed": "2"},
        {"backend": "b@w.safetensors", "seed": "1"},
        {"backend": "b@w.safetensors", "seed": "2"},
    ]


def test_mistakes_come_together():
    with pytest.raises(Mistakes) as caught:
        grid.read("a@x,b", ["nonsense=1,2", "weights=c,d"])
    assert len(caught.value.errors) == 2


@pytest.mark.parametrize(
    ("setting", "name"),
    [
        ({"backend": "torch-vgg19"}, "torch-vgg19"),
        ({"backend": "torch-vgg19@/long/way/w.safetensors", "seed": "1"}, "torch-vgg19@w.safetensors, seed=1"),
        (
            {"weights": "a/b.safetensors", "style_layers": "relu1_1=1,relu2_1"},
            "weights=b.safetensors, style-layers=relu1_1=1,relu2_1",
        ),
        ({"backend": "tfhub-fast@folder/"}, "tfhub-fast@folder/"),
        ({}, ""),
    ],
)
def test_captions_leave_out_folders(setting, name):
    assert grid.setting_label(setting) == name
