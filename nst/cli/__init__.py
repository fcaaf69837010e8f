"""The entry point of `nst`.

`nst --help`, `nst --version` and `nst plugins list` are answered here, without Typer: importing Typer takes more than
six times as long as starting Python. Every other call, `--help` of a command included, goes through `nst.cli.app`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper

INTERRUPTED = 130


def main() -> None:
    """Run the console script and exit."""
    _prepare_streams()
    try:
        light = _answer(sys.argv[1:])
        code = 0 if light else _run(sys.argv[1:])
        sys.stdout.flush()
        if light:
            os._exit(0)  # nothing to clean up, and a normal exit takes a third of the time of this call
    except KeyboardInterrupt:  # during imports; later ones are handled in `nst.cli.app`
        sys.stderr.write("interrupted\n")
        code = INTERRUPTED
    except OSError as error:  # the reader of the output has left (`nst --help | head -1`), or the disk is full
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            sys.stderr.write(f"error: cannot print: {error.strerror}\n")
        code = 1
    if code == INTERRUPTED:
        from nst.cli.interrupt import ignore_interrupts

        ignore_interrupts()  # a second Ctrl-C must not print a traceback
    sys.exit(code)


def _prepare_streams() -> None:
    """Replace closed streams by a null stream, let stdout escape characters that it cannot show, ignore `COLUMNS=0`."""
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    if os.environ.get("COLUMNS") == "0":
        del os.environ["COLUMNS"]


def _run(words: Sequence[str]) -> int:
    from nst.cli.interrupt import terminate_as_interrupt

    terminate_as_interrupt()
    from nst.cli.app import run

    return run(words)


def _answer(words: Sequence[str]) -> bool:
    """Answer a light call. Return False for every other call."""
    command = [word for word in words if word not in ("--debug", "--no-plugins")]
    if command in ([], ["--help"], ["-h"], ["help"]):
        from nst.cli.commands import overview

        sys.stdout.write(overview())
    elif command in (["--version"], ["version"]):
        from nst import __version__

        sys.stdout.write(f"nst {__version__}\n")
    elif words[:2] == ["plugins", "list"] and words[2:] in ([], ["--json"]):
        from nst.cli.listing import show
        from nst.errors import NstError

        try:
            show(as_json="--json" in words)
        except NstError:  # `nst.cli.app` meets the same error, and prints it like every error
            return False
    else:
        return False
    return True
