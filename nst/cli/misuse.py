"""Turn Typer's usage errors into an error and a hint."""

from __future__ import annotations

import typer

from nst.errors import UserError


def explain(error: typer.TyperException) -> UserError:
    """Return the usage error as `UserError`."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "nst COMMAND"
    return UserError(error.format_message(), f"{command} --help lists the options")
