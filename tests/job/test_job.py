"""`nst.stylize` from Python: pictures in any form, a result that says everything, mistakes before frameworks."""

from __future__ import annotations

import gc
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from nst import Recipe, load_image, save_image, stylize
from nst.engine import Stop
from nst.errors import Mistakes, UserError
from nst.job.inputs import Sources
from nst.job.job import Job
from nst.plugins.host import Plugins
from nst.specs import OptimizerSpec, Spec
from nst.vgg.network import write

pytestmark = pytest.mark.frameworks

FAST = {"size": 48, "levels": 1, "steps": 3}


@pytest.fixture(scope="module")
def weights(make_network, tmp_path_factory):
    """A neutral file of a small random VGG-19."""
    return str(write(tmp_path_factory.mktemp("weights") / "small.safetensors", make_network()))


@pytest.fixture
def run(photo, weights, plugins):
    def make(content=None, styles=None, on_iterate=None, **changes):
        recipe = Recipe(**{**FAST, "weights": weights, "device": "cpu", **changes})
        content = photo(36, 48) if content is None else content
        return stylize(
            content, photo(40, 40, seed=1) if styles is None else styles, recipe, on_iterate=on_iterate, plugins=plugins
        )

    return make


def test_a_path_a_pillow_image_and_an_array_are_the_same_picture(run, photo, tmp_path):
    path = save_image(tmp_path / "content.png", photo(36, 48))
    pixels = load_image(path)
    results = [run(content).pixels for content in (path, str(path), Image.open(path), pixels)]
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])
    np.testing.assert_array_equal(pixels, load_image(path))


def test_one_style_or_a_list(run, photo):
    style = photo(40, 40, seed=1)
    np.testing.assert_array_equal(run(styles=style).pixels, run(styles=[style]).pixels)


def test_the_result_tells_how_it_came_about(run):
    told = []
    result = run(on_iterate=told.append, steps=4)
    assert result.pixels.shape == (36, 48, 3)
    assert result.pixels.dtype == np.float32
    assert 0 <= result.pixels.min() <= result.pixels.max() <= 1
    assert len(result.history) == len(told) == 4
    assert result.history[-1]["loss"] < result.history[0]["loss"]
    assert result.recipe.steps == (4,)
    assert result.facts["device"] == "cpu"
    assert result.facts["sizes"] == [48]
    assert result.facts["peak_memory"] > 1e6
    assert result.stopped == "finished"


def test_a_callback_ends_the_run_with_stop(run):
    def stop_after_two(progress):
        if progress.step == 2:
            raise Stop

    result = run(on_iterate=stop_after_two)
    assert (result.stopped, len(result.history)) == ("interrupted", 2)


def test_it_prints_nothing(run, capfd):
    run()
    assert capfd.readouterr() == ("", "")


def test_the_same_seed_gives_the_same_bytes(run):
    one, same, other = (run(init="noise", seed=seed).pixels for seed in (5, 5, 6))
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 0.01


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam", "laplacian-rmsprop", "scipy-lbfgs"])
@pytest.mark.parametrize("backend", ["torch-vgg19", "torch-vgg16"])
def test_every_optimizer_lowers_the_loss_on_every_backend(run, make_network, tmp_path, optimizer, backend):
    file = write(tmp_path / "net.safetensors", make_network(backend.removeprefix("torch-")))
    history = run(backend=backend, optimizer=optimizer, steps=8, weights=file).history
    assert history[-1]["loss"] < 0.9 * history[0]["loss"]


@pytest.mark.parametrize("init", ["content", "style", "noise", "blend", "gray", "style-stats", "random-phase"])
def test_every_initializer_starts_a_run(run, init):
    assert run(init=init).history[-1]["loss"] > 0


def test_a_picture_can_be_the_start(run, photo, tmp_path):
    """With a step of nearly nothing, the start is what comes out."""
    start = save_image(tmp_path / "start.png", photo(18, 24, seed=7))
    found = run(init=str(start), optimizer="adam", optimizer_options={"lr": 1e-6}, steps=1).pixels
    from nst.images import resize

    np.testing.assert_allclose(found, resize(load_image(start), (36, 48)), atol=1e-4)


@pytest.mark.parametrize(
    "changes",
    [
        {"content_weight": 0, "init": "noise"},
        {"style_weight": 0, "init": "noise"},
        {"style_layers": {"relu1_1": 1}},
        {"style_layers": "block5_conv4", "content_layers": {"relu5_4": 0.5, "conv1_1": 2}},
        {"tv_weight": 5.0},
        {"pooling": "average"},
        {"padding": "replicate"},
        {"style_scale": 0.5},
    ],
    ids=str,
)
def test_every_choice_changes_the_picture_and_can_be_optimized(run, changes):
    plain, changed = run(init="noise"), run(**{"init": "noise", **changes})
    assert changed.history[-1]["loss"] < changed.history[0]["loss"]
    assert np.abs(plain.pixels - changed.pixels).max() > 1e-3


def test_content_alone_is_reconstructed_from_noise(run, photo):
    """From the compact network's first block alone the content comes back: pure content reconstruction."""
    found = run(content_layers={"relu1_1": 1}, style_weight=0, init="noise", steps=100, weights="compact").pixels
    assert np.abs(found - photo(36, 48)).mean() < 0.05


def test_blend_weights_choose_between_styles(run, photo):
    one, other = photo(40, 40, seed=1), photo(40, 40, seed=2)
    np.testing.assert_array_equal(run(styles=[one, other], style_blend=(1, 0)).pixels, run(styles=[one]).pixels)


def test_alpha_comes_back_at_the_result_s_size(run, photo, tmp_path):
    alpha = np.zeros((72, 96), np.float32)
    alpha[:, 48:] = 1
    rgba = np.dstack([photo(72, 96), alpha])
    found = run(rgba)
    assert found.alpha.shape == (36, 48)
    assert found.alpha[:, :20].max() < 0.05
    assert found.alpha[:, 28:].min() > 0.95


def cut_out(pixels, hidden):
    """The picture with its right half transparent, and one color under it."""
    alpha = np.ones(pixels.shape[:2], np.float32)
    alpha[:, pixels.shape[1] // 2 :] = 0
    return np.dstack([np.where(alpha[..., None] > 0, pixels, np.float32(hidden)), alpha])


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"color": "content"},
        {"color": "match-mean"},
        {"init": "noise", "init_options": {"match": "style"}},
        {"init": "style"},
        {"tile": 24},
        {"style_loss": "histogram", "style_layers": "relu1_1"},
        {"style_loss": "wasserstein"},
    ],
    ids=str,
)
def test_what_is_hidden_under_transparency_changes_nothing(run, photo, changes):
    one, other = (
        run(cut_out(photo(72, 96), hidden), styles=[cut_out(photo(64, 64, seed=1), 1 - hidden)], **changes).pixels
        for hidden in (0, 1)
    )
    np.testing.assert_array_equal(one, other)


def test_transparent_parts_of_a_style_are_no_part_of_its_statistics(run, photo):
    """A style beside nothing is painted much like the style alone."""
    style = photo(64, 64, seed=1)
    padded = cut_out(np.concatenate([style, style], axis=1), 0)
    alone, beside = (
        run(styles=[pixels], style_layers="relu1_1", steps=1, init="content", style_scale=scale).history[0]["terms"]
        for pixels, scale in ((style, 1), (padded, 2))
    )
    (name,) = (name for name in alone if name.endswith("relu1_1"))
    assert beside[name] == pytest.approx(alone[name], rel=0.02)


def test_a_picture_that_is_transparent_everywhere_is_refused(run, photo):
    with pytest.raises(UserError, match="is transparent everywhere"):
        run(np.dstack([photo(72, 96), np.zeros((72, 96), np.float32)]))


@pytest.fixture
def expect(photo, weights, plugins):
    def make(style, **changes):
        changes = {**FAST, "weights": weights, "device": "cpu", **changes}
        return Job(Sources(photo(48, 48), [style]), Recipe(**changes), plugins).estimate()

    return make


@pytest.mark.parametrize(
    ("shape", "scale"), [((30, 500), 1.0), ((300, 600), 0.2)], ids=["a narrow style", "a style made small"]
)
def test_what_is_timed_is_no_smaller_than_its_styles_allow(expect, photo, shape, scale):
    """At 128 px, where it would be timed first, the style has no position at the deepest layer."""
    assert expect(photo(*shape, seed=1), size=320, style_scale=scale).seconds > 0


def test_a_picture_that_no_machine_could_hold_has_an_estimate(expect, photo):
    assert expect(photo(40, 40, seed=1), size=10**6).memory > 10**12


def test_all_mistakes_come_together(photo, plugins, tmp_path):
    recipe = Recipe(backend="torch-vg19", optimizer="lbgfs", style_blend=(1, 2))
    with pytest.raises(Mistakes) as caught:
        stylize(tmp_path / "missing.jpg", photo(), recipe, plugins=plugins)
    messages = [error.message for error in caught.value.errors]
    assert len(messages) == 4
    for word in ("torch-vg19", "lbgfs", "missing.jpg", "--style-blend"):
        assert any(word in message for message in messages), word


def test_mistakes_are_found_without_importing_a_framework(tmp_path):
    program = (
        "import sys, nst\n"
        "try: nst.stylize('no.jpg', 'no.jpg', nst.Recipe(optimizer='x'))\n"
        "except nst.UserError: print([name for name in ('torch', 'tensorflow') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert run.stdout == "[]\n"


def test_weights_with_nan_are_refused_by_layer(run, make_network, tmp_path):
    from safetensors import safe_open
    from safetensors.numpy import load_file, save_file

    path = write(tmp_path / "bad.safetensors", make_network())
    with safe_open(path, framework="np") as file:
        metadata = file.metadata()
    tensors = load_file(path)
    tensors["conv2_1.weight"][0, 0, 0, 0] = np.nan
    save_file(tensors, path, metadata)
    with pytest.raises(UserError, match=r"bad\.safetensors.*conv2_1\.weight"):
        run(weights=str(path))


def test_pictures_too_thin_name_the_smallest_size(run, photo):
    with pytest.raises(UserError) as caught:
        run(photo(7, 3000), size=512)
    assert "6858" in caught.value.hint  # 16 pixels for relu5_1, at 3000:7
    with pytest.raises(UserError, match="would be 1×1"):
        run(styles=photo(1, 1))


def test_memory_is_given_back_between_calls(run):
    """Tensors alive after three runs are those alive after one."""
    import torch

    def alive():
        gc.collect()
        return sum(thing.numel() for thing in gc.get_objects() if type(thing) is torch.Tensor)

    run()
    once = alive()
    run()
    run()
    assert alive() == once


def test_no_style_is_a_mistake(photo, plugins):
    with pytest.raises(UserError, match="no style"):
        Job(Sources(photo(), []), Recipe(weights="compact"), plugins)


def test_a_host_without_plugins_says_what_to_install(photo):
    with pytest.raises(UserError) as caught:
        stylize(photo(), photo(), Recipe(), plugins=Plugins([]))
    assert "pip install" in "".join(error.hint for error in getattr(caught.value, "errors", [caught.value]))
    assert isinstance(OptimizerSpec(name="x", factory="y:z"), Spec)


def test_a_region_alone_leaves_the_rest_of_the_picture_as_it_is(plugins, photo, tmp_path):
    """The content comes back outside the mask, bit for bit as it was resized."""
    mask = np.zeros((48, 64), np.float32)
    mask[:, 32:] = 1
    job = Job(
        Sources(photo(), [], [(mask_picture(mask), [photo(seed=1)])]),
        Recipe(weights="compact", size=64, levels=1, steps=3),
        plugins,
    )
    result = job.stylize()
    np.testing.assert_array_equal(result.pixels[:, :32], photo()[:, :32])
    assert np.abs(result.pixels[:, 32:] - photo()[:, 32:]).mean() > 0.01
    assert any("patch" in name for name in result.history[0]["terms"])


def test_each_region_has_its_own_styles(plugins, photo):
    """A red style on the left, a blue one on the right."""
    red, blue = (np.full((48, 64, 3), color, np.float32) for color in ([0.8, 0.1, 0.1], [0.1, 0.1, 0.8]))
    left = np.zeros((48, 64), np.float32)
    left[:, :32] = 1
    recipe = Recipe(weights="compact", size=64, levels=1, steps=30, content_weight=0.1)
    pixels = Job(Sources(photo(), [blue], [(mask_picture(left), [red])]), recipe, plugins).stylize().pixels
    redness = pixels[..., 0] - pixels[..., 2]
    assert redness[:, :24].mean() > redness[:, 40:].mean() + 0.05


def mask_picture(mask):
    return np.repeat(mask[..., None], 3, axis=-1)
