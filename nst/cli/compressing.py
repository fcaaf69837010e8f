"""What `nst weights compress` does: the call made into a task, and how the making is shown and ends."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from nst.cli.host import host
from nst.cli.outputs import check_writable
from nst.cli.progress import say
from nst.errors import Findings, NstError, UserError, raise_all
from nst.io.download import megabytes
from nst.specs import BackendSpec, resolve
from nst.vgg.network import Network, write
from nst.weights.compression import (
    CompressionProgress,
    CompressionTask,
    Compressor,
    mistakes,
    picture_files,
    read_steps,
    read_widths,
)


def compress(
    output: Path,
    photos: Sequence[Path],
    teacher: str,
    widths: str,
    steps: str,
    seed: int,
    crop: int,
    start: Path | None,
    save_every: int,
    report: Path | None,
    backend: str,
) -> None:
    """Check everything, make the network, and write it. Raises every mistake of the call together."""
    found = Findings()
    found.add(*_misplaced(output, report, save_every))
    folders = found.attempt(lambda: picture_files(photos))
    spec = found.attempt(lambda: _able(backend))
    full = found.attempt(lambda: _loaded(spec, teacher)) if spec else None
    begun = found.attempt(lambda: _loaded(spec, str(start))) if spec and start else None
    times = found.attempt(lambda: read_steps(steps))
    channels = found.attempt(lambda: read_widths(widths, full)) if full else None
    task: Any = (
        CompressionTask(full, channels or (), folders or {}, seed, times or (0, 0), crop, begun) if full else None
    )
    found.add(*(mistakes(task) if task else ()))
    raise_all(found.errors)
    _act(resolve(spec.compressor), task, output, report, save_every)


def _misplaced(output: Path, report: Path | None, save_every: int) -> Iterator[UserError | None]:
    """Return the errors of the files to write."""
    yield check_writable(output)
    if report is not None:
        yield check_writable(report)
        if report.absolute() == output.absolute():
            yield UserError(f"--report '{report}' is the network's own file", "give it another name")
    if save_every < 0:
        yield UserError(f"--save-every must be 0 or more, not {save_every}", "0 writes only the result")


def _act(compressor: Compressor, task: CompressionTask, output: Path, report: Path | None, save_every: int) -> None:
    """Compress, show how it goes, write the network and the report."""
    try:
        done = compressor(task, _Watcher(output, save_every))
    except KeyboardInterrupt:
        raise KeyboardInterrupt("no network was written") from None
    write(output, done.network, dtype="float16")
    say(f"{megabytes(output.stat().st_size)}, {done.network.source}")
    if report is not None:
        _write_report(report, done.report)
    typer.echo(output)
    if done.interrupted:
        raise KeyboardInterrupt(f"{output} has the network so far")


def _loaded(spec: BackendSpec, name: str) -> Network:
    """Return a weight set of the backend, or a file of its architecture."""
    from nst.weights import selection

    choice = selection.choose(spec, name)
    raise_all(selection.check(spec, choice, ()))
    found: Network = choice.source.load()
    return found


def _able(backend: str) -> BackendSpec:
    """Return the backend's spec, which must have a compressor and its modules."""
    from nst.plugins.options import missing_modules

    plugins = host()
    spec: BackendSpec = plugins.find("backend", backend)
    if not spec.compressor:
        able = [each.name for _, each in plugins.offered("backend") if each.compressor]
        raise UserError(f"'{backend}' cannot compress networks", f"these can: {', '.join(able) or 'none'}")
    if (error := missing_modules(spec)) is not None:
        raise error
    return spec


class _Watcher:
    """Says how far each stage is, at most once in a twentieth of it, and keeps the network so far."""

    def __init__(self, output: Path, save_every: int) -> None:
        self._output, self._save_every = output, save_every

    def __call__(self, progress: CompressionProgress) -> None:
        part = max(1, progress.total // 20)
        if progress.done % part == 0 or progress.done == progress.total:
            say(f"{progress.stage}: {progress.done} of {progress.total}  {progress.detail}".rstrip())
        if self._save_every and progress.network is not None and progress.done % self._save_every == 0:
            write(self._output, progress.network(), dtype="float16")


def _write_report(path: Path, facts: Mapping[str, Any]) -> None:
    text = json.dumps(facts, indent=2, ensure_ascii=False) if path.suffix == ".json" else _markdown(facts)
    try:
        path.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise NstError(f"cannot write '{path}': {error.strerror}", "the network itself is written") from error


def _markdown(facts: Mapping[str, Any]) -> str:
    """Print the facts as lines, and the layers as a table."""
    lines = [f"- {name}: {value}" for name, value in facts.items() if name != "layers"]
    columns = list(facts["layers"][0]) if facts["layers"] else ["layers were not measured"]
    rows = [columns, ["---"] * len(columns), *([_shown(row[name]) for name in columns] for row in facts["layers"])]
    return "\n".join([f"# {facts['source']}", "", *lines, "", *(f"| {' | '.join(row)} |" for row in rows)])


def _shown(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)
