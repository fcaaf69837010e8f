"""Whether a picture is there already: told by its content, not by names or dates, and without any framework."""

from __future__ import annotations

import os

import pytest

from nst.images import WriteOptions, save_image
from nst.job.inputs import Sources
from nst.orders import Done, Order
from nst.persistence.up_to_date import is_up_to_date
from nst.recipe.recipe import Recipe
from nst.vgg.network import write
from nst.worker.painter import Painter


@pytest.fixture
def made(tmp_path, photo, make_network, plugins, monkeypatch):
    """A picture of every kind of file, and `made(**changes)`: whether it is kept for these."""
    pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    for seed, name in enumerate(("a.png", "b.png", "c.png", "d.png", "mask.png", "held.png", "init.png")):
        save_image(name, photo(32, 32, seed=seed))
    write(tmp_path / "w.safetensors", make_network())
    recipe = Recipe(size=32, levels=1, steps=1, weights="w.safetensors", init="init.png", device="cpu")
    masks = [("mask.png", ["d.png"])]
    order = Order("a.png", ["b.png", ["b.png", "c.png"]], "out.png", recipe.to_dict(), masks, "held.png")
    assert isinstance(Painter(plugins).paint(order), Done)
    seen = {}

    def ask(**changes):
        wanted = {"options": WriteOptions(), "recipe": recipe, "output": "out.png", "masks": masks} | changes
        sources = Sources("a.png", order.styles, wanted["masks"], "held.png")
        return is_up_to_date(wanted["output"], sources, wanted["recipe"], wanted["options"], plugins, seen)

    ask.recipe = recipe
    return ask


@pytest.mark.frameworks
@pytest.mark.parametrize("name", ["a.png", "b.png", "c.png", "d.png", "mask.png", "held.png", "init.png"])
def test_another_content_of_any_file_is_another_picture(made, photo, name):
    assert made()
    os.utime(name)
    assert made(), "a date is no content"
    save_image(name, photo(32, 32, seed=99))
    assert not made()


@pytest.mark.frameworks
def test_other_weights_are_another_picture_under_the_same_name(made, make_network):
    write("w.safetensors", make_network(seed=1))
    assert not made()


@pytest.mark.frameworks
def test_other_choices_are_another_picture(made):
    assert not made(recipe=made.recipe.override(steps=2))
    assert not made(options=WriteOptions(bit_depth="8"))
    assert not made(masks=[])
    assert not made(output="a.png"), "it says nothing of its making"
    assert not made(output="gone.png")


@pytest.mark.frameworks
def test_what_cannot_be_read_any_more_is_for_the_painter_to_tell(made):
    os.remove("b.png")
    assert not made()
