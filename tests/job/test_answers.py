"""A wrong answer of a plugin, or an exception in its code, names the plugin with its distribution and version."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from nst import Evaluation, Iterate, Plugins, Recipe, stylize
from nst.errors import NstError, UserError
from nst.plugins.discovery import EntryPoint

MODULE = '''
"""A plugin of one thing of each kind, whose answers `WRONG` replaces by name."""

from dataclasses import replace

import nst_example
from nst import hookimpl
from nst_example.backend import FilterBank
from nst_example.image_backend import Recolor
from nst_example.initializer import sprinkle
from nst_example.loss import Mean
from nst_example.matched_loss import Nearest
from nst_example.optimizer import descend

WRONG = {}


def answer(name, right, *args, **options):
    return WRONG[name](right, *args, **options) if name in WRONG else right(*args, **options)


class Backend(FilterBank):
    def __init__(self, weights, **options):
        answer("backend.__init__", super().__init__, weights, **options)

    def features(self, image, layers):
        return answer("backend.features", super().features, image, layers)

    def asarray(self, pixels):
        return answer("backend.asarray", super().asarray, pixels)

    def to_numpy(self, image):
        return answer("backend.to_numpy", super().to_numpy, image)

    def value_and_grad(self, loss):
        objective = answer("backend.value_and_grad", super().value_and_grad, loss)
        return lambda *arrays: answer("backend.objective", objective, *arrays)


def backend(weights, **options):
    return answer("backend", Backend, weights, **options)


class Image(Recolor):
    def stylize(self, *images, **options):
        return answer("image.stylize", super().stylize, *images, **options)


class Loss(Mean):
    def statistic(self, xp, features, weight):
        return answer("loss.statistic", super().statistic, xp, features, weight)

    def distance(self, xp, statistic, target):
        return answer("loss.distance", super().distance, xp, statistic, target)


class Matched(Nearest):
    def match(self, query, styles, shares):
        return answer("matched.match", super().match, query, styles, shares)

    def difference(self, xp, features, target):
        return answer("matched.difference", super().difference, xp, features, target)


def optimizer(*args, **options):
    return answer("optimizer", descend, *args, **options)


def initializer(*args, **options):
    return answer("initializer", sprinkle, *args, **options)


def own(spec, name, thing):
    return replace(spec, name=name, factory=f"stranger_plugin:{thing}", install="nst-stranger")


@hookimpl
def nst_backends():
    return [own(nst_example.BACKEND, "stranger", "backend"), own(nst_example.IMAGE_BACKEND, "stranger-image", "Image")]


@hookimpl
def nst_losses():
    yield own(nst_example.LOSS, "stranger-loss", "Loss")
    yield own(nst_example.MATCHED_LOSS, "stranger-matched", "Matched")


@hookimpl
def nst_optimizers():
    yield own(nst_example.OPTIMIZER, "stranger-optimizer", "optimizer")


@hookimpl
def nst_initializers():
    yield own(nst_example.INITIALIZER, "stranger-initializer", "initializer")
'''


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    """The plugin's module."""
    folder = tmp_path_factory.mktemp("stranger")
    (folder / "stranger_plugin.py").write_text(MODULE, "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        import stranger_plugin

        yield stranger_plugin
    del sys.modules["stranger_plugin"]


@pytest.fixture
def paint(stranger, photo, monkeypatch):
    """`paint(name, answer, **fields)`: stylize with the plugin, in which `answer(right, *args)` replaces an answer."""
    plugins = Plugins(
        [
            EntryPoint("nst.v1", "nst", "nst.builtin_plugins", "nst", "0.1.0"),
            EntryPoint("nst.v1", "stranger", "stranger_plugin", "nst-stranger", "2.1"),
        ],
        strict=True,
    )

    def call(name="", answer=None, **fields):
        monkeypatch.setattr(stranger, "WRONG", {name: answer} if name else {})
        recipe = {
            "backend": "stranger",
            "optimizer": "stranger-optimizer",
            "init": "stranger-initializer",
            "style_loss": "stranger-loss",
            "style_layers": "relu1_1,relu2_1",
            "content_layers": "relu2_1",
            "size": 32,
            "levels": 1,
            "steps": 2,
            "bleed": 0,
        }
        if fields.get("backend") == "stranger-image":
            recipe = {"size": 32}
        return stylize(photo(24, 32), photo(20, 20, seed=1), Recipe(**{**recipe, **fields}), plugins=plugins)

    return call


def test_right_answers_make_a_picture(paint):
    assert len(paint().history) == 2
    assert len(paint(style_loss="stranger-matched").history) == 2
    assert paint(backend="stranger-image").pixels.shape == (24, 32, 3)


def raising(right, *args, **options):
    raise TypeError("of the stranger")


def each(change):
    """An answer with each of its arrays changed."""
    return lambda right, *args: {name: change(value) for name, value in right(*args).items()}


def iterating(change):
    return lambda right, *args, **options: map(change, right(*args, **options))


def initial(change):
    return lambda right, *args, **options: change(right(*args, **options))


ANSWERS = {
    "no backend": ("backend", lambda right, *a, **o: None, "backend", "which has no device"),
    "a backend without features": ("backend", lambda right, *a, **o: object(), "backend", "features"),
    "notes in one text": (
        "backend",
        lambda right, *a, **o: setattr(made := right(*a, **o), "notes", "a note") or made,
        "backend",
        "has notes that are no sequence of texts",
    ),
    "a device that is no text": (
        "backend",
        lambda right, *a, **o: setattr(made := right(*a, **o), "device", 3) or made,
        "backend",
        "has a device or a precision that is no text",
    ),
    "no features": ("backend.features", lambda *a: None, "backend", "returned NoneType as features"),
    "a list of features": ("backend.features", lambda *a: [], "backend", "returned list as features"),
    "features of no layer": ("backend.features", lambda *a: {}, "backend", "returned no features for relu"),
    "flat features": ("backend.features", each(lambda x: x.reshape(-1)), "backend", "where (H, W, C) belongs"),
    "a batch of features": ("backend.features", each(lambda x: x[None]), "backend", "where (H, W, C) belongs"),
    "no evaluation": ("backend.objective", lambda *a: None, "backend", "where an Evaluation belongs"),
    "a tuple as evaluation": ("backend.objective", lambda *a: (1.0, {}, a[1]), "backend", "returned tuple"),
    "a loss that is an array": (
        "backend.objective",
        lambda right, *a: Evaluation(np.ones(3), {}, a[0]),
        "backend",
        "whose loss is no number",
    ),
    "terms in a list": ("backend.objective", lambda right, *a: Evaluation(1.0, [], a[0]), "backend", "no mapping"),
    "no gradient": (
        "backend.objective",
        lambda right, *a: Evaluation(1.0, {}, None),
        "backend",
        "a gradient of shape ()",
    ),
    "half a gradient": (
        "backend.objective",
        lambda right, *a: Evaluation(1.0, {}, a[0][::2]),
        "backend",
        "a gradient of shape (12, 32, 3) for an image of shape (24, 32, 3)",
    ),
    "a distance for each layer": (
        "loss.distance",
        lambda right, xp, statistic, target: xp.square(statistic - target),
        "loss",
        "where a scalar belongs",
    ),
    "no iterates": ("optimizer", lambda right, *a, **o: None, "optimizer", "where an iterator of Iterates belongs"),
    "numbers as iterates": ("optimizer", lambda right, *a, **o: [1, 2], "optimizer", "yielded int"),
    "images as iterates": (
        "optimizer",
        lambda right, f, image, **o: [image],
        "optimizer",
        "yielded an array of float32",
    ),
    "an iterate without evaluation": (
        "optimizer",
        iterating(lambda i: Iterate(i.image, None, i.state)),
        "optimizer",
        "where an Iterate with an Evaluation belongs",
    ),
    "a state that is a list": (
        "optimizer",
        iterating(lambda i: Iterate(i.image, i.evaluation, [])),
        "optimizer",
        "yielded a state of type list",
    ),
    "a flat image": (
        "optimizer",
        iterating(lambda i: Iterate(i.image.reshape(-1), i.evaluation, i.state)),
        "optimizer",
        "yielded an image of shape (2304,)",
    ),
    "no initial image": ("initializer", initial(lambda image: None), "initializer", "returned NoneType"),
    "an initial image of bytes": (
        "initializer",
        initial(lambda image: image.astype(np.uint8)),
        "initializer",
        "returned an array of uint8",
    ),
    "a small initial image": ("initializer", initial(lambda image: image[:5]), "initializer", "(24, 32, 3) belongs"),
    "a gray initial image": ("initializer", initial(lambda image: image[..., 0]), "initializer", "(24, 32, 3) belongs"),
    "an initial image of nothing": ("initializer", initial(lambda image: image * np.nan), "initializer", "not finite"),
}


@pytest.mark.parametrize(("name", "answer", "kind", "words"), ANSWERS.values(), ids=ANSWERS)
def test_a_wrong_answer_names_its_plugin(paint, name, answer, kind, words):
    with pytest.raises(NstError) as error:
        paint(name, answer)
    assert error.value.message.startswith(f"{kind} 'stranger")
    assert "of nst-stranger 2.1 " in error.value.message
    assert words in error.value.message
    assert error.value.exit_code == 1


MATCHES = {
    "no targets": (lambda *a: {}, "matched no target"),
    "a target of no layer": (lambda right, q, *a: {"relu9_9": np.ones((4, 4, 3), np.float32)}, "none of its layers"),
    "a flat target": (
        lambda right, *a: {k: v.reshape(-1) for k, v in dict(right(*a)).items()},
        "gave a target of shape",
    ),
    "a target of nothing": (lambda right, *a: {k: v * np.nan for k, v in dict(right(*a)).items()}, "not finite"),
}


@pytest.mark.parametrize(("answer", "words"), MATCHES.values(), ids=MATCHES)
def test_a_wrong_match_names_its_plugin(paint, answer, words):
    with pytest.raises(NstError, match=words) as error:
        paint("matched.match", answer, style_loss="stranger-matched")
    assert "nst-stranger 2.1" in error.value.message


def test_a_wrong_difference_names_its_plugin(paint):
    with pytest.raises(NstError, match=r"loss 'stranger-matched' of nst-stranger 2\.1 returned differences of shape"):
        paint(
            "matched.difference",
            lambda right, xp, features, target: xp.square(features - target),
            style_loss="stranger-matched",
        )


IMAGES = {
    "no image": (lambda right, *a, **o: None, "returned NoneType"),
    "a gray image": (lambda right, *a, **o: right(*a, **o)[..., 0], "(H, W, 3) belongs"),
    "an image of bytes": (lambda right, *a, **o: (255 * right(*a, **o)).astype(np.uint8), "array of uint8"),
    "an image of nothing": (lambda right, *a, **o: right(*a, **o) * np.nan, "not finite"),
}


@pytest.mark.parametrize(("answer", "words"), IMAGES.values(), ids=IMAGES)
def test_a_wrong_picture_of_one_pass_names_its_plugin(paint, answer, words):
    with pytest.raises(NstError) as error:
        paint("image.stylize", answer, backend="stranger-image")
    assert error.value.message.startswith("backend 'stranger-image' of nst-stranger 2.1 returned")
    assert words in error.value.message


@pytest.mark.parametrize(
    "name",
    [
        "backend",
        "backend.__init__",
        "backend.features",
        "backend.asarray",
        "backend.to_numpy",
        "backend.value_and_grad",
        "backend.objective",
        "loss.statistic",
        "loss.distance",
        "optimizer",
        "initializer",
    ],
)
def test_an_exception_in_its_code_names_it(paint, name):
    with pytest.raises(NstError, match=r"nst-stranger 2\.1 raised TypeError: of the stranger") as error:
        paint(name, raising, average=0.5)
    assert isinstance(error.value.__cause__, TypeError)


@pytest.mark.parametrize("problem", [UserError, MemoryError, KeyboardInterrupt])
def test_errors_with_a_meaning_pass(paint, problem):
    def meant(right, *args, **options):
        raise problem("meant")

    with pytest.raises(problem):
        paint("initializer", meant)


def test_an_exception_of_the_caller_passes(stranger, paint, photo):
    def broken(progress):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        stylize(photo(24, 32), photo(20, 20), Recipe(size=32, steps=2, device="cpu"), on_iterate=broken)
