"""The commands and what each does in a line: the overview `nst --help` prints, and the help Typer is given."""

from __future__ import annotations

COMMANDS = {
    "stylize": "Paint a picture in the manner of one or several others.",
    "resume": "Go on with a run from its checkpoint, as if nothing had happened.",
    "rerun": "Make a picture again, from what it says of its making.",
    "batch": "Paint a folder of pictures, on this machine or on many.",
    "compare": "Set backends, recipes or finished pictures side by side, and judge them.",
    "explore": "Paint every combination of some choices, or a paper's figure, on one sheet.",
    "report": "Show how a run went: its curves and facts as a page or a picture.",
    "demo": "Paint a photograph of our own choice, to see that everything works.",
    "ui": "A page to paint in, on this machine, in a browser.",
    "recipe show": "The choices behind a picture, a preset or a file, as TOML.",
    "recipe diff": "What differs between two recipes.",
    "recipe save": "Write the recipe of a picture for --recipe.",
    "estimate": "Say how long a picture would take, and how much memory, without painting it.",
    "weights list": "The weight sets of every backend, and where they are.",
    "weights fetch": "Download a weight set, verified and resumable.",
    "weights verify": "Check a weight set or file against its checksum and format.",
    "weights path": "Print where a weight set is or would be.",
    "weights export": "Write a weight set as a neutral file, for any framework.",
    "weights compress": "Make a slim network of a full one, fitted to your photographs.",
    "plugins list": "Installed plugins, what they offer, and what is wrong with any.",
    "plugins show": "Everything a backend, optimizer, initializer, loss or executor declares.",
    "plugins new": "Start a plugin of your own, that works from the first minute.",
    "plugins check": "Whether a plugin keeps what it promises, as far as can be told without running it.",
}


def overview() -> str:
    """What `nst --help` prints."""
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
