"""Errors for the user, with the exit code of each.

Libraries raise these errors; only `nst.cli` exits. A message says what was wrong and what was allowed; a hint says what
to do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any


class NstError(Exception):
    """A failed run: `message` says what went wrong, `hint` what to do. Exit code 1."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UserError(NstError):
    """An invalid request: a wrong name, value or file. Exit code 2."""

    exit_code = 2


class WrongAnswer(NstError):  # noqa: N818 - what it is
    """An answer of a plugin that its protocol does not allow: the `kind` of the plugin, and its `name` if known."""

    def __init__(self, kind: str, message: str, name: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.name = name


class Mistakes(UserError):  # noqa: N818 - several errors in one
    """Several `UserError`s of one call, reported together; `errors` is in the order of detection."""

    def __init__(self, errors: Sequence[UserError]) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.errors = tuple(errors)


class Findings:
    """A collection of `UserError`s, in the order of detection."""

    def __init__(self) -> None:
        self.errors: list[UserError] = []

    def add(self, *errors: UserError | None) -> None:
        """Add errors; None is ignored."""
        self.errors.extend(error for error in errors if error is not None)

    def attempt(self, action: Callable[[], Any]) -> Any:
        """Return the action's result, or add the `UserError` it raised and return None."""
        try:
            return action()
        except Mistakes as error:
            self.add(*error.errors)
        except UserError as error:
            self.add(error)
        return None


def as_error(error: BaseException) -> NstError:
    """Return an exception as `NstError`, itself if it is one."""
    if isinstance(error, NstError):
        return error
    if isinstance(error, MemoryError):
        return NstError("not enough memory", "choose a smaller --size")
    hint = "this is a defect of nst or of a plugin: run again with --debug and report what it prints"
    return NstError(f"{type(error).__name__}: {error}", hint)


def raise_all(errors: Iterable[UserError]) -> None:
    """Raise a single error, or several as `Mistakes`; do nothing without errors."""
    error_list = list(errors)
    if len(error_list) == 1:
        raise error_list[0]
    if error_list:
        raise Mistakes(error_list)


def unknown(kind: str, name: str, allowed: Iterable[str], hint: str = "") -> UserError:
    """Return the error for a `name` not among `allowed`, with the most similar allowed names as a suggestion."""
    from difflib import get_close_matches

    names = sorted(allowed)
    folded = {candidate.casefold(): candidate for candidate in names}
    near = [folded[match] for match in get_close_matches(name.casefold(), folded, n=2, cutoff=0.7)]
    suggestion = f"did you mean {' or '.join(near)}?" if near else f"choose from {', '.join(names) or 'none'}"
    return UserError(f"unknown {kind} '{name}'", f"{suggestion} {hint}".strip())
