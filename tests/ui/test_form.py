"""Test the form: entries for every option of every plugin, and the conversion to recipes."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nst.errors import Mistakes, UserError
from nst.plugins.host import Plugins
from nst.recipe.recipe import FIELDS, Recipe, presets
from nst.specs import LossSpec, OptimizerSpec, Option
from nst.ui.form import CHOOSERS, Form

NESTED = {options for _, _, options in CHOOSERS.values()} | {"losses"}


@dataclass
class MorePlugins:
    """Plugins with additional specs."""

    plugins: Plugins
    specs: dict

    def offered(self, kind):
        yield from self.plugins.offered(kind)
        yield from ((self.plugins.installed[0], spec) for spec in self.specs.get(kind, ()))

    def find(self, kind, name):
        return self.plugins.find(kind, name)


def test_the_form_holds_every_field_of_a_recipe_once(form):
    keys = [entry.key for panel in form.panels for entry in panel.entries()]
    assert len(keys) == len(set(keys))
    assert set(FIELDS) - NESTED <= set(keys)


def test_every_option_of_every_spec_has_an_entry_with_its_help_and_bounds(form, offered):
    for kind, prefix in (
        ("backend", "backend_options"),
        ("optimizer", "optimizer_options"),
        ("initializer", "init_options"),
    ):
        for _, spec in offered.offered(kind):
            for option in spec.options:
                entry = form.entries[f"{prefix}/{spec.name}/{option.name}"]
                assert (entry.default, entry.minimum, entry.maximum) == (option.default, option.minimum, option.maximum)
                assert option.help in entry.help


def test_the_options_of_a_new_plugin_are_in_the_form(offered):
    swirl = Option("swirl", 3, "number of turns", minimum=1, maximum=9)
    fuzz = Option("weight", "soft", "texture", choices=("soft", "hard"))
    more = {
        "optimizer": [OptimizerSpec("whirl", "whirl:run", options=(swirl,))],
        "loss": [LossSpec("fuzz", "fuzz:Loss", options=(fuzz,))],
    }
    form = Form(MorePlugins(offered, more))
    assert form.entries["optimizer_options/whirl/swirl"].kind == "whole"
    assert form.entries["losses/fuzz/options/weight"].choices == ("soft", "hard")
    recipe = form.recipe({"optimizer": "whirl", "optimizer_options/whirl/swirl": 5, "losses/fuzz/weight": 2})
    assert (recipe.optimizer, recipe.optimizer_options) == ("whirl", {"swirl": 5})
    assert [(loss.name, loss.weight) for loss in recipe.losses] == [("fuzz", 2.0)]


def test_equal_names_of_two_plugins_are_prefixed(offered):
    form = Form(MorePlugins(offered, {"optimizer": [OptimizerSpec("adam", "other:adam")]}))
    assert {"nst:adam", "nst-optimizers:adam"} <= set(form.entries["optimizer"].choices)
    assert "adam" not in form.entries["optimizer"].choices


def test_an_untouched_form_is_the_default_recipe(form):
    assert form.recipe({}) == form.recipe(form.defaults()) == Recipe()


@pytest.mark.parametrize("name", presets())
def test_a_preset_in_the_form_gives_the_recipe_of_the_preset(form, name):
    from nst.recipe.recipe import preset

    assert form.recipe(form.preset(name, "torch-vgg19")) == Recipe().override(**preset(name))


@given(
    size=st.integers(16, 4096),
    steps=st.lists(st.integers(1, 900), max_size=3),
    weight=st.floats(0, 1e6),
    layers=st.dictionaries(st.sampled_from(["relu1_1", "conv4_2", "pool2"]), st.floats(0, 100), min_size=1),
    lr=st.floats(1e-6, 1),
    extra=st.floats(0.01, 100),
)
def test_a_recipe_in_the_form_gives_the_same_recipe(form, size, steps, weight, layers, lr, extra):
    histogram = {"name": "histogram", "weight": extra, "layers": layers, "options": {"groups": 32}}
    recipe = Recipe(
        **{"size": size, "steps": steps, "content_weight": weight, "style_layers": layers},
        **{"optimizer": "adam", "optimizer_options": {"lr": lr} if lr != 0.02 else {}, "losses": [histogram]},
    )
    assert form.recipe(form.values(recipe)) == recipe
    assert form.unshown(recipe) == ""


def test_fields_that_the_form_cannot_show_are_named(form):
    twice = Recipe(losses=["histogram=1@relu1_1", "histogram=2@relu2_1"])
    assert form.unshown(twice) == "the form cannot show all values of losses"


def test_only_the_options_of_the_chosen_spec_are_used(form):
    recipe = form.recipe({"optimizer": "lbfgs", "optimizer_options/adam/lr": 0.5})
    assert recipe.optimizer_options == {}


def test_a_one_pass_backend_ignores_fields_without_meaning(form):
    recipe = form.recipe({"backend": "tfhub-fast", "steps": "7", "backend_options/tfhub-fast/strength": 0.5})
    assert recipe == Recipe(backend="tfhub-fast", backend_options={"strength": 0.5})
    assert form.one_pass("tfhub-fast")
    assert form.recipe(form.preset("quick", "tfhub-fast")) == Recipe(backend="tfhub-fast")


def test_all_errors_are_reported_together(form):
    with pytest.raises(Mistakes) as error:
        form.recipe({"size": 0, "content_weight": "much", "sise": 3})
    assert [item.message for item in error.value.errors] == [
        "unknown setting 'sise'",
        "--size: must be 1 or more, not 0",
        "--content-weight: must be a number, not 'much'",
    ]


@pytest.mark.parametrize("field", ["weights", "init"])
def test_no_file_of_the_server_is_read(form, field):
    with pytest.raises(UserError, match="unknown"):
        form.recipe({field: "/etc/passwd"})


def test_a_weight_file_of_the_command_line_can_be_chosen(offered):
    form = Form(offered, files=("/srv/my weights/mine.safetensors",))
    recipe = form.recipe({"weights": "mine.safetensors"})
    assert recipe.weights == ("/srv/my weights/mine.safetensors",)
    assert form.values(recipe)["weights"] == "mine.safetensors", "visitors do not see the folder"
    assert form.choices("torch-vgg19")["weights"][-1] == "mine.safetensors"
    assert form.unshown(recipe) == ""


def test_choices_depend_on_the_backend(form):
    assert form.choices("torch-vgg19")["device"] == ("auto", "cpu", "cuda", "mps")
    assert form.choices("tfhub-fast")["precision"] == ("auto",)
    assert form.choices("example-backend")["weights"] == ("auto",)
