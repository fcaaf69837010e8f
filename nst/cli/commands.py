"""The commands and what each does in a line: the overview `nst --help` prints, and the help Typer is given."""

from __future__ import annotations

COMMANDS = {
    "stylize": "Paint a picture like one or several others.",
    "resume": "Go on with an interrupted run, from its checkpoint.",
    "rerun": "Make a picture again, from the recipe stored in it.",
    "batch": "Paint folders or lists of pictures, on this machine or on many.",
    "compare": "Compare backends, settings or finished pictures, side by side and in numbers.",
    "explore": "Paint every combination of some settings, or a figure of a paper, on one sheet.",
    "report": "Show how a run went: loss curves and facts, as a page or a picture.",
    "demo": "Paint a sample photograph, to see that everything works.",
    "ui": "Open a local web page to paint in.",
    "recipe show": "Print the recipe of a picture, a preset or a file, as TOML.",
    "recipe diff": "Print what differs between two recipes.",
    "recipe save": "Save the recipe of a picture, for use with --recipe.",
    "estimate": "Say how long a picture would take and how much memory, without painting it.",
    "weights list": "List the weight sets of every backend, and where they are.",
    "weights fetch": "Download a weight set and verify it; an interrupted download goes on.",
    "weights verify": "Check a weight set or file against its checksum and format.",
    "weights path": "Print where a weight set is or would be.",
    "weights export": "Write a weight set as safetensors, for any framework.",
    "weights compress": "Make a small, fast network out of a full one, fitted to your pictures.",
    "plugins list": "List installed plugins, what they offer, and what is wrong with any.",
    "plugins show": "Show everything that a plugin declares: options, layers, weights.",
    "plugins new": "Start a plugin of your own from one that works.",
    "plugins check": "Check what can be checked of a plugin without running it.",
}


def overview() -> str:
    """Return the text of `nst --help`."""
    rows = "\n".join(f"  {name:<16} {summary}" for name, summary in COMMANDS.items())
    return f"""\
Usage: nst COMMAND [OPTIONS]

Neural style transfer: give it a picture and a painting, get the picture painted.

  nst stylize content.jpg style.jpg -o out.png

Commands:
{rows}

Every command takes --help, --debug (show tracebacks) and --no-plugins (load nothing but nst itself).
`nst --version` prints the version. Exit codes: 0 done, 1 failed, 2 your mistake, 130 interrupted.
"""
