"""Errors a person can act on, and the exit code each of them deserves.

Libraries raise these; only `nst.cli` exits. A message says what was wrong and what was allowed, a hint says what to do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any


class NstError(Exception):
    """A run that failed: `message` says what went wrong, `hint` what to do about it. Exit code 1."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UserError(NstError):
    """Something the caller asked for that cannot be: a name, a value, a file. Exit code 2."""

    exit_code = 2


class Mistakes(UserError):  # noqa: N818 - several errors in one
    """Several `UserError`s of one call, reported together; `errors` holds them in the order found."""

    def __init__(self, errors: Sequence[UserError]) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.errors = tuple(errors)


class Findings:
    """Mistakes gathered so far, in the order found."""

    def __init__(self) -> None:
        self.errors: list[UserError] = []

    def add(self, *errors: UserError | None) -> None:
        """Keep what is an error."""
        self.errors.extend(error for error in errors if error is not None)

    def attempt(self, action: Callable[[], Any]) -> Any:
        """What the action returns, or None after keeping the mistake or mistakes it raised."""
        try:
            return action()
        except Mistakes as error:
            self.add(*error.errors)
        except UserError as error:
            self.add(error)
        return None


def as_error(error: BaseException) -> NstError:
    """The error to tell a person for anything that was raised, its own if it is one of these."""
    if isinstance(error, NstError):
        return error
    if isinstance(error, MemoryError):
        return NstError("not enough memory", "choose a smaller --size")
    hint = "this is a defect of nst or of a plugin: run again with --debug and report what it prints"
    return NstError(f"{type(error).__name__}: {error}", hint)


def raise_all(errors: Iterable[UserError]) -> None:
    """Raise nothing for no errors, the one error alone, or all of them as `Mistakes`."""
    found = list(errors)
    if len(found) == 1:
        raise found[0]
    if found:
        raise Mistakes(found)


def unknown(kind: str, name: str, allowed: Iterable[str], hint: str = "") -> UserError:
    """The error for a `name` that is not among `allowed`, with the nearest allowed names suggested."""
    from difflib import get_close_matches

    names = sorted(allowed)
    folded = {each.casefold(): each for each in names}
    near = [folded[match] for match in get_close_matches(name.casefold(), folded, n=2, cutoff=0.6)]
    suggestion = f"did you mean {' or '.join(near)}?" if near else f"choose from {', '.join(names) or 'none'}"
    return UserError(f"unknown {kind} '{name}'", f"{suggestion} {hint}".strip())
