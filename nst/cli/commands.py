"""The commands with a line of help each, for `nst --help` and for the `--help` of each command."""

from __future__ import annotations

COMMANDS = {
    "stylize": "Paint a picture like one or several others.",
    "resume": "Continue an interrupted run from its checkpoint.",
    "rerun": "Make a picture again from the recipe stored in it.",
    "batch": "Paint folders or lists of pictures, on this machine or on many.",
    "compare": "Compare backends, settings or finished pictures, side by side and in numbers.",
    "explore": "Paint every combination of some settings, or a figure of a paper, on one sheet.",
    "report": "Show the loss curves and facts of a run, as a page or a picture.",
    "demo": "Paint a sample photograph, to see that everything works.",
    "ui": "Serve a web page to paint in.",
    "recipe show": "Print the recipe of a picture, a preset or a file, as TOML.",
    "recipe diff": "Print the differences between two recipes.",
    "recipe save": "Save the recipe of a picture, for use with --recipe.",
    "estimate": "Estimate the time and memory of a run, without running it.",
    "weights list": "List the weight sets of every backend and their files.",
    "weights fetch": "Download a weight set and verify it; an interrupted download is continued.",
    "weights verify": "Check a weight set or file against its checksum and format.",
    "weights path": "Print the path of a weight set, fetched or not.",
    "weights export": "Write a weight set as safetensors, for any framework.",
    "weights compress": "Make a small, fast network from a full one, fitted to your pictures.",
    "plugins list": "List the installed plugins, what they offer and their problems.",
    "plugins show": "Show everything that a plugin declares: options, layers, weights.",
    "plugins new": "Write a new plugin, as a copy of a working example.",
    "plugins check": "Check a plugin without running it.",
}


def overview() -> str:
    """Return the text of `nst --help`."""
    rows = "\n".join(f"  {name:<16} {summary}" for name, summary in COMMANDS.items())
    return f"""\
Usage: nst COMMAND [OPTIONS]

Neural style transfer: paint a picture in the style of another.

  nst stylize content.jpg style.jpg -o out.png

Commands:
{rows}

Every command takes --help, --debug (show tracebacks) and --no-plugins (load nothing but nst itself).
`nst --version` prints the version. Exit codes: 0 done, 1 failed, 2 wrong call, 130 interrupted.
"""
