"""Cells are planned, checked and named before anything runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nst.compare import cells, grid
from nst.errors import UserError
from nst.images import save_image
from nst.plugins.discovery import EntryPoint
from nst.plugins.host import Plugins
from nst.recipe.recipe import Recipe
from nst.vgg.network import write

SHAPES = [("content.png", (48, 64)), ("style.png", (48, 64))]
RECIPE = Recipe(size=64, levels=1, weights="compact")


def plan(plugins, backends="", vary=(), recipe=RECIPE):
    return cells.plan_cells(recipe, grid.read(backends, vary), plugins, SHAPES)


def test_one_cell_per_combination(plugins):
    found = plan(plugins, vary=["optimizer=lbfgs,adam", "pooling=max,average"])
    assert [(cell.recipe.optimizer, cell.recipe.pooling) for cell in found] == [
        ("lbfgs", "max"),
        ("lbfgs", "average"),
        ("adam", "max"),
        ("adam", "average"),
    ]
    assert [cell.name for cell in found][:2] == ["optimizer=lbfgs, pooling=max", "optimizer=lbfgs, pooling=average"]


def test_precision_is_float32_unless_it_is_chosen(plugins):
    """Two backends can be held to each other's numbers in float32 alone."""
    assert [cell.recipe.precision for cell in plan(plugins, "torch-vgg19")] == ["float32"]
    varied = plan(plugins, vary=["precision=auto,bfloat16"])
    assert [(cell.recipe.precision, cell.probe) for cell in varied] == [("auto", True), ("bfloat16", True)]
    chosen = cells.plan_cells(RECIPE, grid.read("torch-vgg19", []), plugins, SHAPES, chosen=["precision"])
    assert [cell.recipe.precision for cell in chosen] == ["auto"]


def test_equal_recipes_are_one_cell(plugins):
    assert len(plan(plugins, "torch-vgg19,torch-vgg19@compact")) == 1
    assert len(plan(plugins, vary=["size=64,64,65"])) == 2


@pytest.mark.parametrize(
    ("vary", "probed"),
    [
        (["optimizer=lbfgs,adam"], [False, False]),
        (["pooling=max,average", "seed=1,2"], [True, False, True, False]),
        (["device=cpu,auto"], [True, True]),
    ],
)
def test_a_network_is_looked_into_once_and_where_there_are_several(plugins, vary, probed):
    assert [cell.probe for cell in plan(plugins, vary=vary)] == probed


def test_a_backend_asked_for_is_looked_into(plugins):
    assert [cell.probe for cell in plan(plugins, "torch-vgg19", ["seed=1,2"])] == [True, False]


@pytest.mark.parametrize("backend", ["torch-vgg19", "keras-vgg19", "tfhub-fast"])
def test_a_missing_plugin_of_ours_names_its_pip_line(backend):
    with pytest.raises(UserError) as caught:
        plan(Plugins([EntryPoint("nst.v1", "nst", "nst.losses", "nst", "0")]), backend)
    assert caught.value.message == f"backend '{backend}' is not installed"
    assert caught.value.hint == f"pip install nst-{backend.partition('-')[0]}"


def test_a_name_nobody_knows_is_corrected(plugins):
    with pytest.raises(UserError, match="unknown backend 'torch-vgg9'") as caught:
        plan(plugins, "torch-vgg9")
    assert "torch-vgg19" in caught.value.hint


def test_a_picture_that_cannot_be_read_hides_no_mistake_in_a_recipe(plugins):
    wanted = grid.read("torch-vgg19", ["optimizer=adam,lbgfs"])
    with pytest.raises(UserError, match="lbgfs"):
        cells.plan_cells(RECIPE, wanted, plugins, [("content.png", (0, 0)), SHAPES[1]])


@pytest.fixture
def files(tmp_path, photo, make_network):
    save_image(tmp_path / "content.png", photo(48, 64))
    save_image(tmp_path / "style.png", photo(48, 64, seed=1))
    write(tmp_path / "net.safetensors", make_network())
    return tmp_path


def name(plugins, files, **changes):
    recipe = RECIPE.override(weights=str(files / "net.safetensors"), **changes)
    (cell,) = plan(plugins, "torch-vgg19", recipe=recipe)
    cells._digest.cache_clear()
    return cells.folder_name(cell, [str(files / "content.png"), str(files / "style.png")])


def test_a_folder_has_another_name_when_anything_is_other(plugins, files, photo, make_network):
    first = name(plugins, files)
    assert first == name(plugins, files)
    assert first.startswith("torch-vgg19-")
    others = [name(plugins, files, seed=1), name(plugins, files, style_layers="relu1_1")]
    save_image(files / "content.png", photo(48, 64, seed=5))
    others.append(name(plugins, files))
    write(files / "net.safetensors", make_network(seed=3))
    others.append(name(plugins, files))
    assert len({first, *others}) == 5


def test_a_start_picture_counts_by_its_contents(plugins, files, photo):
    start = str(save_image(files / "start.png", photo(48, 64, seed=7)))
    first = name(plugins, files, init=start)
    save_image(files / "start.png", photo(48, 64, seed=8))
    assert name(plugins, files, init=start) != first


def test_a_cell_is_looked_into_or_not_under_another_name(plugins, files):
    (cell,) = plan(plugins, "torch-vgg19")
    pictures = [str(files / "content.png")]
    assert cells.folder_name(cell, pictures) != cells.folder_name(replace(cell, probe=False), pictures)


def test_a_mistake_says_which_cells_it_is_in(plugins):
    """Unless it is in all of them, or speaks of what sets them apart."""
    with pytest.raises(UserError) as caught:
        plan(plugins, vary=["seed=1,2,3,4", "sizes=64;64,48"])
    cells = "; ".join(f"seed={seed}, sizes=64,48" for seed in (1, 2, 3))
    assert caught.value.message == f"{cells} and 1 more: --sizes must grow"
    with pytest.raises(UserError) as caught:
        plan(plugins, vary=["optimizer=adam,lbgfs"])
    assert caught.value.message == "unknown optimizer 'lbgfs'"
    with pytest.raises(UserError) as caught:
        plan(plugins, vary=["seed=1,2"], recipe=RECIPE.override(init="nose"))
    assert caught.value.message == "unknown initializer 'nose'"
