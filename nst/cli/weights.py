"""`nst weights`: list, fetch, verify and export weight sets."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from nst.cli.host import host
from nst.cli.options import Json
from nst.cli.progress import say
from nst.errors import UserError, unknown
from nst.io.download import megabytes
from nst.specs import BackendSpec, WeightSet, resolve

Backend = Annotated[str, typer.Option("--backend", metavar="NAME", help="the backend of the weights")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="a weight set, such as imagenet or compact")]
DEFAULT_BACKEND = "torch-vgg19"


def list_(as_json: Json = False) -> None:
    """See `nst.cli.commands`."""
    rows = list(_rows())
    if as_json:
        import json

        typer.echo(json.dumps(rows, indent=2))
    else:
        for row in rows:
            state = "fetched" if row["present"] else f"not fetched ({megabytes(row['size'])})"
            typer.echo(f"{row['backend']:<12} {row['name']:<12} {state:<22} {row['license']}\n{'':<26}{row['path']}")


def _rows() -> Iterator[dict[str, Any]]:
    for _, spec in host().offered("backend"):
        for weights in spec.weights:
            try:
                path = resolve(weights.source).path()
            except Exception as error:  # a plugin may raise anything, which must not hide the other rows
                say(f"warning: weights {weights.name} of {spec.name} cannot be used: {type(error).__name__}: {error}")
                continue
            facts = {"backend": spec.name, "name": weights.name, "present": path.is_file(), "path": str(path)}
            yield facts | {"size": weights.size, "license": weights.license, "origin": weights.origin}


def fetch(name: Name = "imagenet", backend: Backend = DEFAULT_BACKEND) -> None:
    """See `nst.cli.commands`."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TimeRemainingColumn, TransferSpeedColumn
    from rich.progress import Progress as Bar

    source = resolve(_weight_set(name, backend).source)
    columns = (f"{backend} {name}", BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Bar(*columns, console=console, transient=True, disable=not console.is_interactive) as bar:
        task = bar.add_task("", total=None)
        path = source.fetch(lambda done, total: bar.update(task, completed=done, total=total))
    typer.echo(path)


def verify(
    name: Annotated[
        str, typer.Argument(metavar="NAME|FILE", help="a weight set, or a file as --weights takes it")
    ] = "imagenet",
    backend: Backend = DEFAULT_BACKEND,
) -> None:
    """See `nst.cli.commands`."""
    from nst.weights.selection import choose_weights

    if os.path.exists(name):
        source = choose_weights(host().find("backend", backend), name).source
    else:
        source = resolve(_weight_set(name, backend).source)
    typer.echo(f"ok  {source.verify()}  {source.path()}")


def path(name: Name = "imagenet", backend: Backend = DEFAULT_BACKEND) -> None:
    """See `nst.cli.commands`."""
    typer.echo(resolve(_weight_set(name, backend).source).path())


def export(
    output: Annotated[Path, typer.Argument(metavar="FILE", help="the file to write, safetensors")],
    name: Annotated[
        str, typer.Option("--weights", metavar="NAME|PATH", help="which of the backend's weights")
    ] = "auto",
    backend: Backend = DEFAULT_BACKEND,
    half: Annotated[bool, typer.Option("--half", help="store float16: half the size, values exact to 0.1 %")] = False,
) -> None:
    """See `nst.cli.commands`."""
    from nst.cli.outputs import check_writable
    from nst.vgg import network
    from nst.weights.selection import choose_weights

    if (error := check_writable(output)) is not None:
        raise error
    choice = choose_weights(host().find("backend", backend), name)
    weights = choice.source.load()
    if not isinstance(weights, network.Network):
        raise UserError(f"'{backend}' is not a VGG", "only the weights of a VGG can be exported")
    typer.echo(network.write(output, weights, dtype="float16" if half else "float32"))


def _weight_set(name: str, backend: str) -> WeightSet:
    """Return a weight set of the backend. Raises `UserError`."""
    plugins = host()
    spec: BackendSpec = plugins.find("backend", backend)
    for weights in spec.weights:
        if weights.name == name:
            return weights
    if Path(name).suffix:
        raise UserError(f"no file '{name}'", "give a neutral weight file, or the name of a weight set")
    for _, other in plugins.offered("backend"):
        if name in [weights.name for weights in other.weights]:
            raise UserError(
                f"'{name}' is a weight set of {other.name}, not of {backend}", f"add --backend {other.name}"
            )
    raise unknown(f"weight set of {backend}:", name, [weights.name for weights in spec.weights])
