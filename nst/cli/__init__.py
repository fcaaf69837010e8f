"""The front door of `nst`.

Help, version and the plugin list are answered here, without Typer: importing it takes five times as long as starting
Python, and these three are asked for often. Everything else goes through `nst.cli.app`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper

INTERRUPTED = 130


def main() -> None:
    """Run the console script: parse, act, exit."""
    _prepare_streams()
    try:
        answered = _answer(sys.argv[1:])
        code = 0 if answered else _act(sys.argv[1:])
        sys.stdout.flush()
        if answered:
            os._exit(0)  # nothing to clean up, and Python would take a third of its own start to find that out
    except KeyboardInterrupt:  # while importing; `run` answers the others
        sys.stderr.write("interrupted\n")
        code = INTERRUPTED
    except OSError as error:  # what reads our output has left (`nst --help | head -1`), or its disk is full
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            sys.stderr.write(f"error: cannot print: {error.strerror}\n")
        code = 1
    if code == INTERRUPTED:
        from nst.cli.interrupt import ignore_interrupts

        ignore_interrupts()  # another Ctrl-C would only garble the way out
    sys.exit(code)


def _prepare_streams() -> None:
    """Replace closed streams by a null stream, and let stdout escape characters that it cannot show."""
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _act(words: Sequence[str]) -> int:
    from nst.cli.interrupt import terminate_as_interrupt

    terminate_as_interrupt()
    from nst.cli.app import run

    return run(words)


def _answer(words: Sequence[str]) -> bool:
    """Whether this was one of the questions answered here."""
    asked = [word for word in words if word not in ("--debug", "--no-plugins")]
    if asked in ([], ["--help"], ["-h"]):
        from nst.cli.commands import overview

        sys.stdout.write(overview())
    elif asked == ["--version"]:
        from nst import __version__

        sys.stdout.write(f"nst {__version__}\n")
    elif words[:2] == ["plugins", "list"] and words[2:] in ([], ["--json"]):
        from nst.cli.listing import show
        from nst.errors import NstError

        try:
            show(as_json="--json" in words)
        except NstError:  # `nst.cli.app` meets it again, and tells it as it tells every error
            return False
    else:
        return False
    return True
