"""Where weights come from, and which of them a run uses."""

from __future__ import annotations

import re
import string
import struct
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nst.errors import NstError, UserError
from nst.io.download import sha256_of
from nst.specs import BackendSpec, WeightSet, resolve
from nst.vgg import architecture
from nst.vgg.network import Network, header, layers_of, write
from nst.weights.selection import COMPACT, Choice, NeutralFile, check, choose_all, choose_weights
from nst.weights.sets import COMPACT_SET


class TestSources:
    def test_a_neutral_file(self, tmp_path: Path, make_network: Callable[..., Network]) -> None:
        path = write(tmp_path / "n", make_network(depth=2))
        for source in (NeutralFile(path), NeutralFile(str(path), sha256_of(path))):
            assert source.path() == source.fetch() == path
            assert source.verify() == source.load().sha256 == sha256_of(path)

    def test_one_that_is_not_there(self, tmp_path: Path) -> None:
        source = NeutralFile(tmp_path / "none")
        assert source.path() == tmp_path / "none"
        for action in (source.fetch, source.verify, source.load):
            with pytest.raises(UserError, match="no weights file at"):
                action()

    def test_one_that_is_another(self, tmp_path: Path, make_network: Callable[..., Network]) -> None:
        path = write(tmp_path / "n", make_network(depth=2))
        source = NeutralFile(path, "0" * 64)
        for action in (source.verify, source.load):
            with pytest.raises(NstError, match=f"{sha256_of(path)}; expected {'0' * 64}"):
                action()

    def test_the_compact_network_is_what_its_set_says(self) -> None:
        assert resolve(COMPACT_SET.source) is COMPACT
        assert COMPACT.verify() == COMPACT.sha256 == sha256_of(COMPACT.path())
        found = header(COMPACT.path())
        assert (found.architecture, found.preprocessing) == ("vgg19", COMPACT_SET.preprocessing)
        assert found.license == COMPACT_SET.license
        assert layers_of(found) == architecture.layer_names("vgg19")

    def test_declaring_the_compact_set_imports_next_to_nothing(self) -> None:
        modules = {"numpy", "safetensors", "nst.weights.selection"}
        code = f"import sys, nst.weights.sets; print({modules} & set(sys.modules))"
        assert (
            subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
        )


SOURCES = """
from pathlib import Path
from nst.weights import NeutralFile

class Fetchable(NeutralFile):
    def fetch(self, on_progress=None):
        raise AssertionError("nobody asked for a download")

IMAGENET = Fetchable(Path(__file__).with_name("imagenet.pth"))
OTHER = Fetchable(Path(__file__).with_name("other.pth"))
"""


class TestChoosing:
    @pytest.fixture
    def sources(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
        """A module of a plugin with weight sets, its files beside it once a test puts them there."""
        name = "sources_" + re.sub(r"\W", "_", tmp_path.name)
        (tmp_path / f"{name}.py").write_text(SOURCES)
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.chdir(tmp_path)
        return name

    def spec(self, sources: str, *names: str) -> BackendSpec:
        sets = {
            "imagenet": WeightSet("imagenet", f"{sources}:IMAGENET", "", "", "torchvision", 574_673_361),
            "other": WeightSet("other", f"{sources}:OTHER", "", "", "torchvision", 10),
            "unsized": WeightSet("unsized", f"{sources}:OTHER", "", "", "torchvision"),
            "broken": WeightSet("broken", f"{sources}:NONE", "", "", "torchvision", 10),
            "compact": COMPACT_SET,
        }
        return BackendSpec("torch-vgg19", "x:y", architecture="vgg19", weights=tuple(sets[name] for name in names))

    def test_auto_takes_the_full_network_where_it_is_on_disk(self, sources: str) -> None:
        Path("imagenet.pth").touch()
        choice = choose_weights(self.spec(sources, "compact", "imagenet"), "auto")
        assert (choice.name, choice.source) == ("imagenet", resolve(f"{sources}:IMAGENET"))
        assert choice.note == "weights: imagenet (on disk); or --weights compact"

    def test_auto_takes_the_compact_one_otherwise_and_says_how_to_get_the_other(self, sources: str) -> None:
        choice = choose_weights(self.spec(sources, "imagenet", "compact"), "auto")
        assert (choice.name, choice.source) == ("compact", COMPACT)
        line = "nst weights fetch imagenet --backend torch-vgg19 (548 MB)"
        assert choice.note == f"weights: compact (ships with nst); for the full network: {line}"

    def test_auto_takes_any_set_that_is_on_disk(self, sources: str) -> None:
        Path("other.pth").touch()
        assert choose_weights(self.spec(sources, "imagenet", "other"), "auto").name == "other"

    def test_auto_leaves_all_sizes_but_the_last_to_the_compact_network(self, sources: str) -> None:
        Path("imagenet.pth").touch()
        spec = self.spec(sources, "imagenet", "compact")
        coarse, last = choose_all(spec, ["auto"], 3)
        assert (coarse.name, last.name) == ("compact", "imagenet")
        assert (coarse.note, last.note[:9]) == ("", "weights: ")

    @pytest.mark.parametrize(
        ("wanted", "sizes", "offered", "expected"),
        [
            (["auto"], 1, ["imagenet", "compact"], ["imagenet"]),
            (["auto"], 3, ["imagenet"], ["imagenet"]),
            (["auto", "auto"], 3, ["imagenet", "compact"], ["imagenet", "imagenet"]),
            (["imagenet"], 3, ["imagenet", "compact"], ["imagenet"]),
            (["compact"], 3, ["imagenet", "compact"], ["compact"]),
        ],
        ids=[
            "one size",
            "no compact",
            "auto twice",
            "the full one by name",
            "compact by name",
        ],
    )
    def test_all_sizes_have_the_one_network(self, sources, wanted, sizes, offered, expected):
        Path("imagenet.pth").touch()
        choices = choose_all(self.spec(sources, *offered), wanted, sizes)
        assert [choice.name for choice in choices] == expected

    def test_without_the_full_network_the_compact_one_paints_every_size(self, sources: str) -> None:
        (choice,) = choose_all(self.spec(sources, "imagenet", "compact"), ["auto"], 3)
        assert choice.name == "compact"

    def test_auto_with_nothing_on_disk(self, sources: str) -> None:
        with pytest.raises(UserError, match="torch-vgg19") as raised:
            choose_weights(self.spec(sources, "imagenet"), "auto")
        assert "nst weights fetch imagenet --backend torch-vgg19 (548 MB)" in raised.value.hint

    def test_auto_with_nothing_offered(self, sources: str) -> None:
        choice = choose_weights(self.spec(sources), "auto")
        assert (choice.name, choice.source.load(), choice.source.verify()) == ("none", None, "")

    def test_a_set_by_name(self, sources: str) -> None:
        spec = self.spec(sources, "imagenet", "compact")
        Path("compact").touch()  # a file by a set's name does not hide the set
        assert choose_weights(spec, "compact") == Choice("compact", COMPACT)
        with pytest.raises(UserError, match="'imagenet' of torch-vgg19 are not on disk") as raised:
            choose_weights(spec, "imagenet")
        assert raised.value.hint == "nst weights fetch imagenet --backend torch-vgg19 (548 MB)"
        with pytest.raises(UserError) as raised:
            choose_weights(self.spec(sources, "unsized"), "unsized")
        assert raised.value.hint == "nst weights fetch unsized --backend torch-vgg19"
        Path("imagenet.pth").touch()
        assert choose_weights(spec, "imagenet") == Choice("imagenet", resolve(f"{sources}:IMAGENET"))

    def test_a_set_whose_plugin_is_broken(self, sources: str) -> None:
        for wanted in ("auto", "broken"):
            with pytest.raises(NstError, match="'broken' of torch-vgg19") as raised:
                choose_weights(self.spec(sources, "broken", "compact"), wanted)
            assert raised.value.__cause__ is not None

    def test_a_word_nobody_knows(self, sources: str) -> None:
        with pytest.raises(UserError, match="unknown weights 'imagnet'") as raised:
            choose_weights(self.spec(sources, "imagenet", "compact"), "imagnet")
        assert "did you mean imagenet?" in raised.value.hint

    @pytest.mark.parametrize("wanted", ["mine.safetensors", "./mine", "folder/mine", "C:\\mine", "mine", "~/mine"])
    def test_a_path(self, sources: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, wanted: str) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        Path("mine").touch()
        choice = choose_weights(self.spec(sources, "compact"), wanted)
        assert (choice.name, choice.note) == (wanted, "")
        assert isinstance(choice.source, NeutralFile)
        assert choice.source.path() == Path(wanted.replace("~", str(tmp_path)))

    @pytest.mark.parametrize("wanted", ["imagenet", "mine.safetensors", "mine"])
    def test_a_backend_without_weights_takes_no_others(self, wanted: str) -> None:
        spec = BackendSpec("filters", "m:f", files="")
        assert choose_weights(spec, "auto").source.load() is None
        with pytest.raises(UserError, match="'filters' has no weights to choose from") as raised:
            choose_weights(spec, wanted)
        assert raised.value.hint == "leave --weights out"

    def test_a_backend_that_takes_no_files_knows_its_sets_alone(self, sources: str) -> None:
        spec = replace(self.spec(sources, "compact"), files="")
        assert choose_weights(spec, "compact") == Choice("compact", COMPACT)
        with pytest.raises(UserError, match=r"unknown weights 'mine.safetensors'") as raised:
            choose_weights(spec, "mine.safetensors")
        assert raised.value.hint == "choose from auto, compact"

    @settings(max_examples=100)
    @given(wanted=st.text(max_size=300) | st.text(string.printable, max_size=8))
    def test_any_other_text(self, sources: str, wanted: str) -> None:
        spec = self.spec(sources, "compact")
        try:
            choice = choose_weights(spec, wanted)
        except UserError:
            return
        assert wanted in ("auto", "compact") or check(spec, choice, []) != []


class TestChecking:
    SPEC = BackendSpec("torch-vgg19", "x:y", architecture="vgg19")

    def choice(self, path: Path) -> Choice:
        return Choice(path.name, NeutralFile(path))

    def test_a_file_that_fits(self, tmp_path: Path, make_network: Callable[..., Network]) -> None:
        choice = self.choice(write(tmp_path / "n", make_network(depth=8)))
        assert check(self.SPEC, choice, ["relu1_1", "pool3", "conv3_4", "relu1_1"]) == []

    def test_layers_it_does_not_hold(self, tmp_path: Path, make_network: Callable[..., Network]) -> None:
        choice = self.choice(write(tmp_path / "n", make_network(depth=7)))
        (error,) = check(self.SPEC, choice, ["relu5_1", "relu3_3", "pool3", "relu5_1"])
        assert error.message == "'n' has no layer relu5_1, pool3"
        assert error.hint == "it has conv1_1 … relu3_3"

    def test_another_architecture(self, tmp_path: Path, make_network: Callable[..., Network]) -> None:
        choice = self.choice(write(tmp_path / "n", make_network("vgg16")))
        (error,) = check(self.SPEC, choice, ["relu5_4"])
        assert error.message == "'n' is vgg16; torch-vgg19 takes vgg19"

    def test_a_backend_that_takes_none(self) -> None:
        (error,) = check(BackendSpec("tfhub-fast", "x:y", kind="image"), Choice("compact", COMPACT), [])
        assert "tfhub-fast takes no VGG" in error.message

    def test_files_that_are_not_there_or_not_neutral(self, tmp_path: Path) -> None:
        (tmp_path / "page").write_text("<html>")
        for name, fact in (("none", "no weights file at"), ("page", "an HTML page")):
            (error,) = check(self.SPEC, self.choice(tmp_path / name), ["relu1_1"])
            assert fact in error.message
            assert str(tmp_path / name) in error.message

    def test_the_values_are_not_read(self, tmp_path: Path, make_network: Callable[..., Network]) -> None:
        path = write(tmp_path / "n", make_network(depth=1))
        path.write_bytes(path.read_bytes()[:-4] + struct.pack("<f", np.nan))
        assert check(self.SPEC, self.choice(tmp_path / "n"), ["relu1_1"]) == []

    def test_other_sources_answer_for_themselves(self) -> None:
        class Own:
            def path(self) -> Path:
                raise AssertionError("nobody asked")

            fetch = verify = load = path

        assert check(self.SPEC, Choice("imagenet", Own()), ["relu9_9"]) == []


def test_a_file_in_use_is_read_and_hashed_once(tmp_path, make_network):
    file = write(tmp_path / "net.safetensors", make_network())
    choice = Choice(str(file), NeutralFile(file))
    network = choice.load()
    assert choice.load() is network
    digest = choice.digest()
    write(file, make_network(seed=1))
    assert choice.load() is not network, "another file"
    assert choice.digest() != digest
