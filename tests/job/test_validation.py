"""Every mistake of one call is found together, says what is allowed, and costs no framework."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nst.errors import UserError
from nst.images import fit
from nst.job.validation import Call, Sized, find_mistakes, is_file, size_mistakes
from nst.plugins.discovery import EntryPoint
from nst.plugins.host import Plugins
from nst.plugins.options import missing_modules
from nst.recipe.recipe import Recipe
from nst.recipe.schedule import plan_sizes
from nst.specs import BackendSpec, OptimizerSpec
from nst.vgg.architecture import convolutions, layer, vgg_layers
from nst.vgg.network import Network, write

OFFER = """
from nst import BackendSpec, InitializerSpec, LossSpec, OptimizerSpec, Option, hookimpl
from nst.vgg.architecture import vgg_layers
from nst.specs import WeightSet
from nst.weights.sets import COMPACT_SET
from nst.weights import NeutralFile

DAMAGED = NeutralFile(__file__)
EVERY = {"devices": ("auto", "cpu"), "pooling": ("max", "average"), "weights": (COMPACT_SET,)}
PADS = {**EVERY, "padding": ("zero", "reflect")}

@hookimpl
def nst_backends():
    yield BackendSpec("vgg19", "nowhere:VGG", architecture="vgg19", layers=vgg_layers("vgg19"), **PADS)
    yield BackendSpec("plain", "nowhere:VGG", architecture="vgg19", layers=vgg_layers("vgg19"), **EVERY)
    yield BackendSpec("vgg16", "nowhere:VGG", architecture="vgg16", layers=vgg_layers("vgg16"), **EVERY)
    yield BackendSpec("absent", "nowhere:VGG", architecture="vgg19", layers=vgg_layers("vgg19"), **EVERY,
                      requires=("no_such_frame.work", "numpy", "no_such"), install="nst-absent")
    yield BackendSpec("fast", "nowhere:Fast", kind="image", devices=("auto", "cpu"),
                      options=(Option("tile", 256, "side"),), weights=(COMPACT_SET,
                      WeightSet("damaged", f"{__name__}:DAMAGED", "", "", "unit")))

@hookimpl
def nst_optimizers():
    lr = Option("lr", 0.02, "change per step", minimum=0, maximum=1)
    yield OptimizerSpec("far", "nowhere:far", requires=("no_such",), install="nst-far")
    yield OptimizerSpec("lbfgs", "nowhere:lbfgs", options=(lr, Option("history", 20, "pairs kept", minimum=1)))

@hookimpl
def nst_initializers():
    yield InitializerSpec("style-stats", "nowhere:style_stats")
    yield InitializerSpec("noise", "nowhere:noise", options=(Option("ratio", 1.0, "share", minimum=0, maximum=1),))

@hookimpl
def nst_losses():
    yield LossSpec("patches", "nowhere:Patches", shape="whole")
    yield LossSpec("sliced", "nowhere:Sliced", requires=("no_such",), install="nst-sliced")
"""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Plugins:
    folder = tmp_path_factory.mktemp("offer")
    (folder / "offer_of_test_mistakes.py").write_text(OFFER)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        modules = {"nst": "nst.losses", "mine": "offer_of_test_mistakes"}
        entries = [EntryPoint("nst.v1", name, module, name, "1") for name, module in modules.items()]
        return Plugins(entries, strict=True)


@pytest.fixture
def mistakes(host: Plugins) -> Callable[..., list[tuple[str, str]]]:
    """Messages and hints for a recipe on the `vgg19` backend with its compact weights."""

    def find(styles: int = 1, masks: bool = False, **given: Any) -> list[tuple[str, str]]:
        recipe = Recipe(**{"backend": "vgg19", "weights": "compact", **given})
        return [(error.message, error.hint) for error in find_mistakes(recipe, host, Call(styles, masks=masks))]

    return find


VGG19 = BackendSpec("vgg19", "nowhere:VGG", layers=vgg_layers("vgg19"))


def too_small(shapes: Sequence[tuple[int, int]], **given: Any) -> list[UserError]:
    recipe = Recipe(**given)
    scales = [1.0, *recipe.style_scale * (len(shapes) - 1)]
    named = [
        Sized(f"{index}.png", shape, scale) for index, (shape, scale) in enumerate(zip(shapes, scales, strict=True))
    ]
    return list(
        size_mistakes(
            recipe, named, Plugins([EntryPoint("nst.v1", "nst", "nst.losses", "nst", "1")], strict=True), VGG19
        )
    )


def test_a_style_must_be_large_enough_for_the_layers_of_every_style_loss() -> None:
    shapes, shallow = [(500, 500), (10, 10)], {"style_layers": "relu1_1", "content_layers": "relu1_1"}
    assert too_small(shapes, **shallow) == []
    assert too_small(shapes, losses="mean-std=0@relu5_1", **shallow) == []
    (error,) = too_small(shapes, losses="mean-std=20@relu5_1", **shallow)
    assert error.message == "'1.png' (10×10) would be 10×10 pixels; the layers chosen need 16"
    assert too_small(shapes, losses="content-cosine=20@relu5_1", **shallow) == []  # looks at the content alone


def test_a_recipe_without_mistakes_has_none(mistakes: Callable[..., Any]) -> None:
    assert mistakes() == []
    assert mistakes(optimizer_options="lr=1 history=5", init="noise", init_options="ratio=0", styles=2) == []
    assert mistakes(init="start.png", steps=50) == []


@pytest.mark.parametrize("used", ["content_weight", "style_weight", "tv_weight"])
def test_one_weight_above_0_is_enough(mistakes: Callable[..., Any], used: str) -> None:
    assert mistakes(**dict.fromkeys(["content_weight", "style_weight", "tv_weight"], 0) | {used: 1}) == []


def test_layers_of_a_loss_left_out_are_nobodys_concern(mistakes: Callable[..., Any]) -> None:
    assert mistakes(content_weight=0, content_layers="nonsense") == []
    assert mistakes(style_weight=0, style_layers="") == []


def test_every_mistake_of_one_call_is_found_together(mistakes: Callable[..., Any]) -> None:
    found = mistakes(
        device="gpu",
        precision="float16",
        pooling="mean",
        padding="mirror",
        weights="imagenat",
        style_layers="relu1_3,relu1_1",
        content_layers="",
        style_loss="grams",
        content_loss="gram",
        optimizer="lbgfs",
        init="noise",
        init_options="ratio=2 seed=1",
        style_blend="1,1,1",
        sizes="256,128",
        steps="1,2,3",
    )
    assert [message for message, _ in found] == [
        "unknown device 'gpu'",
        "unknown precision 'float16'",
        "unknown pooling 'mean'",
        "unknown padding 'mirror'",
        "unknown weights 'imagenat'",
        "--content-layers names no layer",
        "unknown layer in --style-layers: 'relu1_3'",
        "unknown loss 'grams'",
        "'gram' is not a content loss",
        "unknown optimizer 'lbgfs'",
        "unknown option of noise: 'seed'",
        "ratio must be 0 to 1, not 2",
        "--style-blend has 3 weights for 1 styles",
        "--steps has 3 numbers for 2 sizes",
        "--sizes must grow",
    ]
    assert all(hint for _, hint in found)


def test_finding_mistakes_imports_no_framework(mistakes: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("torch", "tensorflow", "keras", "nowhere"):
        monkeypatch.setitem(sys.modules, name, None)
    assert mistakes() == []


@pytest.mark.parametrize(
    ("given", "message", "hint"),
    [
        ({"backend": "vgg91"}, "unknown backend 'vgg91'", "did you mean vgg19 or vgg16?"),
        ({"device": "gpu"}, "unknown device 'gpu'", "choose from auto, cpu"),
        ({"pooling": "min"}, "unknown pooling 'min'", "choose from average, max"),
        ({"padding": "replicate"}, "unknown padding 'replicate'", "choose from auto, reflect, zero"),
        ({"backend": "plain", "padding": "zero"}, "'plain' offers no choice of padding", "leave out --padding"),
        ({"style_layers": "RELU1_1"}, "unknown layer in --style-layers: 'RELU1_1'", "did you mean relu1_1"),
        ({"content_layers": "relu6_1"}, "unknown layer in --content-layers: 'relu6_1'", "it has conv1_1 … pool5"),
        ({"content_layers": "image"}, "unknown layer in --content-layers: 'image'", "it has conv1_1 … pool5"),
        ({"style_loss": "gramm"}, "unknown loss 'gramm'", "did you mean gram?"),
        ({"optimizer": "L-BFGS"}, "unknown optimizer 'L-BFGS'", "did you mean lbfgs?"),
        ({"optimizer": "my.sgd", "optimizer_options": "lr=1"}, "unknown optimizer 'my.sgd'", "choose from far, lbfgs"),
        ({"optimizer_options": "history=0"}, "history must be 1 or more, not 0", "pairs kept"),
        ({"optimizer_options": "lr=fast"}, "lr must be a number, not 'fast'", "change per step"),
        ({"optimizer_options": {"lr": [1]}}, "lr must be a number, not '[1]'", "change per step"),
        ({"optimizer_options": "rl=1"}, "unknown option of lbfgs: 'rl'", "choose from history, lr"),
        ({"init": "nois"}, "unknown initializer 'nois'", "did you mean noise?"),
        (
            {"init": "start.png", "init_options": "ratio=1"},
            "--init-option does not go with a picture ('start.png')",
            "leave it out",
        ),
        ({"content_weight": 0, "style_weight": 0}, "every weight is 0", "--content-weight or --style-weight above 0"),
        ({"style_blend": "1,1"}, "--style-blend has 2 weights for 1 styles", "give one each"),
        ({"sizes": "128,256", "steps": "1,2,3"}, "--steps has 3 numbers for 2 sizes", "one for each of --sizes"),
        ({"sizes": "256,128"}, "--sizes must grow", "128,256"),
        ({"steps": "50,20"}, "--steps has several numbers without --sizes", "give --sizes too"),
    ],
)
def test_a_mistake_says_what_is_allowed(
    mistakes: Callable[..., Any], given: dict[str, Any], message: str, hint: str
) -> None:
    ((found, advice),) = mistakes(**given)
    assert found == message
    assert hint in advice


@pytest.mark.parametrize("given", [{"sizes": "128,256", "steps": "9"}, {"sizes": "128,128", "steps": "1,2"}])
def test_steps_are_one_number_or_one_for_each_size(mistakes: Callable[..., Any], given: dict[str, str]) -> None:
    assert mistakes(**given) == []


def test_a_loss_must_fit_its_use(mistakes: Callable[..., Any]) -> None:
    assert mistakes(style_loss="content", content_loss="total-variation") == [
        ("'content' is not a style loss", "it is declared content; --style-loss takes a style loss"),
        ("'total-variation' is not a content loss", "it is declared image; --content-loss takes a content loss"),
    ]
    assert mistakes(style_loss="patches") == []
    assert mistakes(style_loss="patches", tile=64) == [
        ("'patches' cannot be computed in tiles", "choose another loss, or --tile off")
    ]


def test_a_loss_beside_the_others_is_checked_like_them(mistakes: Callable[..., Any]) -> None:
    assert mistakes(losses=["content=1@relu4_2", "range=1@image", "gram=2"]) == []
    assert mistakes(losses="gram=1@relu9_1")[0][0] == "unknown layer in --loss gram: 'relu9_1'"
    assert mistakes(losses=["garm=1"])[0][0] == "unknown loss 'garm'"


def test_each_of_several_losses_of_one_name_has_its_layers_checked(mistakes: Callable[..., Any]) -> None:
    found = mistakes(losses=["gram=1@relu9_9", "gram=2@relu8_8", "gram=3@relu1_1"])
    assert [message for message, _ in found] == [
        "unknown layer in --loss gram: 'relu9_9'",
        "unknown layer in --loss gram 2: 'relu8_8'",
    ]


def test_modules_that_are_not_installed_come_with_their_pip_line(mistakes: Callable[..., Any]) -> None:
    assert mistakes(backend="absent", style_loss="sliced", optimizer="far") == [
        ("'absent' needs no_such_frame.work and no_such", "pip install nst-absent"),
        ("'sliced' needs no_such", "pip install nst-sliced"),
        ("'far' needs no_such", "pip install nst-far"),
    ]


def test_without_an_install_line_the_modules_themselves_are_named() -> None:
    error = missing_modules(OptimizerSpec("mine", "a:b", requires=("no_such", "os.path")))
    assert error is not None
    assert (error.message, error.hint) == ("'mine' needs no_such", "pip install no_such")
    assert missing_modules(OptimizerSpec("mine", "a:b", requires=("os.path", "numpy"))) is None


def test_a_backend_that_paints_in_one_pass_takes_its_own_options(mistakes: Callable[..., Any]) -> None:
    assert mistakes(backend="fast", backend_options="tile=64", size=64, style_blend="1,2", styles=2) == []
    assert mistakes(backend="fast", backend_options="tile=big title=1", device="gpu", style_blend="1,2") == [
        ("unknown device 'gpu'", "choose from auto, cpu"),
        ("unknown option of fast: 'title'", "did you mean tile?"),
        ("tile must be a whole number, not 'big'", "side"),
        ("--style-blend has 2 weights for 1 styles", "give one each"),
    ]


def test_what_means_nothing_to_one_pass_is_refused_by_name(mistakes: Callable[..., Any]) -> None:
    takes = "it takes --backend, --weights, --device, --backend-option, --size, --style-blend, --style-scale, --color"
    assert mistakes(backend="fast", optimizer="no such", steps=9) == [
        (f"{option} means nothing to 'fast', which stylizes in one pass", takes)
        for option in ("--steps", "--optimizer")
    ]


def test_a_default_is_refused_only_where_a_person_chose_it(host: Plugins) -> None:
    recipe = Recipe(backend="fast", weights="compact")
    (error,) = find_mistakes(recipe, host, Call(), chosen=("size", "pooling"))
    assert error.message.startswith("--pooling means nothing to 'fast'")


def test_damaged_weights_of_one_pass_are_a_mistake(mistakes: Callable[..., Any]) -> None:
    ((message, _),) = mistakes(backend="fast", weights="damaged")
    assert "not a safetensors file, or an incomplete one" in message


def test_weights_of_another_architecture_are_refused(mistakes: Callable[..., Any]) -> None:
    hint = "choose another backend, or other weights (see nst weights list)"
    assert mistakes(backend="vgg16") == [("'compact' is vgg19; vgg16 takes vgg16", hint)]


def test_layers_the_weight_file_lacks_are_named(
    mistakes: Callable[..., Any], make_network: Callable[..., Network], tmp_path: Path
) -> None:
    whole, shallow = make_network(), convolutions("vgg19")[:5]
    kernels, biases = ({name: part[name] for name in shallow} for part in (whole.kernels, whole.biases))
    file = write(tmp_path / "shallow.safetensors", replace(whole, kernels=kernels, biases=biases))
    assert mistakes(weights=str(file)) == [
        (f"'{file}' has no layer relu4_2, relu4_1, relu5_1", "it has conv1_1 … relu3_1")
    ]
    assert mistakes(weights=str(file), content_layers="relu3_1", style_layers="relu1_1") == []


def test_a_weight_file_that_is_not_there_is_a_mistake(mistakes: Callable[..., Any]) -> None:
    ((message, hint),) = mistakes(weights="none.safetensors")
    assert message == "no weights file at 'none.safetensors'"
    assert "safetensors file" in hint


@pytest.mark.parametrize(
    ("name", "picture"), [("noise", False), ("a.png", True), ("dir/a", True), ("mine:noise", False)]
)
def test_a_name_with_a_suffix_or_a_folder_is_a_picture(name: str, picture: bool) -> None:
    assert is_file(name) is picture


def test_a_file_without_a_suffix_is_a_picture_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert not is_file("start")
    (tmp_path / "start").touch()
    assert is_file("start")


@pytest.mark.parametrize(
    ("shape", "message", "hint"),
    [
        ((7, 3000), "'0.png' (3000×7) would be 512×1 pixels; the layers chosen need 16", "at least 6858,"),
        ((3000, 7), "'0.png' (7×3000) would be 1×512 pixels; the layers chosen need 16", "at least 6858,"),
    ],
)
def test_a_picture_too_thin_names_the_smallest_legal_size(shape: tuple[int, int], message: str, hint: str) -> None:
    (error,) = too_small([shape])
    assert error.message == message
    assert hint in error.hint
    assert too_small([shape], size=6858) == []


def test_a_picture_of_one_pixel_is_enlarged_like_any_other() -> None:
    assert too_small([(1, 1)]) == []
    (error,) = too_small([(1, 1)], size=15)
    assert "at least 16," in error.hint


def test_shallower_layers_take_thinner_pictures() -> None:
    assert too_small([(7, 3000)], content_layers="relu1_2", style_layers="relu1_1") == []
    assert too_small([(1, 3000)], content_weight=0, style_weight=0, tv_weight=1) == []


def test_a_style_too_small_is_named_among_the_pictures() -> None:
    (error,) = too_small([(500, 500), (500, 500), (1, 1)])
    assert error.message == "'2.png' (1×1) would be 1×1 pixels; the layers chosen need 16"
    assert error.hint == "give a style of at least 16 pixels each way, or shallower layers"


def test_a_style_shrunk_too_far_names_the_scale_that_is_enough() -> None:
    (narrow,) = too_small([(500, 500), (100, 3000)])
    assert "--style-scale of at least 3.75, a less narrow style" in narrow.hint
    assert too_small([(500, 500), (100, 3000)], style_scale=3.75) == []
    (just,) = too_small([(500, 500), (16, 3000)])
    assert "--style-scale of at least 23.44," in just.hint
    (shrunk,) = too_small([(500, 500), (500, 500)], style_scale=0.1)
    assert "--style-scale of at least 0.13," in shrunk.hint
    assert too_small([(500, 500), (500, 500)], style_scale=0.13) == []
    assert too_small([(500, 500), (500, 500)], style_scale=0.1245) == []  # 15.9 pixels are 16


def test_a_style_answers_to_the_style_layers_alone() -> None:
    assert too_small([(500, 500), (2, 2)], content_layers="relu5_1", style_layers="relu2_1") == []
    assert too_small([(500, 500), (1, 1)], style_weight=0) == []


def test_a_style_scale_of_any_size_is_no_crash() -> None:
    assert too_small([(500, 500), (500, 500)], style_scale=1e308) == []


SIDES = st.integers(1, 3000)


@given(st.tuples(SIDES, SIDES), st.tuples(SIDES, SIDES), st.integers(1, 2000), st.floats(0.01, 4))
def test_pictures_are_refused_when_a_layer_would_see_nothing(
    content: tuple[int, int], style: tuple[int, int], size: int, scale: float
) -> None:
    recipe = {"size": size, "style_scale": scale, "content_layers": "relu5_1", "style_layers": "relu3_1"}
    coarsest = plan_sizes(Recipe(**recipe), *content, map(layer, Recipe(**recipe).layers()))[0][0]
    shrunk = fit(*style, min(round(coarsest * scale), max(style)))
    refused = {error.message.split()[0] for error in too_small([content, style], **recipe)}
    assert refused == {
        name
        for name, shape, need in (("'0.png'", fit(*content, coarsest), 16), ("'1.png'", shrunk, 4))
        if min(shape) < need
    }


def test_a_loss_of_all_positions_at_once_cannot_be_told_where_to_look(mistakes: Callable[..., Any]) -> None:
    assert mistakes(style_loss="patches", masks=True) == [
        ("'patches' does not work with masks", "choose another loss, or leave the masks out")
    ]


def test_style_scales_are_one_or_one_for_each_style(mistakes: Callable[..., Any]) -> None:
    assert mistakes(styles=2, style_scale="1,0.5") == []
    assert mistakes(styles=2, style_scale="1,1,1") == [
        ("--style-scale has 3 factors for 2 styles", "give one, or one each")
    ]
