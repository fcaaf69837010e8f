"""Announced against real peak memory of whole `nst stylize` commands, in cases of all kinds.

    python benchmarks/estimates.py [NAME …] [--weights FOLDER]

Each case is a command of its own. The real peak is the system's `ru_maxrss`; the announced one is in the report of the
run. The peak of memory does not depend on how busy the machine is. `--weights` is a folder with
`vgg19-imagenet.safetensors`; cases with the full VGG-19 are left out without it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from table import publish

SHORT = "--steps 6"
OUTPUT = ("-o", "out.png", "--report", "report.json", "--device", "cpu", "-q")
IMAGES = {
    # name: (width, height, how); "wide" has 16 bits, "cut" has transparency
    "photo.jpg": (1600, 1200, "RGB"),
    "style.jpg": (1200, 1500, "RGB"),
    "mask.png": (1600, 1200, "mask"),
    "12mp.jpg": (4000, 3000, "RGB"),
    "24mp-16-bit.png": (6000, 4000, "wide"),
    "24mp-cut.png": (6000, 4000, "cut"),
    "48mp-style.jpg": (8000, 6000, "RGB"),
    "108mp.jpg": (12000, 9000, "RGB"),
    "400mp.png": (20000, 20000, "RGB"),
}
CASES = {
    "128 px": f"photo.jpg style.jpg --size 128 {SHORT}",
    "256 px": f"photo.jpg style.jpg --size 256 {SHORT}",
    "512 px, all sizes": "photo.jpg style.jpg",
    "512 px, float32": f"photo.jpg style.jpg --sizes 512 {SHORT} --precision float32",
    "1024 px": "photo.jpg style.jpg --sizes 512,1024 --steps 4,20",
    "1024 px, tiles": f"photo.jpg style.jpg --sizes 1024 {SHORT} --tile 256",
    "adam": f"photo.jpg style.jpg --sizes 768 {SHORT} --optimizer adam",
    "laplacian-rmsprop": f"photo.jpg style.jpg --sizes 768 {SHORT} --optimizer laplacian-rmsprop",
    "scipy-lbfgs": f"photo.jpg style.jpg --sizes 512 {SHORT} --optimizer scipy-lbfgs",
    "wasserstein": f"photo.jpg style.jpg --sizes 512 {SHORT} --style-loss wasserstein",
    "histogram beside gram": f"photo.jpg style.jpg --sizes 512 {SHORT} --loss histogram=50@relu4_1,relu1_1",
    "mask": f"photo.jpg style.jpg --mask mask.png:48mp-style.jpg --sizes 512 {SHORT}",
    "protect": f"photo.jpg style.jpg --protect mask.png --sizes 512 {SHORT}",
    "four styles": f"photo.jpg style.jpg 12mp.jpg photo.jpg 48mp-style.jpg --sizes 512 {SHORT}",
    "content's colors": f"12mp.jpg style.jpg --sizes 512 {SHORT} --color content",
    "checkpoints": "photo.jpg style.jpg --sizes 768 --steps 20 --checkpoint run.ckpt --checkpoint-every 0",
    "timelapse": f"photo.jpg style.jpg --sizes 768 {SHORT} --timelapse film.webp",
    "12 MP": f"12mp.jpg style.jpg --sizes 256 {SHORT}",
    "24 MP, 16 bits": f"24mp-16-bit.png style.jpg --sizes 512 {SHORT}",
    "24 MP, cut out": f"24mp-cut.png style.jpg --sizes 512 {SHORT}",
    "108 MP": f"108mp.jpg style.jpg --sizes 512 {SHORT} --max-pixels 500000000",
    "400 MP": f"400mp.png style.jpg --sizes 256 {SHORT} --max-pixels 500000000",
    "full VGG-19, 256 px": f"photo.jpg style.jpg --sizes 256 {SHORT} --weights FULL",
    "full VGG-19, 512 px": f"photo.jpg style.jpg --sizes 512 {SHORT} --weights FULL",
    "compact, then full": "photo.jpg style.jpg --sizes 256,512 --steps 6,6 --weights compact,FULL",
    "keras, 256 px": f"photo.jpg style.jpg --sizes 256 {SHORT} --backend keras-vgg19",
    "keras, 512 px, all sizes": "photo.jpg style.jpg --backend keras-vgg19",
    "keras, full, 512 px": f"photo.jpg style.jpg --sizes 512 {SHORT} --backend keras-vgg19 --weights FULL",
    "keras, 768 px, tiles": f"photo.jpg style.jpg --sizes 768 {SHORT} --backend keras-vgg19 --tile 256",
}


def paint(path: Path, width: int, height: int, how: str) -> None:
    """Write a picture of waves, in a process of its own: this one must stay small, or it would count as the run's."""
    code = f"""
import numpy as np
from PIL import Image
width, height, how = {width}, {height}, {how!r}
rows, columns = np.mgrid[:min(height, 1500), :min(width, 2000)].astype(np.float32)
waves = [127 + 127 * np.sin(rows / (17 + 5 * i) + columns / (31 - 4 * i)) for i in range(3)]
tile = np.stack(waves, axis=-1).astype(np.uint8)
times = -(-height // tile.shape[0]), -(-width // tile.shape[1]), 1
pixels = np.tile(tile, times)[:height, :width]
if how == "wide":
    from nst import images
    images.write({str(path)!r}, pixels / np.float32(255), options=images.WriteOptions(bit_depth="16"))
elif how == "mask":
    left = np.arange(width) < width // 2
    Image.fromarray(np.where(left, 255, 0 * pixels[..., 0]).astype(np.uint8)).save({str(path)!r})
else:
    if how == "cut":
        pixels = np.dstack([pixels, np.where(pixels[..., 0] > 60, 255, 0).astype(np.uint8)])
    Image.fromarray(pixels).save({str(path)!r})
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def measured(name: str, folder: Path, weights: Path | None) -> dict[str, Any]:
    """Run a case and return its announced and its real peak memory in bytes."""
    words = [str(weights) if word == "FULL" else word.replace("FULL", str(weights)) for word in CASES[name].split()]
    for word in words:
        for image in word.rpartition(":")[::2]:
            if image in IMAGES and not (folder / image).exists():
                paint(folder / image, *IMAGES[image])
    command = [sys.executable, "-m", "nst", "stylize", *words, *OUTPUT]
    process = subprocess.Popen(command, cwd=folder)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{name}: exit code {process.returncode}")
    facts = json.loads((folder / "report.json").read_text())
    return {"case": name, "announced": facts["estimate"]["memory"], "peak": usage.ru_maxrss * 1024}


def row(figure: dict[str, Any]) -> dict[str, str]:
    ratio = figure["announced"] / figure["peak"]
    announced, peak = (f"{figure[name] / 1e9:.2f}" for name in ("announced", "peak"))
    return {"case": figure["case"], "announced, GB": announced, "real, GB": peak, "ratio": f"{ratio:.2f}"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help=f"cases: {', '.join(CASES)}")
    parser.add_argument("--weights", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    arguments = parser.parse_args()
    full = arguments.weights / "vgg19-imagenet.safetensors"
    names = [name for name in arguments.names or CASES if full.is_file() or "FULL" not in CASES[name]]
    figures = []
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            figures.append(measured(name, Path(folder), full))
            print(row(figures[-1]), flush=True)
    publish("estimates", [row(figure) for figure in figures], figures)


if __name__ == "__main__":
    main()
