"""How long `nst --help` and `nst plugins list` take as whole processes, against starting Python and doing nothing.

    python benchmarks/startup.py [--rounds 30]

Commands take turns, so that a slow moment of the machine falls on all of them; the ratio is taken round by round.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from table import publish, spread

ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def seconds(command: list[str], environment: dict[str, str] = ENVIRONMENT) -> float:
    began = time.perf_counter()
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    rounds = parser.parse_args().rounds
    nst = shutil.which("nst", path=str(Path(sys.executable).parent)) or "nst"
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "nst --help": [nst, "--help"],
        "nst plugins list": [nst, "plugins", "list"],
        "nst stylize --help": [nst, "stylize", "--help"],
    }
    for command in commands.values():
        seconds(command)  # leaves compiled modules behind, as pip does
    taken = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            taken[name].append(seconds(command))
    bare = taken["python -c pass"]
    rows = [
        {
            "command": f"`{name}`",
            "milliseconds": spread([1000 * value for value in values], digits=1),
            "times `python -c pass`": spread(
                [value / base for value, base in zip(values, bare, strict=True)], digits=2
            ),
        }
        for name, values in taken.items()
    ]
    publish("startup", rows, taken)


if __name__ == "__main__":
    main()
