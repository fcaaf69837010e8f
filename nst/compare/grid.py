"""Read the varied recipe fields of a comparison from `--backends` and `--vary`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import product

from nst.errors import Findings, UserError, raise_all, unknown
from nst.recipe import fields
from nst.recipe.recipe import FIELDS, flag

WITH_COMMAS = (fields.counts, fields.shares, fields.selection, fields.settings)
"""Readers of values with commas; `--vary` separates these values by `;` only."""

Setting = Mapping[str, str]
"""Recipe fields and their values as text. A backend may be followed by weights: `torch-vgg19@my.safetensors`."""


def read(backends: str, vary: Sequence[str]) -> list[Setting]:
    """Return every combination; the last varied field changes fastest. Raises all mistakes together."""
    findings = Findings()
    names = _split(backends, ";" if ";" in backends else ",")
    axes = [("backend", names)] if names else []
    axes += [pair for text in vary if (pair := findings.attempt(partial(read_vary, text)))]
    fields = [field for field, _ in axes] + ["weights"] * any("@" in name for name in names)
    for field in dict.fromkeys(field for field in fields if fields.count(field) > 1):
        findings.add(UserError(f"{spelled(field)} is given twice to vary", "give all its values at one place"))
    raise_all(findings.errors)
    combinations = product(*(listed for _, listed in axes))
    return [{field: value for (field, _), value in zip(axes, values, strict=True)} for values in combinations]


def read_vary(text: str) -> tuple[str, list[str]]:
    """Read `optimizer=lbfgs,adam` as a field and its values; `;` separates values with commas. Raises `UserError`."""
    name, equals, listed = text.partition("=")
    field = _spellings().get(name.strip().replace("-", "_").replace("optimiser", "optimizer"))
    if field is None:
        raise unknown("recipe field in --vary:", name.strip(), map(spelled, FIELDS))
    semicolon = ";" in listed or FIELDS[field].metadata["read"] in WITH_COMMAS
    values = _split(listed, ";" if semicolon else ",")
    if not equals or len(values) < 2:
        example = "style-layers=relu1_1,relu2_1;relu3_1" if semicolon else "optimizer=lbfgs,adam"
        raise UserError(f"--vary {text} gives fewer than two values", f"write it like --vary '{example}'")
    return field, values


def _split(text: str, separator: str) -> list[str]:
    return [part.strip() for part in text.split(separator) if part.strip()]


def spelled(field: str) -> str:
    """Return a recipe field as on the command line, without dashes: `style-layers`, `optimizer-option`."""
    return flag(field).removeprefix("--")


def _spellings() -> dict[str, str]:
    return {name: name for name in FIELDS} | {spelled(name).replace("-", "_"): name for name in FIELDS}


def setting_label(setting: Setting) -> str:
    """Return the caption of a cell: `torch-vgg19@mine.safetensors, optimizer=adam`, with paths shortened to names."""
    words = [value if name == "backend" else f"{spelled(name)}={value}" for name, value in setting.items()]
    return ", ".join(re.sub(r"(^|[@=])[^@=]*/(?=[^/])", r"\1", word) for word in words)
