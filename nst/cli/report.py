"""`nst report`: show the report of a run as a page or a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="a report in JSON, from nst stylize --report RUN.json")],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="FILE", help="a page (.html) or a picture (.png) (default: RUN with .html)"
        ),
    ] = None,
) -> int:
    """See `nst.cli.commands`."""
    from nst.cli.outputs import check_writable
    from nst.cli.session import rendered
    from nst.errors import UserError, raise_all
    from nst.io import atomic
    from nst.reports.run import load_report

    target = output or run.with_suffix(".html")
    if target.suffix.lower() not in (".html", ".png"):
        raise UserError(f"'{target}' is neither a page nor a picture", "name it .html or .png")
    facts = load_report(run)
    raise_all([error for error in [check_writable(target)] if error])
    data = rendered(target, facts)
    atomic.replace(target, lambda file: file.write(data))
    typer.echo(str(target))
    return 0
