"""`nst report`: a run's report as a page or a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="what nst stylize --report wrote, as JSON")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help=".html or .png (default: RUN's name as .html)")
    ] = None,
) -> int:
    """See `nst.cli.commands`."""
    from nst.cli.outputs import check_writable
    from nst.cli.session import rendered
    from nst.errors import UserError, raise_all
    from nst.io import atomic
    from nst.reports.run import load

    target = output or run.with_suffix(".html")
    if target.suffix.lower() not in (".html", ".png"):
        raise UserError(f"'{target}' is neither a page nor a picture", "name it .html or .png")
    found = load(run)
    raise_all([error for error in [check_writable(target)] if error])
    data = rendered(target, found)
    atomic.replace(target, lambda file: file.write(data))
    typer.echo(str(target))
    return 0
