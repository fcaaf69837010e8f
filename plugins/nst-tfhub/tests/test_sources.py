"""Where weights come from: names, addresses and places, without a network."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from types import ModuleType

import pytest

from nst.errors import NstError, UserError
from nst_tfhub.files import SavedModelFolder
from nst_tfhub.sources import MAGENTA, MAGENTA_LITE, LocalModel, source

HANDLE = "google/arbitrary-image-stylization-v1/tensorFlow1/256"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "kagglehub"))
    return tmp_path / "kagglehub" / "models"


@pytest.fixture
def kaggle(cache, monkeypatch):
    """A kagglehub that brings a small module, or fails as without a network."""
    module, asked = ModuleType("kagglehub"), []

    def model_download(handle):
        asked.append(handle)
        if module.error:
            raise module.error
        folder = cache / handle
        (folder / "variables").mkdir(parents=True)
        (folder / "saved_model.pb").write_bytes(b"graph")
        (folder / "variables" / "variables.index").write_bytes(b"index")
        return str(folder)

    module.error, module.model_download, module.asked = None, model_download, asked
    monkeypatch.setitem(sys.modules, "kagglehub", module)
    return module


@pytest.mark.parametrize(
    "address",
    [
        HANDLE,
        f"{HANDLE}/2",
        "google/arbitrary-image-stylization-v1/TensorFlow1/256/2",
        "https://tfhub.dev/google/magenta/arbitrary-image-stylization-v1-256/2",
        "https://tfhub.dev/google/magenta/arbitrary-image-stylization-v1-256/2?tf-hub-format=compressed",
        "https://www.kaggle.com/models/google/arbitrary-image-stylization-v1/frameworks/TensorFlow1/variations/256/versions/2",
        "https://kaggle.com/models/google/arbitrary-image-stylization-v1/TensorFlow1/256/2",
    ],
)
def test_addresses_of_the_module_mean_the_set(address):
    assert source(address) is MAGENTA


@pytest.mark.parametrize("text", [f"{HANDLE}/1", "https://tfhub.dev/google/other/2", "./magenta", "a.tflite,b.tflite"])
def test_everything_else_is_a_path(text):
    assert source(text) == LocalModel(text)


def test_a_folder_of_that_name_goes_before_the_address(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path(HANDLE).mkdir(parents=True)
    assert source(HANDLE) == LocalModel(HANDLE)


@pytest.mark.parametrize("weights", [MAGENTA, MAGENTA_LITE])
def test_places_are_kagglehub_s(weights, cache):
    kagglehub = pytest.importorskip("kagglehub")
    for file in weights.files:
        handle, _, name = file.rpartition("/")
        parsed = kagglehub.handle.parse_model_handle(handle)
        assert kagglehub.cache.get_cached_path(parsed, name) == str(cache / file)
    assert weights.path() == cache / weights.files[-1]


def test_without_a_variable_the_cache_is_in_the_home(monkeypatch):
    monkeypatch.delenv("KAGGLEHUB_CACHE", raising=False)
    assert MAGENTA.path() == Path.home() / ".cache/kagglehub/models" / HANDLE / "2" / "saved_model.pb"


def test_nothing_is_downloaded_unasked(kaggle):
    with pytest.raises(UserError, match="no magenta weights at") as caught:
        MAGENTA.load()
    assert "nst weights fetch magenta --backend tfhub-fast" in caught.value.hint
    assert kaggle.asked == []


def test_fetching_brings_the_pinned_version(kaggle, cache):
    steps = []
    assert MAGENTA.fetch(lambda *step: steps.append(step)) == cache / HANDLE / "2" / "saved_model.pb"
    assert kaggle.asked == [f"{HANDLE}/2"]
    assert steps == [(10, 10)]
    assert MAGENTA.load() == SavedModelFolder(cache / HANDLE / "2")


def test_several_files_have_one_digest(kaggle):
    MAGENTA.fetch()
    each = "".join(hashlib.sha256(content).hexdigest() for content in (b"graph", b"index"))
    assert MAGENTA.verify() == hashlib.sha256(each.encode()).hexdigest()


@pytest.mark.parametrize(
    ("error", "reason"),
    [(ConnectionError("Max retries"), "no connection"), (ValueError("404\nand more"), "404"), (KeyError(), "KeyError")],
)
def test_without_a_network_the_way_around_is_told(kaggle, error, reason):
    kaggle.error = error
    with pytest.raises(NstError, match=f"cannot fetch {HANDLE}/2 from Kaggle: {reason}$") as caught:
        MAGENTA.fetch()
    assert "by hand from https://www.kaggle.com/models/google/arbitrary-image-stylization-v1" in caught.value.hint
    assert "--weights takes" in caught.value.hint


def test_without_kagglehub_the_pip_line_is_told(monkeypatch, cache):
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    with pytest.raises(UserError, match="need kagglehub") as caught:
        MAGENTA_LITE.fetch()
    assert caught.value.hint == "pip install 'nst-tfhub[kaggle]'"


def test_a_local_path_that_fits_is_its_own_source(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"graph")
    local = LocalModel(str(tmp_path))
    assert local.path() == local.fetch() == tmp_path / "saved_model.pb"
    assert local.verify() == hashlib.sha256(b"graph").hexdigest()


def test_a_local_path_that_does_not_fit_is_still_named(tmp_path):
    local = LocalModel(str(tmp_path / "absent"))
    assert local.path() == tmp_path / "absent"
    for action in (local.fetch, local.verify, local.load):
        with pytest.raises(UserError, match="there is nothing at"):
            action()
