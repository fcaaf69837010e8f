"""Loads plugins on a thread beside the caller's, so that one that hangs is left behind and the others go on.

A thread and not an alarm signal, because it serves on every system and in every thread; because no `except` in the
plugin catches it; because Ctrl-C stays with the person; and because a plugin that imports a framework, which is slow
and not stuck, is not torn out of it: half a framework would fail those who need it. What Python itself cannot survive,
this does not: `os._exit`, a crash in C, C code that never lets go of the interpreter.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

import pluggy

from nst.errors import NstError
from nst.plugins.validation import Offer, collect_specs, manager

FRAMEWORKS = ("jax", "keras", "mlx", "numpy", "scipy", "tensorflow", "torch")
"""What an entry module leaves to its factories: it should import nst and the standard library alone."""


class TooSlowError(NstError):
    """A plugin was not loaded in time."""


class Loaded:
    """What came of one plugin: its offer, or the error it raised; the seconds it took, the frameworks it imported."""

    def __init__(self, offer: Offer | None = None, error: BaseException | None = None) -> None:
        self.offer = offer or {}
        self.error = error
        self.seconds = 0.0
        self.frameworks: set[str] = set()


def load(modules: Sequence[str], timeout: float) -> list[Loaded]:
    """Load the plugins with these entry modules, in order.

    The error of one that takes more than `timeout` seconds is `TooSlowError`; it is told to stop, unless it imports a
    framework, but may go on. 0 is no limit, and loads on the caller's thread, where a debugger expects it. Ctrl-C is
    raised.
    """
    if not timeout:
        ours = manager()
        return [_load(module, ours, heed=True) for module in modules]
    done: list[Loaded] = []
    while len(done) < len(modules):
        done += PluginLoader(modules[len(done) :]).watch(min(timeout, threading.TIMEOUT_MAX))
    return done


class PluginLoader:
    """One thread's work: plugins in order, up to the one it is stuck with."""

    def __init__(self, modules: Sequence[str]) -> None:
        self._modules = modules
        self._done: list[Loaded] = []
        self._began, self._before = time.monotonic(), _frameworks()  # of the plugin in hand
        self._over = False
        self._lock = threading.Lock()

    def watch(self, timeout: float) -> list[Loaded]:
        """Return the results so far; the last plugin may be too slow."""
        thread = threading.Thread(target=self._work, daemon=True)
        thread.start()
        try:
            while thread.is_alive() and not self._stuck(timeout):
                thread.join(max(0.0, self._began + timeout - time.monotonic()))
        finally:
            self._over = True
        if len(self._done) < len(self._modules):
            if _frameworks() == self._before:
                _stop(thread)
            self._done.append(Loaded(error=TooSlowError(f"took longer than {timeout:g} s to load")))
        return self._done

    def _stuck(self, timeout: float) -> bool:
        with self._lock:
            self._over = time.monotonic() > self._began + timeout and len(self._done) < len(self._modules)
            return self._over

    def _work(self) -> None:
        own = manager()  # one left behind may be at work in it still
        for module in self._modules:
            loaded = _load(module, own)
            with self._lock:
                if self._over:
                    return
                self._done.append(loaded)
                self._began, self._before = time.monotonic(), _frameworks()


def _load(module: str, manager: pluggy.PluginManager, heed: bool = False) -> Loaded:
    """One plugin, whatever it raises; `heed` lets KeyboardInterrupt through, which may be the person's."""
    before, began = _frameworks(), time.monotonic()
    try:
        loaded = Loaded(collect_specs(module, manager))
    except BaseException as error:
        if heed and isinstance(error, KeyboardInterrupt):
            raise
        loaded = Loaded(error=error)
    loaded.seconds = time.monotonic() - began
    loaded.frameworks = _frameworks() - before
    return loaded


def _frameworks() -> set[str]:
    """Return the frameworks imported so far, completely or in part."""
    return {name for name in FRAMEWORKS if name in sys.modules}


def _stop(thread: threading.Thread) -> None:
    """Raise SystemExit in another thread when it next runs Python: an endless loop would slow all that follows."""
    with suppress(ImportError, AttributeError):
        from ctypes import c_ulong, py_object, pythonapi

        pythonapi.PyThreadState_SetAsyncExc(c_ulong(thread.ident or 0), py_object(SystemExit))
