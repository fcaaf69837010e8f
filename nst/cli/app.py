"""The Typer app: commands put together, and what becomes of errors."""

from __future__ import annotations

import os
import re
import sys
import traceback
from collections.abc import Sequence

import typer
from typer.main import get_command

from nst.cli import (
    batch,
    compare,
    compress,
    demo,
    estimate,
    explore,
    plugin_check,
    plugins,
    recipe,
    report,
    rerun,
    resume,
    stylize,
    ui,
    weights,
)
from nst.cli.commands import COMMANDS
from nst.cli.progress import say
from nst.errors import Mistakes, NstError, UserError, as_error

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)
groups = {
    "recipe": typer.Typer(help="Show, compare and save recipes.", no_args_is_help=True),
    "weights": typer.Typer(help="List, fetch, verify, export and compress weights.", no_args_is_help=True),
    "plugins": typer.Typer(help="List, show, check and start plugins.", no_args_is_help=True),
}
for name, typer_group in groups.items():
    app.add_typer(typer_group, name=name)

app.command("stylize", help=COMMANDS["stylize"], no_args_is_help=True)(stylize.stylize)
app.command("resume", help=COMMANDS["resume"], no_args_is_help=True)(resume.resume)
app.command("rerun", help=COMMANDS["rerun"], no_args_is_help=True)(rerun.rerun)
app.command("batch", help=COMMANDS["batch"], no_args_is_help=True)(batch.batch)
app.command("compare", help=COMMANDS["compare"], no_args_is_help=True)(compare.compare)
app.command("explore", help=COMMANDS["explore"], no_args_is_help=True)(explore.explore)
app.command("report", help=COMMANDS["report"], no_args_is_help=True)(report.report)
app.command("demo", help=COMMANDS["demo"])(demo.demo)
app.command("estimate", help=COMMANDS["estimate"], no_args_is_help=True)(estimate.estimate)
app.command("ui", help=COMMANDS["ui"])(ui.ui)
for word, command in (
    ("recipe show", recipe.show),
    ("recipe diff", recipe.diff),
    ("recipe save", recipe.save),
    ("weights list", weights.list_),
    ("weights fetch", weights.fetch),
    ("weights verify", weights.verify),
    ("weights path", weights.path),
    ("weights export", weights.export),
    ("weights compress", compress.compress),
    ("plugins list", plugins.list_),
    ("plugins show", plugins.show),
    ("plugins new", plugins.new),
    ("plugins check", plugin_check.check),
):
    group, _, verb = word.partition(" ")
    groups[group].command(verb, help=COMMANDS[word])(command)

OPENED = (
    "--backend-option",
    "--optimizer-option",
    "--optimiser-option",
    "--init-option",
    "--style-loss-option",
    "--content-loss-option",
    "--executor-option",
)
SETTING = re.compile(r"[a-z][a-z0-9_]*=")


def run(words: Sequence[str]) -> int:
    """Act on a command line and return the exit code. Errors become `error:` and `hint:` lines on stderr."""
    debug = "--debug" in words
    if "--no-plugins" in words:
        os.environ["NST_DISABLE_PLUGINS"] = "*"
    arguments = spread([word for word in words if word not in ("--debug", "--no-plugins")])
    try:
        # Not `app(…)`: that would answer Ctrl-C itself, and say nothing.
        with get_command(app).make_context("nst", arguments) as context:
            return context.command.invoke(context) or 0
    except typer.Exit as done:
        return done.exit_code
    except KeyboardInterrupt as stop:
        sys.stderr.write("; ".join(["interrupted", *map(str, stop.args)]) + "\n")
        return 130
    except typer.TyperException as error:
        return _report(_misuse(error), debug) if error.format_message() else 2  # without words: it printed the help
    except BrokenPipeError:
        raise
    except Exception as error:
        return _report(as_error(error), debug)


def spread(words: Sequence[str]) -> list[str]:
    """Return `--init-option a=1 b=2` as `--init-option a=1 --init-option b=2`, the form that the parser understands.

    The name of an existing file, such as `photo=1.jpg`, is never a setting.
    """
    spread_out: list[str] = []
    opened = ""
    for word in words:
        setting = SETTING.match(word) and not os.path.exists(word)
        if opened and setting and spread_out[-1] != opened:
            spread_out.append(opened)
        elif word.partition("=")[0] in OPENED:
            opened = word.partition("=")[0]
        elif not setting:
            opened = ""
        spread_out.append(word)
    return spread_out


def _misuse(error: typer.TyperException) -> UserError:
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "nst COMMAND"
    return UserError(error.format_message(), f"{command} --help lists the options")


def _report(error: NstError, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    for one in error.errors if isinstance(error, Mistakes) else (error,):
        say(f"error: {one.message}")
        if one.hint:
            say(f"hint: {one.hint}")
    return error.exit_code
