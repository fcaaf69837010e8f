"""Name the plugin that a failure of a run comes from, with its distribution and version."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from nst.engine.loop import Stop
from nst.errors import NstError, WrongAnswer
from nst.plugins.host import Plugin
from nst.specs import Spec

Used = Iterable[tuple[Plugin, Spec]]

HINT = "report it to the authors of the plugin; nst plugins check NAME tests a plugin, and --debug shows the traceback"


@contextmanager
def blamed(used: Callable[[], Used], kinds: Callable[[Spec], str]) -> Iterator[None]:
    """Raise an error that names the plugin, in place of a wrong answer or of an exception from the plugin's code.

    Errors with a meaning pass: an `NstError`, a lack of memory, an interrupt. An exception belongs to the plugin whose
    module is the innermost of the traceback; an exception of the caller's own code passes too.
    """
    try:
        yield
    except WrongAnswer as error:
        raise _named(error, used(), kinds) from error.__cause__
    except (NstError, MemoryError, Stop):
        raise
    except Exception as error:
        plugin = _culprit(error, used())
        if plugin is None:
            raise
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise NstError(f"{_title(plugin)} raised {reason}", HINT) from error


def _named(error: WrongAnswer, used: Used, kinds: Callable[[Spec], str]) -> NstError:
    for plugin, spec in used:
        if kinds(spec) == error.kind and error.name in ("", spec.name):
            return NstError(f"{error.kind} '{spec.name}' of {_title(plugin)} {error.message}", HINT)
    return NstError(f"the {error.kind} {error.message}", HINT)


def _culprit(error: Exception, used: Used) -> Plugin | None:
    """Return the plugin whose package is the innermost of the traceback, or None."""
    packages = {plugin.entry.module.partition(".")[0]: plugin for plugin, _ in used}
    packages.pop("nst", None)
    names = [frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_tb(error.__traceback__)]
    owners = (packages.get(name.partition(".")[0]) for name in reversed(names))
    return next((plugin for plugin in owners if plugin is not None), None)


def _title(plugin: Plugin) -> str:
    return f"{plugin.distribution} {plugin.entry.version}"
