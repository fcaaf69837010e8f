"""TensorFlow comes late, alone and silently."""

from __future__ import annotations

import json

import pytest

from nst_keras import keras_settings

pytestmark = pytest.mark.frameworks

COMPUTE = """
from nst.weights import COMPACT
from nst_keras.vgg import VGG
import numpy as np
backend = VGG(COMPACT.load())
objective = backend.value_and_grad(lambda image: {"sum": backend.xp.sum(backend.features(image, ["pool1"])["pool1"])})
objective(np.zeros((16, 16, 3), np.float32))
"""
FAIL = """
import os, sys
sys.modules["tensorflow"] = None
class Broken:
    def find_spec(self, name, path=None, target=None):
        if name == "tensorflow":
            os.write(2, b"a message from C++")
            raise ImportError("no such library")
sys.meta_path.insert(0, Broken())
del sys.modules["tensorflow"]
import nst_keras.vgg
"""
TRY = """
from nst.errors import UserError
from nst_keras import nst_backends
try:
    next(nst_backends()).load()
except UserError as error:
    print(error, "|", error.hint)
import sys
print(sorted({"tensorflow", "torch", "jax"} & set(sys.modules)))
"""
LOOK = "import sys; print(sorted({'tensorflow', 'keras', 'numpy'} & set(sys.modules)))"


def test_listing_imports_no_framework(python):
    assert python(f"import nst_keras; list(nst_keras.nst_backends()); {LOOK}").stdout == "[]\n"


def test_looking_for_weights_imports_no_framework(python):
    found = python(f"from nst_keras.imagenet import VGG19, VGG16; VGG19.path().is_file(); {LOOK}")
    assert "tensorflow" not in found.stdout
    assert "keras'" not in found.stdout


def test_a_computation_says_nothing(python):
    run = python(COMPUTE, TF_CPP_MIN_LOG_LEVEL="")
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_who_asks_for_messages_sees_them(python):
    assert "oneDNN" in python("import nst_keras.vgg", TF_CPP_MIN_LOG_LEVEL="0").stderr


def test_an_import_that_fails_shows_what_it_said(python):
    stderr = python(FAIL, TF_CPP_MIN_LOG_LEVEL="").stderr
    assert "a message from C++" in stderr
    assert "no such library" in stderr


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_a_keras_on_another_framework_is_an_error_before_any_import(python, backend, tmp_path):
    found = python(TRY, KERAS_BACKEND=backend).stdout
    assert f"Keras is set to compute on {backend} (KERAS_BACKEND)" in found
    assert "unset KERAS_BACKEND" in found
    assert ("--backend torch-vgg19" in found) == (backend == "torch")
    assert found.endswith("[]\n")
    (tmp_path / "keras.json").write_text(json.dumps({"backend": backend}))
    found = python(TRY, KERAS_BACKEND="", KERAS_HOME=str(tmp_path)).stdout
    assert f"Keras is set to compute on {backend} ('{tmp_path}/keras.json')" in found
    assert "KERAS_BACKEND=tensorflow" in found
    found = python(TRY, KERAS_BACKEND="tensorflow", KERAS_HOME=str(tmp_path)).stdout
    assert found in ("['tensorflow']\n", "['jax', 'tensorflow']\n")  # tensorflow.lite imports JAX where it is installed


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"backend": "tensorflow"}', "\xff"])
def test_without_another_word_keras_computes_on_tensorflow(text, monkeypatch, tmp_path):
    monkeypatch.delitem(keras_settings.sys.modules, "keras", raising=False)
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert keras_settings.backend() == "tensorflow"
    (tmp_path / "keras.json").write_text(text, "latin-1")
    assert keras_settings.backend() == "tensorflow"


@pytest.mark.parametrize("home", ["", "~/elsewhere", "plain"])
def test_the_folder_is_keras_own(python, home, tmp_path):
    code = "from keras.src.backend.config import keras_home; from nst_keras.keras_settings import home; import os"
    variables = {"KERAS_HOME": str(tmp_path / home) if home == "plain" else home, "HOME": str(tmp_path)}
    found = python(f"{code}; print(os.path.expanduser(keras_home())); print(home())", **variables).stdout.split()
    assert found[0] == found[1]
