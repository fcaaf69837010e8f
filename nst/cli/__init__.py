"""The front door of `nst`.

Help, version and the plugin list are answered here, without Typer: importing it takes five times as long as starting
Python, and these three are asked for often. Everything else goes through `nst.cli.app`.
"""

from __future__ import annotations

import sys


def main() -> None:
    """The console script: parse, act, exit."""
    words = sys.argv[1:]
    if words in ([], ["--help"], ["-h"]):
        from nst.cli.commands import overview

        sys.stdout.write(overview())
    elif words == ["--version"]:
        from nst import __version__

        sys.stdout.write(f"nst {__version__}\n")
    elif words[:2] == ["plugins", "list"] and words[2:] in ([], ["--json"]):
        from nst.cli.listing import show

        show(as_json="--json" in words)
    else:
        from nst.cli.app import run

        sys.exit(run(words))
