"""Import a plugin in a separate process, which may load frameworks or crash, and report the findings.

As a program, this module reads a request from stdin and writes findings to stdout, both as JSON.
"""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from nst.plugins.discovery import EntryPoint
from nst.plugins.host import Plugins
from nst.plugins.loading import FRAMEWORKS
from nst.specs import BackendSpec, LossSpec, OptimizerSpec, Spec, resolve

PATIENCE = 300.0
"""Seconds the process may take; TensorFlow alone takes ten to import on a slow machine."""

OURS = frozenset({"nst", "pluggy"})
"""What an entry module may import beside the standard library and itself."""

BELOW = OURS | {"numpy", "PIL", "rich", "safetensors", "typer"}
"""What nst brings along, and a weight source may import."""

CALLS: dict[str, tuple[int, tuple[str, ...]]] = {
    "feature": (1, ("device", "pooling", "precision")),
    "image": (1, ("device",)),
    "optimizer": (2, ("state", "step_scale")),
    "initializer": (3, ()),
    "loss": (0, ()),
    "executor": (1, ("tell",)),
}
"""How a factory is called, or for an optimizer and an initializer what it makes: so many arguments, and these names."""

PROTOCOLS = {
    "feature": "FeatureBackend",
    "image": "ImageBackend",
    "pointwise": "PointwiseLoss",
    "matched": "MatchedLoss",
    "statistic": "StatisticLoss",
    "whole": "StatisticLoss",
}
"""What a factory makes, by the kind of its backend or the shape of its loss."""


@dataclass
class Probed:
    """The findings of importing the parts of a plugin.

    `milliseconds` is the import time of the entry modules and hooks, `foreign` are the packages they import beside nst.
    `sources` and `factories` are error messages about weight sources and factories, `doubts` are warnings.
    """

    milliseconds: float = 0.0
    foreign: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    factories: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)


def probe_plugin(entries: Sequence[EntryPoint]) -> Probed:
    """Import the plugin's entry modules, ask its hooks, then import its weight sources, then its factories."""
    request = {"path": sys.path, "entries": [asdict(entry) for entry in entries]}
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", __name__],
            input=json.dumps(request),
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
    except subprocess.TimeoutExpired as error:
        return _read(error.stdout, f"importing its factories took more than {PATIENCE:g} seconds")
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["without a word"])[-1]
        return _read(done.stdout, f"the process that imports its factories ended with {done.returncode}: {last}")
    return _read(done.stdout)


def _read(answers: str | bytes | None, *troubles: str) -> Probed:
    """Return the last answer of the process, and the reason if it did not end normally."""
    probed = Probed(**json.loads(line)) if (line := (answers or "{}").splitlines()[-1]) else Probed()
    probed.factories += troubles
    return probed


def main() -> None:
    """Answer the request on stdin; each line has more findings than the last. Output of plugins goes to stderr."""
    answer = os.dup(1)
    os.dup2(2, 1)
    request = json.load(sys.stdin)
    sys.path[:] = request["path"]
    with os.fdopen(answer, "w") as stream:
        for probed in _probed([EntryPoint(**entry) for entry in request["entries"]]):
            print(json.dumps(asdict(probed)), file=stream, flush=True)


def _probed(entries: Sequence[EntryPoint]) -> Iterator[Probed]:
    """Yield the findings before the factories are imported, which may end the process, and all findings at the end."""
    before, began = set(sys.modules), time.perf_counter()
    plugins = Plugins(entries)
    milliseconds = round(1000 * (time.perf_counter() - began), 1)
    own = {entry.module.partition(".")[0] for entry in entries}
    foreign = _packages(set(sys.modules) - before) - sys.stdlib_module_names - OURS - own
    probed = Probed(milliseconds, sorted(foreign))
    specs = [(kind, spec) for plugin in plugins.installed for kind, offered in plugin.specs.items() for spec in offered]
    for _, spec in specs:
        probed.sources += _source_troubles(spec) if isinstance(spec, BackendSpec) else ()
        probed.factories += _state_bytes_troubles(spec) if isinstance(spec, OptimizerSpec) and spec.state_bytes else ()
    yield probed
    for kind, spec in specs:
        wrong, doubtful = _judge(kind, spec)
        probed.factories += wrong
        probed.doubts += doubtful
    yield probed


def _packages(modules: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules}


def _source_troubles(spec: BackendSpec) -> Iterator[str]:
    """Yield the errors of the weight sources of a backend; no framework may be loaded yet."""
    for weights in spec.weights:
        called = f"backend {spec.name}: the source of weights '{weights.name}' ({weights.source})"
        try:
            source = resolve(weights.source)
        except (Exception, SystemExit) as error:
            yield f"{called} cannot be imported: {type(error).__name__}: {error}"
            continue
        methods = ("path", "fetch", "verify", "load")
        lacking = [f"{called} has no {method}()" for method in methods if not callable(getattr(source, method, None))]
        yield from lacking or _path_troubles(called, source)
        yield from _heavy(called, {module.partition(".")[0] for module in spec.requires} - BELOW)


def _path_troubles(called: str, source: Any) -> Iterator[str]:
    try:
        os.fspath(source.path())
    except (Exception, SystemExit) as error:
        yield f"{called} cannot tell its path: {type(error).__name__}: {error}"


def _state_bytes_troubles(spec: OptimizerSpec) -> Iterator[str]:
    """Yield the errors of the function that gives the bytes of a state; no framework may be loaded yet."""
    called = f"optimizer {spec.name}: state_bytes ({spec.state_bytes})"
    try:
        size = resolve(spec.state_bytes)(2**20, 10, **_defaults(spec))
    except (Exception, SystemExit) as error:
        yield f"{called} cannot be asked: {type(error).__name__}: {error}"
        return
    if not isinstance(size, int) or size < 0:
        yield f"{called} tells {size!r}, which is no number of bytes"
    yield from _heavy(called, set(FRAMEWORKS) - {"numpy", "scipy"})


def _heavy(called: str, heavy: set[str]) -> Iterator[str]:
    if loaded := sorted(heavy & set(sys.modules)):
        yield f"{called} imports {', '.join(loaded)}"


def _defaults(spec: Spec) -> dict[str, Any]:
    return {option.name: option.default for option in spec.options}


def _judge(kind: str, spec: Spec) -> tuple[list[str], list[str]]:
    """Yield the errors and warnings of a factory and of the other references of a spec."""
    others = [spec.files, spec.compressor] if isinstance(spec, BackendSpec) else []
    troubles = {reference: _unusable(reference) for reference in [spec.factory, *filter(None, others)]}
    wrong = [f"{kind} {spec.name}: {reference} {trouble}" for reference, trouble in troubles.items() if trouble]
    if troubles[spec.factory]:
        return wrong, []
    misfits, doubts = _fit(kind, spec, spec.load())
    called = f"{kind} {spec.name}: {spec.factory}"
    return [*wrong, *(f"{called} {misfit}" for misfit in misfits)], [f"{called} {doubt}" for doubt in doubts]


def _unusable(reference: str) -> str:
    try:
        factory = resolve(reference)
    except (Exception, SystemExit) as error:
        return f"cannot be imported: {type(error).__name__}: {error}"
    return "" if callable(factory) else "cannot be called"


def _fit(kind: str, spec: Spec, factory: Any) -> tuple[list[str], list[str]]:
    """Return the differences between a factory's signature and product and its spec, and its undeclared parameters."""
    positional, names = CALLS[spec.kind if isinstance(spec, BackendSpec) else kind]
    if isinstance(spec, BackendSpec) and spec.padding:
        names += ("padding",)
    options = _defaults(spec)
    if taken := sorted(options.keys() & set(names)):
        return [f"cannot have an option '{taken[0]}': nst itself gives it something of that name"], []
    wrong = _lacking(factory, spec)
    try:
        signature = inspect.signature(factory)
        signature.bind(*[None] * positional, **dict.fromkeys(names), **options)
    except ValueError:  # no signature: written in C
        return wrong, []
    except TypeError as error:
        return [*wrong, f"does not take what it is called with: {error}"], []
    wrong += [
        f"has {parameter.name}={parameter.default!r}, its spec {options[parameter.name]!r}"
        for parameter in signature.parameters.values()
        if parameter.default not in (parameter.empty, options.get(parameter.name, parameter.default))
    ]
    return wrong, list(_doubts(signature, {*names, "precision"}, options))


def _lacking(factory: Any, spec: Spec) -> list[str]:
    """Return the methods of the protocol that a class lacks; nothing for a function."""
    from nst import protocols

    kind = spec.kind if isinstance(spec, BackendSpec) else spec.shape if isinstance(spec, LossSpec) else ""
    if not kind or not isinstance(factory, type) or hasattr(factory, "__getattr__"):
        return []
    promised = [name for name in vars(getattr(protocols, PROTOCOLS[kind])) if not name.startswith("_")]
    lacking = [f"{name}()" for name in promised if not callable(getattr(factory, name, None))]
    return [f"is no {PROTOCOLS[kind]}: it has no {', '.join(lacking)}"] if lacking else []


def _doubts(signature: inspect.Signature, names: set[str], options: dict[str, Any]) -> Iterator[str]:
    for parameter in signature.parameters.values():
        name, default = parameter.name, parameter.default
        if default is parameter.empty or name in names:
            continue
        if name not in options:
            yield f"takes '{name}', which is no option of its spec"


if __name__ == "__main__":
    main()
