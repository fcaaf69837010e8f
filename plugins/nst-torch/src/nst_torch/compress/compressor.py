"""`nst weights compress` on PyTorch: photographs and a full VGG in, a slim VGG and a report out.

Three stages: the photographs are read; the closed form gives every convolution in turn; training mends what adds up.
The teacher runs in bfloat16 where the processor computes in it: its error there is a hundredth of the student's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import torch

from nst import __version__
from nst.vgg import TORCHVISION, Network
from nst.weights.compression import Compressed, CompressionProgress, CompressionTask
from nst_torch.compress import closed_form
from nst_torch.compress.calibration import Calibration
from nst_torch.compress.closed_form import Fit
from nst_torch.compress.finetune import DEEP, WHOLE, Step, Supply, finetune
from nst_torch.compress.measurement import measure
from nst_torch.compress.photos import Photos, gather
from nst_torch.compress.pool import Pool
from nst_torch.compress.stack import Stack, fixed
from nst_torch.compress.start import identify

PICTURES = 384  # of the closed form: block 5 has few positions in each
IDENTIFIED = 96  # of these, to tell the channels of a start
WORKS = 12  # pictures being optimized at a time

Tell = Callable[[CompressionProgress], None]


def compress(task: CompressionTask, on_progress: Tell) -> Compressed:
    """Compress a network; a `nst.weights.compression.Compressor`."""
    return _Compression(task, on_progress).run()


@dataclass
class _Compression:
    """One task on its way; `seconds` by stage."""

    task: CompressionTask
    tell: Tell
    seconds: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.task.seed)
        self.teacher = fixed(self.task.teacher, _cheap_type())

    def run(self) -> Compressed:
        photos = self._timed("reading pictures", self._gather)
        calibration = Calibration(photos.folders, self.task.crop, self.rng)
        fits = self._timed("closed form", lambda: self._fit(calibration))
        start = closed_form.student(fits)
        student, taken = self._timed("training", lambda: self._train(start, fits, calibration))
        network = self._network(student, taken)
        students = {"closed form": start, "trained": fixed(_rounded(network))}
        layers = self._measured(students, fits, photos)
        interrupted = taken < sum(self.task.steps) or not layers
        return Compressed(network, self._report(network, photos, taken, layers), interrupted)

    def _timed(self, stage: str, action: Callable[[], Any]) -> Any:
        began = time.perf_counter()
        result = action()
        self.seconds[stage] = round(time.perf_counter() - began, 1)
        return result

    def _gather(self) -> Photos:
        tell = lambda done, total: self.tell(CompressionProgress("reading pictures", done, total))  # noqa: E731
        return gather(self.task.folders, self.task.crop, tell)

    @torch.no_grad()
    def _fit(self, calibration: Calibration) -> list[Fit]:
        pictures, places = calibration.draw(PICTURES), torch.Generator().manual_seed(self.task.seed)
        fits: list[Fit] = []
        start = self.task.start
        known = identify(self.teacher, fixed(start), pictures[:IDENTIFIED]) if start else {}
        for fit in closed_form.fit(self.teacher, pictures, self.task.widths, places, known):
            fits.append(fit)
            detail = f"{fit.name}: {len(fit.channels)} channels explain {fit.explained:.3f}"
            self.tell(CompressionProgress("closed form", len(fits), len(self.task.widths), detail))
        return fits

    def _train(self, start: Stack, fits: Sequence[Fit], calibration: Calibration) -> tuple[Stack, int]:
        """Return the trained network and the steps taken, fewer than planned after Ctrl-C."""
        student, taken = start, 0
        pool = Pool(calibration, WORKS if any(self.task.steps) else 0, self.rng)
        supply = Supply(self.teacher, fits, calibration, pool, self.rng)
        last: Step | None = None
        try:
            for phase, steps in zip((WHOLE, DEEP), self.task.steps, strict=True):
                supply.enter(phase)
                for last in finetune(student, fits, supply, steps):
                    self._tell_step(last, taken)
                student, taken, last = (last.student(), taken + last.number, None) if last else (student, taken, None)
        except KeyboardInterrupt:
            self.tell(CompressionProgress("training", 0, 0, "interrupted"))
        return (last.student(), taken + last.number) if last else (student, taken)

    def _measured(self, students: dict[str, Stack], fits: Sequence[Fit], photos: Photos) -> Sequence[Mapping[str, Any]]:
        """How good each layer is; nothing after Ctrl-C, which must not cost what has been trained for hours."""
        try:
            return measure(self.teacher, students, fits, photos.held_out, self.task.crop)  # type: ignore[no-any-return]
        except KeyboardInterrupt:
            self.tell(CompressionProgress("measuring", 0, 0, "interrupted"))
            return ()

    def _tell_step(self, step: Step, before: int) -> None:
        taken = before + step.number
        write_network = partial(self._made, step, taken)
        self.tell(
            CompressionProgress(
                "training", taken, sum(self.task.steps), f"loss {sum(step.terms.values()):.3f}", write_network
            )
        )

    def _made(self, step: Step, taken: int) -> Network:
        return self._network(step.student(), taken)

    def _network(self, student: Stack, steps: int) -> Network:
        """Return the student as a network with torchvision's preprocessing."""
        convs = {name: [tensor.detach().numpy().copy() for tensor in conv] for name, conv in student.convs.items()}
        kernels = {name: conv[0] for name, conv in convs.items()}
        kernels["conv1_1"] = kernels["conv1_1"] * np.array(TORCHVISION.std, np.float32)[:, None, None]
        teacher, widths = self.task.teacher, ",".join(map(str, self.task.widths))
        how = f"nst {__version__} weights compress, widths {widths}, seed {self.task.seed}, {steps} steps"
        how += f", from {self.task.start.sha256[:8]}" if self.task.start else ""
        source = f"compressed from {_title(teacher)} (Simonyan & Zisserman) by {how}; teacher: {teacher.source}"
        biases = {name: conv[1] for name, conv in convs.items()}
        return Network(teacher.architecture, TORCHVISION, kernels, biases, source, teacher.license)

    def _report(
        self, network: Network, photos: Photos, steps: int, layers: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        values = sum(array.size for part in (network.kernels, network.biases) for array in part.values())
        return {
            "source": network.source,
            "license": network.license,
            "teacher": self.task.teacher.sha256,
            "seed": self.task.seed,
            "steps": steps,
            "crop": self.task.crop,
            "pictures": photos.counts(),
            "parameters": values,
            "bytes": 2 * values,
            "seconds": self.seconds,
            "layers": layers,
        }


def _title(network: Network) -> str:
    return network.architecture.upper().replace("VGG", "VGG-")


def _rounded(network: Network) -> Network:
    """Return the network as its file will contain it."""
    halves = [
        {name: value.astype(np.float16).astype(np.float32) for name, value in part.items()}
        for part in (network.kernels, network.biases)
    ]
    return replace(network, kernels=halves[0], biases=halves[1])


def _cheap_type() -> torch.dtype:
    supported = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    return torch.bfloat16 if supported() else torch.float32
