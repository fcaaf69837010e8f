"""Imports a plugin in a process of its own and says what came of it: that process may load frameworks, or die.

Run as a program it reads a request from stdin and writes what it found to stdout, each as JSON.
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

from nst.entry_points import EntryPoint
from nst.plugins import Plugins
from nst.specs import BackendSpec, Spec, resolve

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


@dataclass
class Probed:
    """What importing a plugin's parts showed.

    `milliseconds` and `foreign`, the packages that are not ours, are those of its entry modules and hooks. `sources`
    and `factories` are sentences on what is wrong with those, `doubts` on what need not be.
    """

    milliseconds: float = 0.0
    foreign: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    factories: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)


def probe(entries: Sequence[EntryPoint]) -> Probed:
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
    except subprocess.TimeoutExpired:
        return Probed(factories=[f"importing its factories took more than {PATIENCE:g} seconds"])
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["without a word"])[-1]
        return Probed(factories=[f"the process that imports its factories ended with {done.returncode}: {last}"])
    return Probed(**json.loads(done.stdout))


def main() -> None:
    """Answer the request on stdin. What a plugin prints goes to stderr."""
    answer = os.dup(1)
    os.dup2(2, 1)
    request = json.load(sys.stdin)
    sys.path[:] = request["path"]
    found = _probed([EntryPoint(**entry) for entry in request["entries"]])
    with os.fdopen(answer, "w") as stream:
        json.dump(asdict(found), stream)


def _probed(entries: Sequence[EntryPoint]) -> Probed:
    before, began = set(sys.modules), time.perf_counter()
    plugins = Plugins(entries)
    milliseconds = 1000 * (time.perf_counter() - began)
    own = {entry.module.partition(".")[0] for entry in entries}
    foreign = _packages(set(sys.modules) - before) - sys.stdlib_module_names - OURS - own
    specs = [(kind, spec) for plugin in plugins.installed for kind, found in plugin.specs.items() for spec in found]
    backends = [spec for _, spec in specs if isinstance(spec, BackendSpec)]
    sources = [trouble for spec in backends for trouble in _source_troubles(spec)]
    judged = [_judge(kind, spec) for kind, spec in specs]
    factories, doubts = ([text for pair in judged for text in pair[which]] for which in (0, 1))
    return Probed(round(milliseconds, 1), sorted(foreign), sources, factories, doubts)


def _packages(modules: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules}


def _source_troubles(spec: BackendSpec) -> Iterator[str]:
    """What is wrong with the weight sources of a backend; no framework may be loaded yet."""
    for weights in spec.weights:
        called = f"backend {spec.name}: the source of weights '{weights.name}' ({weights.source})"
        try:
            source = resolve(weights.source)
        except (Exception, SystemExit) as error:
            yield f"{called} cannot be imported: {type(error).__name__}: {error}"
            continue
        for method in ("path", "fetch", "verify", "load"):
            if not callable(getattr(source, method, None)):
                yield f"{called} has no {method}()"
        needed = {module.partition(".")[0] for module in spec.requires} - BELOW
        if loaded := sorted(needed & set(sys.modules)):
            yield f"{called} imports {', '.join(loaded)}"


def _judge(kind: str, spec: Spec) -> tuple[list[str], list[str]]:
    """What is wrong with a factory, and what is doubtful."""
    called = f"{kind} {spec.name}: {spec.factory}"
    try:
        factory = spec.load()
    except (Exception, SystemExit) as error:
        return [f"{called} cannot be imported: {type(error).__name__}: {error}"], []
    if not callable(factory):
        return [f"{called} cannot be called"], []
    positional, names = CALLS[spec.kind if isinstance(spec, BackendSpec) else kind]
    if isinstance(spec, BackendSpec) and spec.padding:
        names += ("padding",)
    options = {option.name: option.default for option in spec.options}
    try:
        signature = inspect.signature(factory)
        signature.bind(*[None] * positional, **dict.fromkeys(names), **options)
    except ValueError:  # no signature: written in C
        return [], []
    except TypeError as error:
        return [f"{called} does not take what it is called with: {error}"], []
    differing = [
        f"{called} has {parameter.name}={parameter.default!r}, its spec {options[parameter.name]!r}"
        for parameter in signature.parameters.values()
        if parameter.default not in (parameter.empty, options.get(parameter.name, parameter.default))
    ]
    return differing, [f"{called} {doubt}" for doubt in _doubts(signature, {*names, "precision"}, options)]


def _doubts(signature: inspect.Signature, names: set[str], options: dict[str, Any]) -> Iterator[str]:
    for parameter in signature.parameters.values():
        name, default = parameter.name, parameter.default
        if default is parameter.empty or name in names:
            continue
        if name not in options:
            yield f"takes '{name}', which is no option of its spec"


if __name__ == "__main__":
    main()
