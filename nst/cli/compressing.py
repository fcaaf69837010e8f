"""The work of `nst weights compress`: check the call, compress, show how it goes and write the network."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import typer

from nst.cli.compress import CompressCommand
from nst.cli.host import host
from nst.cli.outputs import check_writable
from nst.cli.progress import say
from nst.errors import Findings, NstError, UserError, raise_all
from nst.io.download import megabytes
from nst.specs import BackendSpec, resolve
from nst.vgg import network
from nst.vgg.network import Network
from nst.weights.compression import (
    CompressionProgress,
    CompressionTask,
    Compressor,
    mistakes,
    picture_files,
    read_steps,
    read_widths,
)


def compress(call: CompressCommand) -> int:
    """Check everything, compress the network and write it. Raises every mistake of the call together."""
    findings = Findings()
    findings.add(*_file_errors(call.output, call.report, call.save_every))
    folders = findings.attempt(lambda: picture_files(call.photos))
    spec = findings.attempt(lambda: _compressing_backend(call.backend))
    full = findings.attempt(lambda: _load(spec, call.teacher)) if spec else None
    slim = findings.attempt(lambda: _load(spec, str(call.start))) if spec and call.start else None
    steps = findings.attempt(lambda: read_steps(call.steps)) or (0, 0)
    channels = findings.attempt(lambda: read_widths(call.widths, full)) if full else None
    task: Any = (
        CompressionTask(full, channels or (), folders or {}, call.seed, steps, call.crop, slim) if full else None
    )
    findings.add(*(mistakes(task) if task else ()))
    raise_all(findings.errors)
    _run(resolve(spec.compressor), task, call.output, call.report, call.save_every)
    return 0


def _file_errors(output: Path, report: Path | None, save_every: int) -> Iterator[UserError | None]:
    """Return the errors of the files to write."""
    yield check_writable(output)
    if report is not None:
        yield check_writable(report)
        if report.absolute() == output.absolute():
            yield UserError(f"--report '{report}' is the network's own file", "give it another name")
    if save_every < 0:
        yield UserError(f"--save-every must be 0 or more, not {save_every}", "0 writes only the result")


def _run(compressor: Compressor, task: CompressionTask, output: Path, report: Path | None, save_every: int) -> None:
    """Compress, show the stages, and write the network and the report."""
    try:
        compression = compressor(task, _CompressionWatcher(output, save_every))
    except KeyboardInterrupt:
        raise KeyboardInterrupt("no network was written") from None
    network.write(output, compression.network, dtype="float16")
    say(f"Saved {output} ({megabytes(output.stat().st_size)}): {compression.network.source}")
    if report is not None:
        _write_report(report, compression.report)
    typer.echo(output)
    if compression.interrupted:
        raise KeyboardInterrupt(f"the network so far is in {output}")


def _load(spec: BackendSpec, name: str) -> Network:
    """Read a weight set of the backend, or a file of its architecture."""
    from nst.weights import selection

    choice = selection.choose_weights(spec, name)
    raise_all(selection.check(spec, choice, ()))
    network: Network = choice.source.load()
    return network


def _compressing_backend(backend: str) -> BackendSpec:
    """Return the backend's spec, which must have a compressor and its modules."""
    from nst.plugins.options import missing_modules

    plugins = host()
    spec: BackendSpec = plugins.find("backend", backend)
    if not spec.compressor:
        able = [backend_spec.name for _, backend_spec in plugins.offered("backend") if backend_spec.compressor]
        raise UserError(f"'{backend}' cannot compress networks", f"these can: {', '.join(able) or 'none'}")
    if (error := missing_modules(spec)) is not None:
        raise error
    return spec


class _CompressionWatcher:
    """Prints each twentieth of a stage, and saves the network at intervals."""

    def __init__(self, output: Path, save_every: int) -> None:
        self._output, self._save_every = output, save_every

    def __call__(self, progress: CompressionProgress) -> None:
        part = max(1, progress.total // 20)
        if progress.done % part == 0 or progress.done == progress.total:
            say(f"{progress.stage}: {progress.done} of {progress.total}  {progress.detail}".rstrip())
        if self._save_every and progress.network is not None and progress.done % self._save_every == 0:
            network.write(self._output, progress.network(), dtype="float16")


def _write_report(path: Path, facts: Mapping[str, Any]) -> None:
    text = json.dumps(facts, indent=2, ensure_ascii=False) if path.suffix == ".json" else _markdown(facts)
    try:
        path.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise NstError(
            f"cannot write '{path}': {error.strerror}", "the network is written; choose another place for the report"
        ) from error


def _markdown(facts: Mapping[str, Any]) -> str:
    """Format the facts as lines and the layers as a table."""
    lines = [f"- {name}: {value}" for name, value in facts.items() if name != "layers"]
    columns = list(facts["layers"][0]) if facts["layers"] else ["layers were not measured"]
    rows = [columns, ["---"] * len(columns), *([_cell(row[name]) for name in columns] for row in facts["layers"])]
    return "\n".join([f"# {facts['source']}", "", *lines, "", *(f"| {' | '.join(row)} |" for row in rows)])


def _cell(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)
