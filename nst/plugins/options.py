"""Read the options that a plugin declares, each with the type of its default and within its bounds."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from functools import partial
from importlib.util import find_spec

from nst.errors import Findings, UserError, raise_all, unknown
from nst.specs import Option, OptionValue, Spec

TRUE = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
KINDS = {bool: "yes or no", int: "a whole number", float: "a number", str: "text"}


def read_options(spec: Spec, given: Mapping[str, OptionValue]) -> dict[str, OptionValue]:
    """Return the value of every option of `spec`: the given one, converted, or the default.

    Raises all mistakes together as `UserError`.
    """
    declared = {option.name: option for option in spec.options}
    findings = Findings()
    findings.add(*(_unknown(spec, name, declared) for name in given if name not in declared))
    values = {
        name: findings.attempt(partial(read_option, option, given[name]))
        for name, option in declared.items()
        if name in given
    }
    raise_all(findings.errors)
    return {name: option.default for name, option in declared.items()} | values


def _unknown(spec: Spec, name: str, declared: Collection[str]) -> UserError:
    if not declared:
        return UserError(f"'{spec.name}' has no option '{name}'", f"'{spec.name}' takes no options")
    return unknown(f"option of {spec.name}:", name, declared)


def read_option(option: Option, value: OptionValue) -> OptionValue:
    """Return the value of an option with the type of its default. Raises `UserError` for a value not allowed."""
    converted = _as_type(option, value)
    if option.choices and converted not in option.choices:
        raise unknown(option.name, str(value), option.choices)
    if not (isinstance(converted, str) or _within(option, converted)):
        raise UserError(f"{option.name} must be {_range(option)}, not {value}", option.help)
    return converted


def _within(option: Option, value: float) -> bool:
    low = -math.inf if option.minimum is None else option.minimum
    high = math.inf if option.maximum is None else option.maximum
    return -math.inf < value < math.inf and low <= value <= high


def allowed(option: Option) -> str:
    """Return the allowed values of an option in words: `one of lab, rgb`, `a whole number, 1 or more`, `0 to 1`."""
    if option.choices:
        return f"one of {', '.join(option.choices)}"
    if isinstance(option.default, bool | str):
        return KINDS[type(option.default)]
    bounded = (option.minimum, option.maximum) != (None, None)
    words = [KINDS[int]] if isinstance(option.default, int) else [] if bounded else [KINDS[float]]
    return ", ".join([*words, *([_range(option)] if bounded else [])])


def _range(option: Option) -> str:
    low, high = option.minimum, option.maximum
    if low is not None and high is not None:
        return f"{low:g} to {high:g}"
    return f"{low:g} or more" if low is not None else f"{high:g} or less" if high is not None else "finite"


def _as_type(option: Option, value: OptionValue) -> OptionValue:
    kind = type(option.default)
    try:
        converted: OptionValue = TRUE[str(value).lower()] if kind is bool else kind(value)
        if not isinstance(value, str) and (converted != value or (isinstance(value, bool) and kind is not bool)):
            raise ValueError
        return converted
    except (KeyError, TypeError, ValueError, OverflowError):
        raise UserError(f"{option.name} must be {KINDS[kind]}, not '{value}'", option.help) from None


def missing_modules(spec: Spec) -> UserError | None:
    """Return the error for a spec whose required modules are not installed, or None."""
    missing = [module for module in spec.requires if find_spec(module.partition(".")[0]) is None]
    if not missing:
        return None
    return UserError(f"'{spec.name}' needs {' and '.join(missing)}", f"pip install {spec.install or ' '.join(missing)}")
