"""Check a plugin without running it: one check per requirement, for `nst plugins check` and `PluginSuite`.

This module imports no NumPy, no pytest and no framework: `nst.testing.probe` imports the parts of the plugin, in a
separate process.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import Distribution, PackageNotFoundError
from importlib.util import find_spec
from typing import Any, Literal

from packaging.requirements import InvalidRequirement, Requirement

from nst.errors import UserError
from nst.geometry import IMAGE
from nst.plugins.discovery import canonical
from nst.plugins.host import OWN, Plugin, Plugins
from nst.plugins.options import read_option
from nst.specs import SHAPES, BackendSpec, LossSpec, Option, Spec
from nst.testing.probe import Probed, probe_plugin
from nst.vgg.layers import parse_selection

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
OPTION = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Finding:
    """The result of one check: `message` names the error, or the requirement that is met; `hint` says what to do."""

    status: Literal["ok", "warned", "failed"]
    message: str
    hint: str = ""
    name: str = ""


class Subject:
    """The distribution under examination, beside which others are installed."""

    def __init__(self, plugins: Plugins, distribution: str) -> None:
        name = canonical(distribution)
        self.plugins = [plugin for plugin in plugins.installed if canonical(plugin.distribution) == name]
        self.others = [plugin for plugin in plugins.installed if canonical(plugin.distribution) != name]
        self.distribution = distribution

    def specs(self) -> Iterator[tuple[str, Spec]]:
        """Return all objects of the plugin, each with its name in messages."""
        for kind, spec in _offers(self.plugins):
            yield f"{kind} {spec.name}", spec

    @cached_property
    def probed(self) -> Probed:
        """Return the findings of a separate process."""
        return probe_plugin([plugin.entry for plugin in self.plugins])

    @cached_property
    def metadata(self) -> Distribution | None:
        """The installed metadata; None for a plugin that is not installed but importable."""
        try:
            return Distribution.from_name(self.distribution)
        except PackageNotFoundError:
            return None


def _offers(plugins: Iterable[Plugin]) -> Iterator[tuple[str, Spec]]:
    for plugin in plugins:
        for kind, specs in plugin.specs.items():
            yield from ((kind, spec) for spec in specs)


def failed(message: str, hint: str) -> Finding:
    """Return a finding of a broken promise."""
    return Finding("failed", message, hint)


def warned(message: str, hint: str) -> Finding:
    """Return a finding of something that works but could be better."""
    return Finding("warned", message, hint)


def loads(subject: Subject) -> Iterator[Finding]:
    """It can be loaded, and implements hooks that nst knows."""
    for plugin in subject.plugins:
        if plugin.status != "ok":
            trace = "NST_STRICT_PLUGINS=1 nst plugins list --debug shows where"
            hint = plugin.remedy if plugin.status == "other-api" else trace
            yield failed(plugin.reason or f"it is {plugin.status}", hint)


def light(subject: Subject) -> Iterator[Finding]:
    """Its entry module imports nst and the standard library only."""
    modules = " and ".join(plugin.entry.module for plugin in subject.plugins)
    if foreign := subject.probed.foreign:
        hint = "import them in the module that the factory is in: every command imports the entry module"
        yield failed(f"{modules} imports {', '.join(foreign)}", hint)
    else:
        yield Finding("ok", f"{light.__doc__} {modules} took {subject.probed.milliseconds:.0f} ms.")


def check_name(subject: Subject) -> Iterator[Finding]:
    """Its names are lowercase words with dashes, and no other distribution's."""
    taken = {(kind, spec.name): plugin for plugin in subject.others for kind, spec in _offers([plugin])}
    for kind, spec in _offers(subject.plugins):
        if not NAME.fullmatch(spec.name):
            yield failed(f"{kind} '{spec.name}' is not of lowercase words with dashes", "name it like total-variation")
        if other := taken.get((kind, spec.name)):
            hint = f"rename it: who has both must write {subject.distribution}:{spec.name}"
            yield failed(f"{kind} '{spec.name}' is offered by {other.distribution} too", hint)


def summarized(subject: Subject) -> Iterator[Finding]:
    """Everything it offers is summarized in a line."""
    for called, spec in subject.specs():
        if not spec.summary.strip() or "\n" in spec.summary:
            yield failed(f"{called} has no summary of one line", "give its spec summary='…'")


def documented(subject: Subject) -> Iterator[Finding]:
    """Its options have a name of lowercase words with underscores, a help text, and a default that is allowed."""
    for called, spec in subject.specs():
        for option in spec.options:
            yield from _undocumented(f"{called}: option '{option.name}'", option)


def _undocumented(called: str, option: Option) -> Iterator[Finding]:
    if not OPTION.fullmatch(option.name):
        yield failed(f"{called} is not of lowercase words with underscores", "name it like step_length")
    if not option.help.strip():
        yield failed(f"{called} has no help", "say in Option(help=…) what it is for")
    try:
        read_option(option, option.default)
    except UserError as error:
        yield failed(f"{called} has a default that is not allowed: {error.message}", "widen its bounds or choices")
    ends = [end for end in (option.minimum, option.maximum) if end is not None]
    if isinstance(option.default, int) and any(end % 1 for end in ends):
        yield failed(f"{called} is a whole number, but its bounds are not", "give it bounds that it can have")
    if option.unit and isinstance(option.default, bool | str):
        yield failed(f"{called} has the unit '{option.unit}', but is no number", "leave the unit out")


def usable(subject: Subject) -> Iterator[Finding]:
    """Its losses have a shape that their role takes, its backends layers that can be named, and the device and pooling
    of those who say nothing.
    """
    for called, spec in subject.specs():
        if isinstance(spec, LossSpec) and spec.shape not in SHAPES[spec.role]:
            shapes = " or ".join(f"shape='{shape}'" for shape in SHAPES[spec.role])
            yield failed(f"{called} is {spec.shape}, which is no shape for role '{spec.role}'", f"declare {shapes}")
        elif isinstance(spec, BackendSpec):
            yield from _unusable(called, spec)


def _unusable(called: str, spec: BackendSpec) -> Iterator[Finding]:
    if "auto" not in spec.devices:
        yield failed(f"{called} has no device 'auto', which is what nst asks for", "add it to devices=(…)")
    if spec.kind == "image":
        return
    for missing in [name for name in ("layers", "pooling", "precisions") if not getattr(spec, name)]:
        yield failed(f"{called} has no {missing}", f"name some in {missing}=(…)")
    for layer in spec.layer_names:
        if layer == IMAGE or parse_selection(layer) != {layer: 1.0}:
            yield failed(f"{called}: layer '{layer}' cannot be asked for by that name", "name it like relu1_1")
    if spec.pooling and "max" not in spec.pooling:
        yield warned(f"{called} has no pooling 'max', which is what nst asks for", "say so in the README")


def provided(subject: Subject) -> Iterator[Finding]:
    """The modules it requires are here, and it tells what pip installs for them."""
    for called, spec in subject.specs():
        missing = [module for module in spec.requires if find_spec(module.partition(".")[0]) is None]
        if missing:
            hint = f"pip install {spec.install or ' '.join(missing)}"
            yield failed(f"{called} needs {' and '.join(missing)}, not installed here", hint)
        if spec.requires and not spec.install:
            yield failed(f"{called} needs {' and '.join(spec.requires)}", "say in install='…' what pip installs for it")


def callable_(subject: Subject) -> Iterator[Finding]:
    """Its factories can be imported, and take what they are called with, their options among it."""
    for trouble in subject.probed.factories:
        hint = "the factory must take what nst.protocols says, and every option its spec declares, by name"
        yield failed(trouble, hint)
    for doubt in subject.probed.doubts:
        yield warned(doubt, "declare in the spec what the factory takes, with the same default")


def credited(subject: Subject) -> Iterator[Finding]:
    """Its weights tell their origin and license, and can be looked for without a framework."""
    for called, spec in subject.specs():
        for weights in spec.weights if isinstance(spec, BackendSpec) else ():
            for word in ("origin", "license"):
                if not getattr(weights, word).strip():
                    yield failed(f"{called}: weights '{weights.name}' do not tell their {word}", f"set {word}='…'")
    for trouble in subject.probed.sources:
        yield failed(trouble, "the module of a weight source imports its framework inside load()")


def bounded(subject: Subject) -> Iterator[Finding]:
    """Its distribution requires nst, and tells which versions."""
    if subject.metadata is None:
        yield _not_installed(subject)
    elif canonical(subject.distribution) != OWN:
        try:
            requirements = [Requirement(line) for line in subject.metadata.requires or ()]
        except InvalidRequirement as error:
            yield failed(f"its requirements cannot be read: {error}", "write the dependencies as PEP 508 says")
            return
        own = [line for line in requirements if canonical(line.name) == OWN and "extra" not in str(line.marker)]
        bounds = [str(line.specifier) for line in own]
        if not bounds:
            yield failed("its distribution does not require nst", "add nst to the dependencies in pyproject.toml")
        elif not any(bounds):
            yield warned("it requires nst of any version", "say which: nst>=0.1")


def published(subject: Subject) -> Iterator[Finding]:
    """Its distribution has a README and a license."""
    if subject.metadata is None:
        yield _not_installed(subject)
        return
    metadata: Any = subject.metadata.metadata  # an email.message.Message, which its type does not tell
    text = metadata.get("Description") or metadata.get_payload()
    if not str(text or "").strip():
        yield failed("its distribution has no README", "set readme = 'README.md' in pyproject.toml")
    licenses = [metadata.get("License-Expression"), metadata.get("License"), metadata.get("License-File")]
    if not any(licenses) and not any("License" in classifier for classifier in metadata.get_all("Classifier", [])):
        yield failed("its distribution names no license", "set license = 'Apache-2.0', or yours, in pyproject.toml")


def _not_installed(subject: Subject) -> Finding:
    return failed(f"{subject.distribution} is not installed, so it has no metadata", "pip install -e .")


Check = Callable[[Subject], Iterable[Finding]]

CHECKS: Mapping[str, Check] = {
    "loading": loads,
    "import": light,
    "names": check_name,
    "summaries": summarized,
    "options": documented,
    "uses": usable,
    "modules": provided,
    "factories": callable_,
    "weights": credited,
    "versions": bounded,
    "metadata": published,
}
"""The checks by name, in the order of execution."""


def ask(check: str, subject: Subject) -> list[Finding]:
    """Run one check and return its findings, or a single finding of success."""
    findings = [replace(finding, name=check) for finding in CHECKS[check](subject)]
    return findings or [Finding("ok", " ".join((CHECKS[check].__doc__ or "").split()), name=check)]


def examine(subject: Subject) -> list[Finding]:
    """Run every check; for a plugin that cannot be loaded, only the check of loading."""
    first, *others = CHECKS
    answer = ask(first, subject)
    if any(finding.status == "failed" for finding in answer):
        return answer
    return [*answer, *(finding for check in others for finding in ask(check, subject))]


def worst_level(findings: Sequence[Finding]) -> str:
    """Return the worst status among findings."""
    return max((finding.status for finding in findings), key=("ok", "warned", "failed").index)
