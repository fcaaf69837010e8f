"""What is found at a path, and what is said of what does not fit."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import pytest

from nst.errors import UserError
from nst_tfhub.fast_transfer import FastTransfer
from nst_tfhub.files import SavedModelFolder, TFLitePair, find

pytestmark = pytest.mark.frameworks
PREDICT, FIXED, FREE = (
    f"style_{name}.tflite" for name in ("predict_quantized_256", "transfer_quantized_384", "transfer_quantized_dynamic")
)


def folder_of(tmp_path, source, *names):
    for name in names:
        shutil.copy(source / name, tmp_path)
    return str(tmp_path)


def refusal(text):
    with pytest.raises(UserError) as caught:
        find(str(text))
    return f"{caught.value.message} | {caught.value.hint}"


def test_of_several_transfers_the_one_of_any_size_is_taken(magenta):
    assert find(str(magenta)) == TFLitePair(magenta / PREDICT, magenta / FREE)


def test_a_lone_fixed_transfer_is_taken(magenta, tmp_path):
    folder = folder_of(tmp_path, magenta, PREDICT, FIXED)
    assert find(folder) == TFLitePair(tmp_path / PREDICT, tmp_path / FIXED)


def test_roles_are_told_by_shapes_and_not_by_names(magenta, tmp_path):
    shutil.copy(magenta / PREDICT, tmp_path / "2.tflite")
    shutil.copy(magenta / FIXED, tmp_path / "1.tflite")
    assert find(str(tmp_path)) == TFLitePair(tmp_path / "2.tflite", tmp_path / "1.tflite")


def test_two_files_are_taken_as_named(magenta):
    assert find(f"{magenta / PREDICT},{magenta / FIXED}") == TFLitePair(magenta / PREDICT, magenta / FIXED)


def test_swapped_files_are_told_apart(magenta):
    told = refusal(f"{magenta / FIXED},{magenta / PREDICT}")
    assert f"'{magenta / FIXED}' is the style_transfer and '{magenta / PREDICT}' the style_predict" in told
    assert f"--weights {magenta / PREDICT},{magenta / FIXED}" in told


def test_the_same_half_twice_is_refused(magenta):
    assert "is not Magenta's style_transfer" in refusal(f"{magenta / PREDICT},{magenta / PREDICT}")
    assert "is not Magenta's style_predict" in refusal(f"{magenta / FIXED},{magenta / FREE}")


def test_several_of_a_kind_are_not_chosen_between(magenta, tmp_path):
    folder_of(tmp_path, magenta, PREDICT, FIXED)
    shutil.copy(tmp_path / FIXED, tmp_path / "again.tflite")
    assert f"several of style_transfer: again.tflite, {FIXED}" in refusal(tmp_path)


def test_a_folder_with_one_half_says_which_is_missing(magenta, tmp_path):
    assert "no style_transfer" in refusal(folder_of(tmp_path, magenta, PREDICT))


@pytest.mark.parametrize("share", [0, 0.00002, 0.01, 0.5, 0.999])
def test_a_file_cut_short_is_refused(magenta, tmp_path, share):
    content = (magenta / PREDICT).read_bytes()
    (tmp_path / "cut.tflite").write_bytes(content[: int(len(content) * share)])
    assert "not a complete TensorFlow Lite model" in refusal(f"{tmp_path / 'cut.tflite'},{magenta / FIXED}")


@pytest.mark.parametrize(
    "content", [b"<html>404</html>", b"\x1c\0\0\0TFL3", b"\x1c\0\0\0TFL3" + bytes(range(256)) * 40]
)
def test_garbage_is_refused(magenta, tmp_path, content):
    pytest.importorskip("ai_edge_litert")
    (tmp_path / "garbage.tflite").write_bytes(content)
    assert "not a complete TensorFlow Lite model" in refusal(tmp_path)


def test_a_file_of_something_else_is_described(lite):
    told = refusal(f"{lite / 'other.tflite'},{lite / 'fixed.tflite'}")
    assert "(takes (1, 224, 224, 3), gives (1, 3)) is not Magenta's style_predict" in told


def test_halves_of_different_networks_are_refused(lite):
    told = refusal(f"{lite / 'short.tflite'},{lite / 'fixed.tflite'}")
    assert "gives 7 numbers" in told
    assert "takes 100" in told


@pytest.mark.parametrize(("make", "message"), [(str, "there is nothing at"), (os.mkdir, "holds no saved_model.pb")])
def test_a_path_without_models_is_refused(tmp_path, make, message):
    make(tmp_path / "place")
    told = refusal(tmp_path / "place")
    assert message in told
    assert "--weights takes" in told


def test_one_file_is_not_enough(tmp_path):
    (tmp_path / "one.tflite").write_bytes(b"")
    assert "is one file" in refusal(tmp_path / "one.tflite")


def test_a_missing_half_is_named(tmp_path):
    assert "there is no file 'absent.tflite'" in refusal("absent.tflite,other.tflite")


def test_a_saved_model_s_folder_is_known_by_its_graph(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"")
    (tmp_path / "variables").mkdir()
    (tmp_path / "variables" / "variables.index").write_bytes(b"")
    found = find(str(tmp_path))
    assert found == SavedModelFolder(tmp_path)
    assert found.files == (tmp_path / "saved_model.pb", tmp_path / "variables" / "variables.index")


@pytest.mark.parametrize("module", ["tensorflow", "ai_edge_litert"])
def test_a_missing_module_names_its_pip_line(tmp_path, monkeypatch, module):
    class NotInstalled:
        @staticmethod
        def find_spec(name, path=None, target=None):
            if name == module:
                raise ModuleNotFoundError(f"No module named '{name}'", name=name)

    for name in [*sys.modules]:
        if name.startswith(("nst_tfhub.savedmodel", "nst_tfhub.litert")) or name.partition(".")[0] == module:
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [NotInstalled, *sys.meta_path])
    (tmp_path / "a.tflite").write_bytes(b"")
    with pytest.raises(UserError, match=f"need {module}") as caught:
        SavedModelFolder(tmp_path).open("cpu") if module == "tensorflow" else find(str(tmp_path))
    assert re.match(r"pip install ('nst-tfhub\[savedmodel\]'|nst-tfhub)$", caught.value.hint)


def test_litert_says_that_it_has_no_gpu(magenta):
    with pytest.raises(UserError, match="device 'cuda'"):
        FastTransfer(find(str(magenta)), device="cuda")


def test_nothing_is_printed(magenta):
    code = (
        "import sys, numpy as np\n"
        "from nst_tfhub.files import find\n"
        "from nst_tfhub.fast_transfer import FastTransfer\n"
        "picture = np.zeros((40, 60, 3), np.float32)\n"
        "FastTransfer(find(sys.argv[1]), strength=0.5).stylize(picture, [picture], blend=[1], style_scale=1)\n"
    )
    run = subprocess.run([sys.executable, "-c", code, str(magenta)], capture_output=True, text=True, check=True)
    assert (run.stdout, run.stderr) == ("", "")
