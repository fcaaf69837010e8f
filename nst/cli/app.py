"""The Typer app: the commands, the run of a command line, and its errors."""

from __future__ import annotations

import errno
import os
import re
import sys
import traceback
from collections.abc import Callable, Sequence

import typer
from typer.main import get_command

from nst.cli import misuse, plugin_check, plugins, recipe, report, resume, ui, weights
from nst.cli.batch import BatchCommand
from nst.cli.commands import COMMANDS
from nst.cli.compare import CompareCommand
from nst.cli.compress import CompressCommand
from nst.cli.demo import DemoCommand
from nst.cli.estimate import EstimateCommand
from nst.cli.explore import ExploreCommand
from nst.cli.options import Command
from nst.cli.progress import say
from nst.cli.rerun import RerunCommand
from nst.cli.stylize import StylizeCommand
from nst.errors import Mistakes, NstError, as_error

NEED_NOTHING = {"demo", "ui", "weights list", "weights fetch", "weights verify", "weights path", "plugins list"}
"""The commands that do something when called without arguments; the others then print their help."""


def _carry_out(command: Command | int | None, **_: object) -> int:
    """Run a command that is a dataclass of options; a command that is a function has run already."""
    return command.run() if isinstance(command, Command) else command or 0


app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
    result_callback=_carry_out,
)
groups = {
    "recipe": typer.Typer(help="Show, compare and save recipes.", no_args_is_help=True),
    "weights": typer.Typer(help="List, fetch, verify, export and compress weights.", no_args_is_help=True),
    "plugins": typer.Typer(help="List, show, check and start plugins.", no_args_is_help=True),
}
for name, group in groups.items():
    app.add_typer(group, name=name)

FUNCTIONS: dict[str, Callable[..., Command | int | None]] = {
    "stylize": StylizeCommand,
    "resume": resume.resume,
    "rerun": RerunCommand,
    "batch": BatchCommand,
    "compare": CompareCommand,
    "explore": ExploreCommand,
    "report": report.report,
    "demo": DemoCommand,
    "ui": ui.ui,
    "recipe show": recipe.show,
    "recipe diff": recipe.diff,
    "recipe save": recipe.save,
    "estimate": EstimateCommand,
    "weights list": weights.list_,
    "weights fetch": weights.fetch,
    "weights verify": weights.verify,
    "weights path": weights.path,
    "weights export": weights.export,
    "weights compress": CompressCommand,
    "plugins list": plugins.list_,
    "plugins show": plugins.show,
    "plugins new": plugins.new,
    "plugins check": plugin_check.check,
}
for words, function in FUNCTIONS.items():
    group_name, _, name = words.rpartition(" ")
    register = groups.get(group_name, app).command
    register(name, help=COMMANDS[words], no_args_is_help=words not in NEED_NOTHING)(function)

SETTINGS_OPTIONS = (
    "--backend-option",
    "--optimizer-option",
    "--optimiser-option",
    "--init-option",
    "--style-loss-option",
    "--content-loss-option",
    "--executor-option",
)
UNPRINTABLE = (errno.EPIPE, errno.ENOSPC)
"""Errors of stdout, which `nst.cli.main` reports: the reader of the output has left, or the disk is full."""
SETTING = re.compile(r"[a-z][a-z0-9_]*=")


def run(words: Sequence[str]) -> int:
    """Run a command line and return the exit code. Print an error as `error:` and `hint:` lines on stderr."""
    debug = "--debug" in words
    if "--no-plugins" in words:
        os.environ["NST_DISABLE_PLUGINS"] = "*"
    arguments = spread([word for word in words if word not in ("--debug", "--no-plugins")])
    if arguments[:1] == ["help"]:
        arguments = [*arguments[1:], "--help"]
    try:
        # `app(…)` would handle Ctrl-C itself, without a message.
        with get_command(app).make_context("nst", arguments) as context:
            return int(context.command.invoke(context))
    except typer.Exit as exit:
        return exit.exit_code
    except KeyboardInterrupt as interrupt:
        sys.stderr.write("; ".join(["interrupted", *map(str, interrupt.args)]) + "\n")
        return 130
    except typer.TyperException as error:
        shows_help = not error.format_message()
        return 2 if shows_help else _report(misuse.explain(error, arguments), debug)
    except Exception as error:
        if isinstance(error, OSError) and error.filename is None and error.errno in UNPRINTABLE:
            raise
        return _report(as_error(error), debug)


def spread(words: Sequence[str]) -> list[str]:
    """Return `--init-option a=1 b=2` as `--init-option a=1 --init-option b=2`, the form that the parser understands.

    The name of an existing file, such as `photo=1.jpg`, is never a setting.
    """
    spread_out: list[str] = []
    option = ""
    for word in words:
        setting = SETTING.match(word) and not os.path.exists(word)
        if option and setting and spread_out[-1] != option:
            spread_out.append(option)
        elif word.partition("=")[0] in SETTINGS_OPTIONS:
            option = word.partition("=")[0]
        elif not setting:
            option = ""
        spread_out.append(word)
    return spread_out


def _report(error: NstError, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    for single in error.errors if isinstance(error, Mistakes) else (error,):
        say(f"error: {single.message}")
        if single.hint:
            say(f"hint: {single.hint}")
    return error.exit_code
