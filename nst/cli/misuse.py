"""Turn Typer's usage errors into an error and a hint."""

from __future__ import annotations

import os
from collections.abc import Sequence

import typer

from nst.errors import UserError, unknown

OTHER_NAMES = {
    "--steps": ("--iterations", "--iteration", "--num-iterations", "--iters", "--niter", "--epochs", "--num-steps"),
    "--size": ("--width", "--height", "--image-size", "--max-size", "--resolution", "--scale", "--dim"),
    "--output": ("--out", "--out-file", "--output-file", "--save", "--to"),
    "--optimizer-option lr=VALUE": ("--lr", "--learning-rate"),
    "--backend": ("--model", "--network", "--net", "--arch", "--framework"),
    "--weights": ("--checkpoint-path", "--model-path", "--pretrained"),
    "--device cuda": ("--gpu", "--cuda"),
    "--device cpu": ("--cpu", "--no-gpu"),
    "--tv-weight": ("--tv", "--total-variation", "--smoothness"),
    "--init": ("--initial", "--init-image", "--start", "--start-from"),
    "--seed": ("--random-seed",),
    "--color": ("--colour", "--colors", "--colours", "--original-colors", "--preserve-color", "--preserve-colors"),
}
"""What other programs call our options."""


def explain(error: typer.TyperException, words: Sequence[str]) -> UserError:
    """Return the usage error of a command line as `UserError`."""
    context = getattr(error, "ctx", None)
    help_hint = f"{context.command_path if context else 'nst COMMAND'} --help lists the options"
    option = getattr(error, "option_name", "")
    if context is None or not error.format_message().startswith("No such option"):
        return UserError(error.format_message(), help_hint)
    options = [name for parameter in context.command.params for name in parameter.opts]
    advice = _file_advice(option, words) or _option_advice(option, options)
    return UserError(f"No such option: {option}", f"{advice} {help_hint}".strip())


def _file_advice(option: str, words: Sequence[str]) -> str:
    """Return how to name a file that begins with a dash, or "" if no word looks like one."""
    files = [word for word in words if word.startswith(option) and not word.startswith("--")]
    files = [word for word in files if os.path.exists(word) or os.path.splitext(word)[1]]
    return f"write the file as ./{files[0]};" if files else ""


def _option_advice(option: str, options: Sequence[str]) -> str:
    """Return `did you mean --steps?`, or "" if no option resembles the wrong one."""
    spelling = option.replace("_", "-")
    similar = [name for name, others in OTHER_NAMES.items() if spelling in others and name.split(" ")[0] in options]
    if spelling in options or similar:
        return f"did you mean {spelling if spelling in options else similar[0]}?"
    hint = unknown("option", spelling, [name for name in options if name.startswith("--")]).hint
    return hint if hint.startswith("did you mean") else ""
