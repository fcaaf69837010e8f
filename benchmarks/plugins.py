"""What many plugins cost: `nst --help` and `nst plugins list` as whole processes, with and without 200 more installed.

    python benchmarks/plugins.py [--plugins 200] [--rounds 15]

The plugins are files as pip leaves them, in a folder of their own on the path: a package whose hook yields one spec,
and its metadata. Commands take turns; the ratio, with them over without them, is taken round by round.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from startup import ENVIRONMENT, seconds
from table import publish, spread

MODULE = """\
from nst import Option, OptimizerSpec, hookimpl


@hookimpl
def nst_optimizers():
    lr = Option("lr", 0.1, "step length", minimum=0)
    yield OptimizerSpec(name="descent-{i}", factory="nst_crowd_{i}.descent:descend", options=(lr,))
"""


def with_folder(folder: str) -> dict[str, str]:
    """Return the environment in which Python finds the packages installed in the folder."""
    path = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH", ""), folder]))
    return ENVIRONMENT | {"PYTHONPATH": path}


def install(folder: Path, i: int) -> None:
    """One small distribution, as pip would leave it."""
    package, info = folder / f"nst_crowd_{i}", folder / f"nst_crowd_{i}-1.0.dist-info"
    package.mkdir()
    (package / "__init__.py").write_text(MODULE.format(i=i))
    (package / "descent.py").write_text("import torch\n\n\ndef descend(objective, image, lr): ...\n")
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: nst-crowd-{i}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[nst.v1]\nnst-crowd-{i} = nst_crowd_{i}\n")
    (info / "RECORD").write_text("")


def measure(nst: str, crowd: str, rounds: int) -> dict[str, dict[str, list[float]]]:
    """Seconds of each command, without the crowd on the path and with it, by turns."""
    environments = {"without": ENVIRONMENT, "with": with_folder(crowd)}
    commands = {"nst --help": [nst, "--help"], "nst plugins list": [nst, "plugins", "list"]}
    taken = {name: {each: [] for each in environments} for name in commands}
    for turn in range(rounds + 1):
        for name, command in commands.items():
            for each, environment in environments.items():
                value = seconds(command, environment)
                if turn:  # the first leaves compiled modules behind, as pip does
                    taken[name][each].append(value)
    return taken


def check(nst: str, crowd: str, plugins: int) -> None:
    """Whether all were there and in order: a broken plugin is a quick one."""
    command = [nst, "plugins", "list", "--json"]
    listed = subprocess.run(command, env=with_folder(crowd), capture_output=True, check=True).stdout
    ok = [
        each for each in json.loads(listed) if each["distribution"].startswith("nst-crowd-") and each["status"] == "ok"
    ]
    assert len(ok) == plugins, f"{len(ok)} of {plugins} plugins were ok"


def row(name: str, taken: dict[str, list[float]]) -> dict[str, str]:
    """One line of the table."""
    ratios = [after / before for after, before in zip(taken["with"], taken["without"], strict=True)]
    return {
        "command": f"`{name}`",
        "milliseconds without": spread([1000 * value for value in taken["without"]], digits=1),
        "milliseconds with": spread([1000 * value for value in taken["with"]], digits=1),
        "ratio": spread(ratios, digits=2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plugins", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    nst = shutil.which("nst", path=str(Path(sys.executable).parent)) or "nst"
    with tempfile.TemporaryDirectory() as crowd:
        for i in range(arguments.plugins):
            install(Path(crowd), i)
        taken = measure(nst, crowd, arguments.rounds)
        check(nst, crowd, arguments.plugins)
    figures = {"plugins": arguments.plugins, "seconds": taken}
    publish("plugins", [row(name, values) for name, values in taken.items()], figures)


if __name__ == "__main__":
    main()
