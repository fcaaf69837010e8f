"""Layer selections: read from text, told apart from nonsense, and shared out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nst.errors import UserError
from nst.vgg.architecture import layer_names as names_of
from nst.vgg.layers import canonical_layer, check, layer_shares, parse_selection

VGG19 = names_of("vgg19")
WEIGHTS = st.floats(0, 1e6)


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("relu4_2", "relu4_2"),
        (" relu4_2 ", "relu4_2"),
        ("block4_conv2", "relu4_2"),
        ("block4_pool", "pool4"),
        ("conv4_2", "conv4_2"),
        ("block4_conv2_bn", "block4_conv2_bn"),
    ],
)
def test_a_layer_has_one_spelling(name: str, layer: str) -> None:
    assert canonical_layer(name) == layer


@pytest.mark.parametrize("layer", VGG19)
def test_the_names_of_a_network_are_their_own_spelling(layer: str) -> None:
    assert canonical_layer(layer) == layer


@pytest.mark.parametrize(
    ("text", "selection"),
    [
        ("relu1_1", {"relu1_1": 1}),
        ("relu1_1=1, relu2_1=0.5", {"relu1_1": 1, "relu2_1": 0.5}),
        ("relu1_1=1e-3,", {"relu1_1": 1e-3}),
        ("block1_conv1=2", {"relu1_1": 2}),
        ("", {}),
        (" , ", {}),
    ],
)
def test_a_selection_is_read(text: str, selection: dict[str, float]) -> None:
    assert parse_selection(text) == selection


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("relu1_1=much", "layer weight in 'relu1_1=much' is not a number"),
        ("relu1_1=1,relu2_1=1=2", "layer weight in 'relu2_1=1=2' is not a number"),
        ("relu1_1,=1", "'=1' names no layer"),
    ],
)
def test_a_selection_that_cannot_be_read_shows_the_part(text: str, message: str) -> None:
    with pytest.raises(UserError, match="^" + message) as caught:
        parse_selection(text)
    assert "relu4_2=0.5" in caught.value.hint


@given(st.text() | st.text("relu_conv pool0123456789=,.-e"))
def test_any_text_is_a_selection_or_a_mistake(text: str) -> None:
    try:
        selection = parse_selection(text)
    except UserError:
        return
    assert all(name and isinstance(weight, float) for name, weight in selection.items())


@given(st.dictionaries(st.sampled_from(VGG19), WEIGHTS))
def test_a_selection_written_out_reads_the_same(selection: dict[str, float]) -> None:
    assert parse_selection(",".join(f"{name}={weight!r}" for name, weight in selection.items())) == selection


def test_a_selection_the_network_offers_is_right() -> None:
    assert check("--style-layers", {"relu1_1": 1, "pool5": 0}, VGG19) == []


@pytest.mark.parametrize(
    ("selection", "message", "hint"),
    [
        ({"relu1_3": 1}, "unknown layer in --style-layers: 'relu1_3'", "(it has conv1_1 … pool5)"),
        ({}, "--style-layers names no layer", "name at least one of conv1_1 … pool5"),
        ({"relu1_1": 0}, "--style-layers: every weight is 0", "set its weight to 0"),
        ({"relu1_1": -1}, "--style-layers: weights must be 0 or more", "got {'relu1_1': -1}"),
        ({"relu1_1": float("nan")}, "--style-layers: weights must be 0 or more", "nan"),
    ],
)
def test_a_wrong_selection_names_its_option(selection: dict[str, float], message: str, hint: str) -> None:
    (error,) = check("--style-layers", selection, VGG19)
    assert error.message == message
    assert hint in error.hint


def test_a_network_without_layers_has_none_to_offer() -> None:
    errors = check("--style-layers", {"relu1_1": 1}, ()) + check("--style-layers", {}, ())
    assert [error.hint for error in errors] == ["choose from none (it has none)", "name at least one of none"]


def test_every_unknown_layer_is_reported() -> None:
    errors = check("--style-layers", {"relu1_3": 1, "relu9_1": -1}, VGG19)
    assert [error.message.split()[-1] for error in errors] == ["'relu1_3'", "'relu9_1'", "more"]


@given(st.dictionaries(st.sampled_from(VGG19), WEIGHTS, min_size=1).filter(lambda found: any(found.values())))
def test_shares_sum_to_1_in_proportion_without_the_zeros(selection: dict[str, float]) -> None:
    found = layer_shares(selection)
    assert sum(found.values()) == pytest.approx(1)
    assert list(found) == [name for name, weight in selection.items() if weight]
    total = sum(selection.values())
    assert all(share * total == pytest.approx(selection[name]) for name, share in found.items())
