"""What `fuzz.py` damages: whole files of every kind that nst reads, and ways to spoil them."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping
from copy import deepcopy
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import safetensors.numpy
from PIL import Image, ImageCms

from nst import images
from nst.engine.snapshot import Snapshot
from nst.images import Picture, WriteOptions
from nst.persistence import checkpoint, input_files
from nst.persistence.provenance import Record
from nst.recipe.recipe import Recipe
from nst.vgg import network
from nst.vgg.architecture import convolutions
from nst.vgg.preprocessing import PREPROCESSINGS

Specimens = Mapping[str, list[bytes]]
"""Files by kind; their contents."""

BASE = Recipe(sizes=(32, 48), steps=(2, 3), weights=("compact",), device="cpu", bleed=0)
RUN = {"level": 1, "taken": 2, "scale": 1.0, "best_loss": 0.5, "mean_weight": 0.0, "tile": None, "notes": ["a note"]}
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
SAVED: Mapping[str, list[tuple[str, str, dict[str, Any]]]] = {
    "png": [
        ("RGB", "PNG", {}),
        ("RGBA", "PNG", {}),
        ("P", "PNG", {"transparency": 3}),
        ("1", "PNG", {}),
        ("I;16", "PNG", {}),
        ("LA", "PNG", {"icc_profile": PROFILE}),
        ("RGB", "PNG", {"save_all": True, "append_images": [Image.new("RGB", (40, 30), "red")]}),
    ],
    "jpeg": [
        ("RGB", "JPEG", {"quality": 90, "progressive": True}),
        ("L", "JPEG", {"icc_profile": PROFILE}),
        ("CMYK", "JPEG", {}),
        ("RGB", "MPO", {"save_all": True, "append_images": [Image.new("RGB", (40, 30), "red")]}),
    ],
    "tiff": [
        ("RGB", "TIFF", {"compression": "tiff_lzw"}),
        ("RGBA", "TIFF", {"compression": "tiff_adobe_deflate"}),
        ("L", "TIFF", {"compression": "packbits"}),
        ("CMYK", "TIFF", {}),
        ("1", "TIFF", {"compression": "group4"}),
        ("RGB", "TIFF", {"compression": "jpeg"}),
        ("RGB", "TIFF", {"save_all": True, "append_images": [Image.new("RGB", (40, 30), "red")]}),
    ],
    "webp": [
        ("RGB", "WEBP", {"icc_profile": PROFILE}),
        ("RGBA", "WEBP", {"lossless": True}),
        ("RGB", "WEBP", {"save_all": True, "append_images": [Image.new("RGB", (40, 30), "red")]}),
    ],
}


def make() -> Specimens:
    """Whole files of each kind; the current folder keeps `content.png` and `style.png`, which some of them name."""
    pixels = np.random.default_rng(0).random((30, 40, 3), np.float32)
    images.save_image("content.png", pixels)
    images.save_image("style.png", pixels[:, ::-1])
    record = _record()
    told = {"nst": json.dumps(record.to_dict())}
    found = {kind: [_saved(pixels, *how) for how in saved] for kind, saved in SAVED.items()}
    for kind, suffix, depth in (("png", ".png", "16"), ("png", ".png", "8"), ("jpeg", ".jpg", "auto"),
                                ("tiff", ".tif", "16"), ("tiff", ".tif", "8"), ("webp", ".webp", "auto")):  # fmt: skip
        found[kind].append(_written(Path(f"made{suffix}"), pixels, told, depth))
    found["tiff"].append(_floating(pixels))
    found["weights"] = [_weights(Path("made.safetensors"), half) for half in (False, True)]
    found["checkpoint"] = [_checkpoint(Path("made.nst"), record, optimizer) for optimizer in ("lbfgs", "adam")]
    found["recipe"] = [json.dumps(record.to_dict()).encode()]
    found["report"] = [json.dumps(_report()).encode()]
    return found


def _record() -> Record:
    read = [input_files.read(role, f"{role}.png") for role in ("content", "style")]
    return Record(BASE, tuple(read), {"compact": "0" * 64}, {"nst": "0.1.0"}, WriteOptions())


def _saved(pixels: Any, mode: str, kind: str, how: Mapping[str, Any]) -> bytes:
    samples = (pixels * 255).astype(np.uint8)
    deep = mode == "I;16"
    image = Image.fromarray(samples[..., 0].astype(np.uint16) * 257) if deep else Image.fromarray(samples).convert(mode)
    exif = Image.Exif()
    exif[274], exif[271] = 6, "Camera"
    file = BytesIO()
    image.save(file, kind, exif=exif, **how)
    return file.getvalue()


def _written(path: Path, pixels: Any, told: Mapping[str, str], depth: str) -> bytes:
    like = Picture(pixels, None, 8, str(path))
    images.write(path, pixels, alpha=pixels[..., 0], text=told, like=like, options=WriteOptions(bit_depth=depth))
    return _taken(path)


def _floating(pixels: Any) -> bytes:
    import tifffile

    file = BytesIO()
    tifffile.imwrite(file, pixels, photometric="rgb")
    return file.getvalue()


def _weights(path: Path, half: bool) -> bytes:
    dice, kernels, inputs = np.random.default_rng(1), {}, 3
    for name in convolutions("vgg19")[:4]:
        kernels[name] = dice.random((4, inputs, 3, 3), np.float32)
        inputs = 4
    biases = {name: np.zeros(4, np.float32) for name in kernels}
    made = network.Network("vgg19", PREPROCESSINGS["torchvision"], kernels, biases, "a test", "CC0-1.0")
    return _taken(network.write(path, made, dtype="float16" if half else "float32"))


def _checkpoint(path: Path, record: Record, optimizer: str) -> bytes:
    image = np.random.default_rng(2).random((36, 48, 3), np.float32)
    rows = [{"step": i, "size": 32 if i < 3 else 48, "loss": 1.0, "terms": {"gram relu1_1": 1.0}, "seconds": 0.1}
            for i in range(1, 5)]  # fmt: skip
    state = {"first": image, "second": image, "count": 3} if optimizer == "adam" else {}
    made = Snapshot(image=image, best=image, mean=None, state=state, history=rows, **RUN)
    told = {**record.to_dict(), "recipe": BASE.override(optimizer=optimizer).to_dict()}
    about = {"record": told, "folder": ".", "output": "out.png"}
    checkpoint.write(path, about, made)
    return _taken(path)


def _report() -> dict[str, Any]:
    rows = [{"step": i, "size": 16, "loss": 1 / i, "terms": {"gram relu1_1": 1 / i}} for i in range(1, 5)]
    facts = {"backend": "torch-vgg19", "device": "cpu", "versions": {"nst": "0.1.0"}, "peak_memory": 10**8}
    plan = {"sizes": [16], "steps": [4], "seconds": 1.5, "stopped": "finished"}
    return {**facts, **plan, "recipe": BASE.to_dict(), "history": rows, "notes": ["<b>"]}


def _taken(path: Path) -> bytes:
    content = path.read_bytes()
    path.unlink()
    return content


def spoiled(kind: str, content: bytes, others: list[bytes], dice: Random) -> bytes:
    """Return a damaged file of this kind; often its checksums are right, and what is behind them read.

    `others` are of the same kind, to be mixed in.
    """
    if kind == "recipe":
        return _told(_rewritten(content, dice))
    if kind == "report":
        return _rewritten(content, dice) if dice.random() < 0.9 else _scratched(content, others, dice)
    if kind in ("weights", "checkpoint") and dice.random() < 0.6:
        return _relabeled(kind, content, dice)
    found = _scratched(content, others, dice)
    return _resealed(found) if kind == "png" and dice.random() < 0.8 else found


NUMBERS = (0, 1, 2, 3, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def _scratched(content: bytes, others: list[bytes], dice: Random) -> bytes:
    """One to six bits, bytes, numbers or blocks changed; nearer the beginning as often as anywhere."""
    data = bytearray(content)
    for _ in range(dice.choice((1, 1, 1, 2, 3, 6))):
        at = dice.randrange(len(data) if dice.random() < 0.5 else min(len(data), 200)) if data else 0
        size = dice.choice((1, 2, 4, 16, 100))
        match dice.randrange(8):
            case 0 | 1:
                data[at : at + 1] = bytes(each ^ 1 << dice.randrange(8) for each in data[at : at + 1])
            case 2:
                data[at : at + 1] = bytes([dice.choice((0, 1, 0x7F, 0x80, 0xFF))])
            case 3:
                data[at : at + 4] = struct.pack(dice.choice("<>") + "I", dice.choice(NUMBERS))
            case 4:
                del data[at : at + size]
            case 5:
                data[at:at] = dice.randbytes(size) if dice.random() < 0.5 else data[at : at + size]
            case 6:
                other = dice.choice(others)
                start = dice.randrange(len(other))
                data[at : at + size] = other[start : start + size]
            case 7:
                del data[len(data) - dice.randrange(len(data) + 1) if dice.random() < 0.3 else at :]
    return bytes(data)


def _resealed(content: bytes) -> bytes:
    """Return a PNG with corrected checksums, as far as its chunks can be parsed."""
    found, at = content[:8], 8
    while at + 12 <= len(content):
        (length,) = struct.unpack(">I", content[at : at + 4])
        chunk = content[at + 4 : at + 8 + length]
        if at + 12 + length > len(content):
            break
        found += content[at : at + 4] + chunk + struct.pack(">I", zlib.crc32(chunk))
        at += 12 + length
    return found + content[at:]


ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2, 3, 2**31, 2**63, 10**400, 0.5, -0.0, 1e-320, 1e308, float("nan"), float("inf")),
    *("", " ", "\0", "\x1b[2J\x1b]0;x\x07", "\ud800", "\u202e", "x" * 70_000, "a/b", "../../../x.png", "~", ".", "/"),
    *("/dev/zero", "/dev/stdin", "/proc/self/mem", "/proc/self/environ", "/etc/passwd", "content.png", "nst:content"),
    *("http://127.0.0.1:9/x", "file:///etc/passwd", "<script>", "[bold]", "{0}", "%s", "relu4_2", "image", "auto", "8"),
    *([], {}, [[]], [None], [0], [1, 2], [16, 24], {"": 0}, {"relu1_1": -1}, ["content.png"] * 2000, {"a": {"b": []}}),
)


def _rewritten(content: bytes, dice: Random) -> bytes:
    """JSON with one to three of its values replaced, left out or put elsewhere."""
    data = json.loads(content)
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        places = [*_places(data)]
        holder, key = dice.choice(places)
        match dice.randrange(6):
            case 0:
                del holder[key]
            case 1:
                other, name = dice.choice(places)
                holder[key] = json.loads(json.dumps(other.get(name) if isinstance(other, dict) else other[name:]))
            case 2 if isinstance(holder, dict):
                holder[dice.choice([each for each in ODD if isinstance(each, str)])] = deepcopy(dice.choice(ODD))
            case _:
                holder[key] = deepcopy(dice.choice(ODD))
        if not data:
            break
    return json.dumps(data).encode()


def _places(data: Any) -> list[tuple[Any, Any]]:
    """Every container in the data with each of its keys."""
    pairs = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [place for key, each in pairs for place in [(data, key), *_places(each)]]


def _told(text: bytes) -> bytes:
    """Return a PNG with this provenance record."""
    file = BytesIO()
    info = images.metadata.chunks({"nst": text.decode()})
    Image.new("RGB", (4, 4)).save(file, "PNG", pnginfo=info)
    return file.getvalue()


def _relabeled(kind: str, content: bytes, dice: Random) -> bytes:
    """Return a safetensors file with another header; correct a checkpoint's checksum and JSON."""
    end = 8 + struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8:end])
    if kind == "checkpoint" and dice.random() < 0.6:
        return _rerun(content, header["__metadata__"]["run"], dice)
    text = _rewritten(json.dumps(header).encode(), dice)
    return struct.pack("<Q", len(text)) + text + content[end:]


def _rerun(content: bytes, run: str, dice: Random) -> bytes:
    arrays = safetensors.numpy.load(content)
    arrays = {name: arrays[name] for name in sorted(arrays, key=checkpoint._order(arrays))}
    text = _rewritten(run.encode(), dice).decode()
    seal = str(checkpoint._checksum(text, arrays))
    return safetensors.numpy.save(arrays, {"format": checkpoint.FORMAT, "run": text, "crc32": seal})
