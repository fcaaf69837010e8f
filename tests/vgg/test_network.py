"""The neutral format, to the last value, and what is refused in its place."""

from __future__ import annotations

import json
import os
import pickle
import re
import struct
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import save, save_file

from nst.errors import NstError, UserError
from nst.io.download import sha256_of
from nst.vgg.architecture import convolutions, layer_names
from nst.vgg.network import Network, header, layers_of, read, write
from nst.vgg.preprocessing import CAFFE, TORCHVISION, Preprocessing

METADATA = {
    "format": "nst-vgg/1",
    "architecture": "vgg19",
    "preprocessing": "torchvision",
    "source": "made up",
    "license": "CC0",
}


def network(architecture: str = "vgg19", depth: int = 16, seed: int = 0) -> Network:
    """A random network a few channels wide, another number in each layer."""
    rng = np.random.default_rng(seed)
    names = convolutions(architecture)[:depth]
    widths = [3, *rng.integers(1, 7, len(names))]
    shapes = dict(zip(names, zip(widths[1:], widths, strict=False), strict=True))
    return Network(
        architecture=architecture,
        preprocessing=TORCHVISION,
        kernels={name: rng.normal(size=(*shape, 3, 3)).astype(np.float32) for name, shape in shapes.items()},
        biases={name: rng.normal(size=shape[:1]).astype(np.float32) for name, shape in shapes.items()},
        source="made up",
        license="CC0",
    )


def tensors_of(made: Network) -> dict[str, np.ndarray]:
    tensors = {f"{name}.weight": kernel for name, kernel in made.kernels.items()}
    return tensors | {f"{name}.bias": bias for name, bias in made.biases.items()}


SMALL = tensors_of(network(depth=5))
WHOLE = save(SMALL, METADATA)


def in_a_process(code: str, *arguments: str) -> str:
    """What a fresh interpreter prints, without surrounding blanks."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()


CLAIMS = """
import resource, sys
from nst import errors
from nst.vgg import network

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (2**20 if sys.platform == "darwin" else 2**10)

before = peak()
for path in sys.argv[1:]:
    try:
        network.read(path)
    except errors.UserError:
        continue
    raise SystemExit("believed")
print(peak() - before)
"""


class TestFormat:
    @pytest.mark.parametrize(("architecture", "depth"), [("vgg19", 16), ("vgg19", 1), ("vgg16", 13), ("vgg16", 7)])
    def test_what_is_written_is_read(self, tmp_path: Path, architecture: str, depth: int) -> None:
        made = network(architecture, depth)
        path = write(tmp_path / "n.safetensors", made)
        found = read(str(path))
        assert list(found.kernels) == list(found.biases) == list(convolutions(architecture)[:depth])
        for name, kernel in made.kernels.items():
            assert found.kernels[name].dtype == found.biases[name].dtype == np.float32
            np.testing.assert_array_equal(found.kernels[name], kernel)
            np.testing.assert_array_equal(found.biases[name], made.biases[name])
        assert (found.architecture, found.preprocessing) == (architecture, TORCHVISION)
        assert (found.source, found.license, found.sha256) == ("made up", "CC0", sha256_of(path))

    def test_half_precision_costs_half_the_bytes_and_a_thousandth(self, tmp_path: Path) -> None:
        made = network()
        whole, half = (write(tmp_path / kind, made, dtype=kind) for kind in ("float32", "float16"))
        values = {
            path: path.stat().st_size - 8 - struct.unpack("<Q", path.read_bytes()[:8])[0] for path in (whole, half)
        }
        assert values[half] * 2 == values[whole]
        for name, kernel in read(half).kernels.items():
            assert kernel.dtype == np.float32
            np.testing.assert_allclose(kernel, made.kernels[name], rtol=1e-3, atol=1e-6)

    def test_arrays_in_any_memory_order_are_written_as_they_read(self, tmp_path: Path) -> None:
        made = network(depth=2)
        turned = {name: np.asfortranarray(kernel)[::-1, ..., ::-1] for name, kernel in made.kernels.items()}
        biases = {name: bias[::-1] for name, bias in made.biases.items()}
        path = write(tmp_path / "n", Network("vgg19", CAFFE, turned, biases, "", ""))
        for name, kernel in turned.items():
            np.testing.assert_array_equal(read(path).kernels[name], kernel)
            np.testing.assert_array_equal(read(path).biases[name], biases[name])

    def test_a_header_tells_all_but_the_values(self, tmp_path: Path) -> None:
        made = network("vgg16", 6)
        found = header(write(tmp_path / "n", made))
        assert found.layers == convolutions("vgg16")[:6]
        assert found.channels == {name: len(bias) for name, bias in made.biases.items()}
        assert (found.architecture, found.preprocessing) == ("vgg16", "torchvision")
        assert (found.source, found.license) == ("made up", "CC0")

    def test_the_layers_of_a_file_that_ends_early(self, tmp_path: Path) -> None:
        offered = layers_of(header(write(tmp_path / "n", network(depth=3))))
        assert offered == ("conv1_1", "relu1_1", "conv1_2", "relu1_2", "pool1", "conv2_1", "relu2_1")
        assert layers_of(header(write(tmp_path / "n", network(depth=4))))[-1] == "pool2"

    @pytest.mark.parametrize("spellings", [{"licence": "CC0"}, {"licence": "older", "license": "CC0"}])
    def test_the_older_spelling_of_license_is_read(self, tmp_path: Path, spellings: Mapping[str, str]) -> None:
        rest = {name: value for name, value in METADATA.items() if name != "license"}
        path = tmp_path / "n.safetensors"
        save_file(tensors_of(network()), path, rest | spellings)
        assert (header(path).license, read(path).license) == ("CC0", "CC0")

    def test_license_is_written_in_the_new_spelling(self, tmp_path: Path) -> None:
        with safe_open(write(tmp_path / "n", network(depth=1)), framework="np") as file:
            assert file.metadata() == METADATA


class TestRefusals:
    def refused(self, path: Path, *facts: str, values_only: bool = False) -> UserError:
        """Reading refuses the file, its header alone as well unless the values are to blame, both naming it."""
        for action in (read,) if values_only else (read, header):
            with pytest.raises(UserError) as raised:
                action(path)
            for fact in (path.name, *facts):
                assert fact in raised.value.message
        return raised.value

    def saved(self, tmp_path: Path, tensors: Mapping[str, Any], metadata: Mapping[str, str] | None = None) -> Path:
        save_file(dict(tensors), tmp_path / "n.safetensors", dict(METADATA if metadata is None else metadata))
        return tmp_path / "n.safetensors"

    @pytest.mark.parametrize("key", METADATA)
    def test_metadata_that_is_missing(self, tmp_path: Path, key: str) -> None:
        rest = {name: value for name, value in METADATA.items() if name != key}
        self.refused(self.saved(tmp_path, SMALL, rest), "lacks the metadata", key)

    def test_no_metadata_at_all(self, tmp_path: Path) -> None:
        save_file(SMALL, tmp_path / "n.safetensors")
        self.refused(tmp_path / "n.safetensors", "lacks the metadata", *METADATA)

    @pytest.mark.parametrize("key", ["format", "architecture", "preprocessing"])
    def test_metadata_that_nst_does_not_know(self, tmp_path: Path, key: str) -> None:
        error = self.refused(self.saved(tmp_path, SMALL, METADATA | {key: "vgg9"}), key, "vgg9")
        assert METADATA[key] in error.hint

    @pytest.mark.parametrize("name", ["conv1_1.weight", "conv1_2.bias", "conv2_2.weight", "conv3_1.bias"])
    def test_a_hole(self, tmp_path: Path, name: str) -> None:
        self.refused(self.saved(tmp_path, {key: SMALL[key] for key in SMALL if key != name}), "lacks", name)

    def test_a_whole_layer_missing_before_others(self, tmp_path: Path) -> None:
        rest = {key: SMALL[key] for key in SMALL if not key.startswith("conv2_1")}
        self.refused(self.saved(tmp_path, rest), "lacks conv2_1.weight, conv2_1.bias")

    def test_no_layer_at_all(self, tmp_path: Path) -> None:
        self.refused(self.saved(tmp_path, {}), "lacks conv1_1.weight")

    @pytest.mark.parametrize("name", ["features.0.weight", "conv1_3.weight", "conv9_1.bias", "conv1_1"])
    def test_something_else_beside_the_layers(self, tmp_path: Path, name: str) -> None:
        self.refused(self.saved(tmp_path, SMALL | {name: np.zeros(3, np.float32)}), name, "not part of vgg19")

    def test_a_deeper_architecture_than_declared(self, tmp_path: Path) -> None:
        tensors = tensors_of(network("vgg19", 8))
        self.refused(
            self.saved(tmp_path, tensors, METADATA | {"architecture": "vgg16"}), "conv3_4", "not part of vgg16"
        )

    @pytest.mark.parametrize(
        ("name", "shape"),
        [
            ("conv1_1.weight", (SMALL["conv1_1.bias"].size, 1, 3, 3)),
            ("conv2_1.weight", (SMALL["conv2_1.bias"].size, 9, 3, 3)),
            ("conv2_1.weight", (SMALL["conv2_1.bias"].size + 1, SMALL["conv1_2.bias"].size, 3, 3)),
            ("conv1_1.weight", (SMALL["conv1_1.bias"].size, 3, 5, 5)),
            ("conv1_1.weight", (3, 3, 3, SMALL["conv1_1.bias"].size)),
            ("conv1_1.weight", ()),
            ("conv1_1.bias", (SMALL["conv1_1.bias"].size, 1)),
            ("conv3_1.bias", (SMALL["conv3_1.bias"].size + 1,)),
        ],
    )
    def test_shapes_that_do_not_chain(self, tmp_path: Path, name: str, shape: tuple[int, ...]) -> None:
        tensors = SMALL | {name: np.zeros(shape, np.float32)}
        self.refused(self.saved(tmp_path, tensors), name.partition(".")[0], str(shape), "expected")

    def test_a_layer_without_outputs(self, tmp_path: Path) -> None:
        empty = {"conv1_1.weight": np.zeros((0, 3, 3, 3), np.float32), "conv1_1.bias": np.zeros(0, np.float32)}
        self.refused(self.saved(tmp_path, empty), "conv1_1", "(0, 3, 3, 3)")

    @pytest.mark.parametrize(("dtype", "size"), [("I32", 4), ("F64", 8), ("BF16", 2), ("F8_E4M3", 1), ("BOOL", 1)])
    def test_number_types_other_than_the_two(self, tmp_path: Path, dtype: str, size: int) -> None:
        path = tmp_path / "n.safetensors"
        described = {"__metadata__": METADATA}
        for name, shape, place in (("conv1_1.weight", [1, 3, 3, 3], 0), ("conv1_1.bias", [1], 27)):
            offsets = [size * place, size * (place + int(np.prod(shape)))]
            described[name] = {"dtype": dtype, "shape": shape, "data_offsets": offsets}
        text = json.dumps(described).encode()
        path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(28 * size))
        self.refused(path, f"in {dtype}", "expected F16 or F32")

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    @pytest.mark.parametrize("name", ["conv2_1.weight", "conv1_2.bias"])
    def test_values_that_are_not_finite(self, tmp_path: Path, name: str, value: float) -> None:
        spoiled = SMALL[name].copy()
        spoiled.flat[-1] = value
        path = self.saved(tmp_path, SMALL | {name: spoiled})
        self.refused(path, name, "not finite", values_only=True)
        assert header(path).layers[-1] == "conv3_1"

    @pytest.mark.parametrize(
        ("content", "kind"),
        [
            (b"\n <!DOCTYPE html><title>404</title>", "an HTML page"),
            (b"\x89HDF\r\n\x1a\n" + bytes(99), "an HDF5 file"),
            (b"", "not a safetensors file"),
            (b"short", "not a safetensors file"),
            (WHOLE[:-1], "an incomplete one"),
            (WHOLE[:100], "an incomplete one"),
            (WHOLE + b"more", "an incomplete one"),
            (struct.pack("<Q", 2**63) + WHOLE[8:], "not a safetensors file"),
        ],
        ids=["a page", "HDF5", "empty", "short", "no last byte", "a header's part", "more than all", "no length"],
    )
    def test_other_files_by_what_they_are(self, tmp_path: Path, content: bytes, kind: str) -> None:
        path = tmp_path / "vgg19.bin"
        path.write_bytes(content)
        self.refused(path, kind, f"{len(content):,} bytes", sha256_of(path))

    def test_a_pickle_is_named_and_not_opened(self, tmp_path: Path) -> None:
        class Trap:
            def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
                return os.mkdir, (str(tmp_path / "sprung"),)

        (tmp_path / "old.pth").write_bytes(pickle.dumps(Trap(), protocol=2))
        with zipfile.ZipFile(tmp_path / "new.pth", "w") as archive:
            archive.writestr("archive/data.pkl", pickle.dumps(Trap(), protocol=2))
        for name in ("old.pth", "new.pth"):
            self.refused(tmp_path / name, "pickle", "never opens", sha256_of(tmp_path / name))
        assert not (tmp_path / "sprung").exists()

    def test_a_header_without_end_is_not_parsed(self, tmp_path: Path) -> None:
        path = tmp_path / "long.safetensors"
        path.write_bytes(struct.pack("<Q", 2 * 2**20) + b"{" + b" " * (3 * 2**20))
        self.refused(path, "has a header of 2,097,152 bytes; no VGG has as much to say")

    def test_what_is_no_file_is_not_waited_for(self, tmp_path: Path) -> None:
        if hasattr(os, "mkfifo"):
            os.mkfifo(tmp_path / "pipe")
        (tmp_path / "folder").mkdir()
        for path in (tmp_path / "pipe", tmp_path / "none", Path("/dev/zero"), Path("a" * 300)):
            self.refused(path, "no weights file at")
        self.refused(tmp_path / "folder", "is a folder, not a weights file")


class TestHostileBytes:
    """Whatever the bytes: a network or an `NstError`, soon and in little memory."""

    def judge(self, path: Path, content: bytes) -> None:
        path.write_bytes(content)
        try:
            kernels = read(path).kernels.values()
        except NstError as error:
            kernels, content = [], error.message.encode()
        assert all(np.isfinite(kernel).all() for kernel in kernels)
        assert kernels or os.fsencode(path) in content

    @settings(max_examples=150)
    @given(changes=st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), max_size=6))
    def test_flipped(self, tmp_path: Path, changes: list[tuple[int, int]]) -> None:
        content = bytearray(WHOLE)
        for place, value in changes:
            content[place] = value
        self.judge(tmp_path / "n", bytes(content))

    @settings(max_examples=150)
    @given(start=st.integers(0, 1500), length=st.integers(0, 60), new=st.binary(max_size=60))
    def test_a_stretch_replaced(self, tmp_path: Path, start: int, length: int, new: bytes) -> None:
        self.judge(tmp_path / "n", WHOLE[:start] + new + WHOLE[start + length :])

    @settings(max_examples=100)
    @given(size=st.integers(0, len(WHOLE) - 1))
    def test_cut_off(self, tmp_path: Path, size: int) -> None:
        (tmp_path / "n").write_bytes(WHOLE[:size])
        with pytest.raises(UserError, match=re.escape(sha256_of(tmp_path / "n"))):
            read(tmp_path / "n")

    @settings(max_examples=150)
    @given(
        described=st.recursive(
            st.none() | st.integers(-(2**70), 2**70) | st.text(max_size=8) | st.sampled_from(["F32", "F16"]),
            lambda inner: (
                st.lists(inner, max_size=4)
                | st.dictionaries(
                    st.sampled_from(
                        ["dtype", "shape", "data_offsets", "__metadata__", "conv1_1.weight", "conv1_1.bias"]
                    ),
                    inner,
                )
            ),
        ),
        claimed=st.none() | st.integers(0, 2**64 - 1),
    )
    def test_other_headers(self, tmp_path: Path, described: Any, claimed: int | None) -> None:
        text = json.dumps(described).encode()
        size = len(text) if claimed is None else claimed
        self.judge(tmp_path / "n", struct.pack("<Q", size) + text + bytes(64))

    def test_claims_are_not_believed(self, tmp_path: Path) -> None:
        pytest.importorskip("resource")
        huge = {"dtype": "F32", "shape": [2**20, 3, 3, 3], "data_offsets": [0, 2**20 * 27 * 4]}
        text = json.dumps({"__metadata__": METADATA, "conv1_1.weight": huge}).encode()
        (tmp_path / "header").write_bytes(struct.pack("<Q", 99_000_000) + b"{}")
        (tmp_path / "tensor").write_bytes(struct.pack("<Q", len(text)) + text)
        megabytes_more = int(in_a_process(CLAIMS, str(tmp_path / "header"), str(tmp_path / "tensor")))
        assert megabytes_more < 20


class TestWriting:
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        return write(tmp_path / "n.safetensors", network(depth=2))

    def spoil(self, kind: str) -> tuple[Network, str]:
        made = network(depth=3)
        kernels = dict(made.kernels)
        if kind == "not finite":
            kernels["conv1_2"] = kernels["conv1_2"] * np.float32(np.nan)
        elif kind == "too large for float16":
            kernels["conv1_2"] = kernels["conv1_2"] * 0 + np.float32(70_000)
        else:
            del kernels["conv1_2"]
        spoiled = Network("vgg19", TORCHVISION, kernels, made.biases, "", "")
        return spoiled, "float16" if kind == "too large for float16" else "float32"

    @pytest.mark.parametrize("kind", ["not finite", "too large for float16", "a hole"])
    def test_what_could_not_be_read_is_not_written(self, path: Path, kind: str) -> None:
        before, (spoiled, dtype) = path.read_bytes(), self.spoil(kind)
        with pytest.raises(UserError, match=r"conv1_2\.weight"):
            write(path, spoiled, dtype=dtype)
        assert path.read_bytes() == before

    def test_an_architecture_nst_does_not_know(self, path: Path) -> None:
        with pytest.raises(UserError, match="vgg9"):
            write(path, Network("vgg9", TORCHVISION, {}, {}, "", ""))

    def test_a_full_disk_leaves_the_old_file_and_nothing_else(self, path: Path) -> None:
        resource = pytest.importorskip("resource")
        before = path.read_bytes()
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))
        try:
            with pytest.raises(NstError, match="cannot write"):
                write(path, network())
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert path.read_bytes() == before
        assert list(path.parent.iterdir()) == [path]

    def test_a_folder_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(NstError, match="cannot write") as raised:
            write(tmp_path / "none" / "n", network(depth=1))
        assert str(tmp_path / "none" / "n") in raised.value.message


class TestFolding:
    @pytest.mark.parametrize("preprocessing", [TORCHVISION, CAFFE])
    def test_the_first_convolution_takes_pixels_less_the_mean(self, preprocessing: Preprocessing) -> None:
        made = replace(network(depth=2), preprocessing=preprocessing)
        rgb = np.random.default_rng(1).uniform(size=3)
        own = (
            rgb[:: 1 if preprocessing.order == "RGB" else -1] * preprocessing.scale - preprocessing.mean
        ) / preprocessing.std
        (name, kernel, bias), (_, second, _) = made.folded()
        assert name == "conv1_1"
        expected = np.einsum("oihw,i->ohw", made.kernels["conv1_1"], own)
        np.testing.assert_allclose(np.einsum("oihw,i->ohw", kernel, rgb - made.mean()), expected, rtol=1e-4, atol=1e-4)
        np.testing.assert_array_equal(bias, made.biases["conv1_1"])
        np.testing.assert_array_equal(second, made.kernels["conv1_2"])


@pytest.mark.weights
def test_the_real_network(data: Path) -> None:
    path = data / "vgg19-imagenet.safetensors"
    began = time.perf_counter()
    found = read(path)
    assert time.perf_counter() - began < 2
    assert found.preprocessing == CAFFE
    assert tuple(found.kernels) == convolutions("vgg19")
    assert found.kernels["conv5_4"].shape == (512, 512, 3, 3)
    assert layers_of(header(path)) == layer_names("vgg19")
