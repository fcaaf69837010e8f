"""SavedModels made as Magenta's exporter makes them: found, cut at the bottleneck, or mixed as pictures."""

from __future__ import annotations

import shutil
import subprocess
import sys

import numpy as np
import pytest

from nst.errors import UserError
from nst_tfhub.fast_transfer import FastTransfer
from nst_tfhub.files import find

pytestmark = pytest.mark.frameworks


def backend_of(folder, device="cpu", **options):
    return FastTransfer(find(str(folder)), device=device, **options)


def test_it_paints_what_the_module_paints(tf, modules, photo):
    content, style = photo(40, 52), photo(256, 256, seed=1)
    backend = backend_of(modules["magenta"])
    found = backend._model.paint(content, [(backend._model.encode(style), 1.0)])
    module = tf.saved_model.load(str(modules["magenta"]))
    expected = module(tf.constant(content[None]), tf.constant(style[None]))[0][0].numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_bottleneck_is_found_inside(modules, photo):
    backend = backend_of(modules["magenta"])
    assert backend._model.encode(photo(64, 64)).shape == (100,)
    assert (backend.device, backend.precision, backend.notes) == ("cpu", "float32", ())


def test_codes_are_mixed_before_painting(modules, photo):
    model = backend_of(modules["magenta"])._model
    first, second = (model.encode(photo(64, 64, seed=seed)) for seed in (1, 2))
    found = model.paint(photo(24, 24), [(first, 0.25), (second, 0.75)])
    expected = model.paint(photo(24, 24), [(0.25 * first + 0.75 * second, 1.0)])
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("name", ["magenta", "opaque", "fixed"])
def test_any_size_comes_back(modules, photo, paint, name):
    backend = backend_of(modules[name], strength=0.5)
    for size in ((32, 32), (13, 50), (1, 1)):
        assert paint(backend, photo(*size), photo(90, 70, seed=1)).shape == (*size, 3)


def test_a_hidden_bottleneck_is_told_and_pictures_are_mixed(modules, photo, paint):
    backend, content = backend_of(modules["opaque"]), photo(24, 32)
    assert "hides its bottleneck" in backend.notes[0]
    styles = [np.full((64, 64, 3), value, np.float32) for value in (0.2, 0.9)]
    first, second, mixed = (paint(backend, content, *styles, blend=blend) for blend in ((1, 0), (0, 1), (0.25, 0.75)))
    np.testing.assert_allclose(mixed, 0.25 * first + 0.75 * second, atol=1e-5)


def test_a_module_of_one_size_says_so(modules):
    backend = backend_of(modules["fixed"])
    assert (backend._model.side, backend._model.style_side) == (32, 256)
    with pytest.raises(UserError, match="at 128 pixels"):
        backend_of(modules["fixed"], style_size=128)


def test_a_module_of_something_else_is_described(modules):
    with pytest.raises(UserError, match=r"serving_default: \(1, 224, 224, 3\) in, \(1, 3\) out") as caught:
        backend_of(modules["other"])
    assert "a content and a style" in caught.value.hint


@pytest.mark.parametrize(
    "name", ["saved_model.pb", "variables/variables.data-00000-of-00001", "variables/variables.index"]
)
@pytest.mark.parametrize("share", [0, 0.5])
def test_a_module_cut_short_is_refused(modules, tmp_path, name, share):
    folder = shutil.copytree(modules["magenta"], tmp_path / "module")
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: int(len(content) * share)])
    with pytest.raises(UserError, match="SavedModel"):
        backend_of(folder)


def test_a_device_that_is_not_there_is_refused(tf, modules):
    if tf.config.list_physical_devices("GPU"):
        pytest.skip("there is a GPU")
    with pytest.raises(UserError, match="device 'cuda'"):
        backend_of(modules["magenta"], "cuda")


def test_nothing_is_printed(modules):
    code = (
        "import sys, numpy as np\n"
        "from nst_tfhub.files import find\n"
        "from nst_tfhub.fast_transfer import FastTransfer\n"
        "picture = np.zeros((40, 60, 3), np.float32)\n"
        "FastTransfer(find(sys.argv[1]), strength=0.5).stylize(picture, [picture], blend=[1], style_scale=1)\n"
    )
    command = [sys.executable, "-c", code, str(modules["magenta"])]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (run.stdout, run.stderr) == ("", "")
