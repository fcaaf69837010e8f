"""`nst ui`: serve the web page."""

from __future__ import annotations

from threading import Event
from typing import Annotated

import typer

Host = Annotated[
    str, typer.Option("--host", metavar="ADDRESS", help="address to listen on; any other than 127.0.0.1 needs --auth")
]
Port = Annotated[int, typer.Option("--port", metavar="N", help="port to listen on; 0 takes a free one")]
Auth = Annotated[
    str,
    typer.Option(
        "--auth", metavar="USER:PASSWORD", envvar="NST_UI_AUTH", help="user and password that the page asks for"
    ),
]
WeightFiles = Annotated[
    list[str] | None, typer.Option("--weights", metavar="FILE", help="also offer this weight file; may be repeated")
]
Largest = Annotated[int, typer.Option("--max-upload", metavar="MB", help="largest file that may be uploaded, in MB")]
MaxPixels = Annotated[
    int, typer.Option("--max-pixels", metavar="N", help="most pixels of a picture, uploaded or painted")
]
Longest = Annotated[
    float,
    typer.Option("--max-minutes", metavar="N", help="longest run that the page starts, in minutes"),
]


def ui(
    host: Host = "127.0.0.1",
    port: Port = 7860,
    auth: Auth = "",
    weights: WeightFiles = None,
    max_upload: Largest = 50,
    max_pixels: MaxPixels = 50_000_000,
    max_minutes: Longest = 60.0,
    open_: Annotated[bool, typer.Option("--open", help="open the page in the browser")] = False,
) -> int:
    """See `nst.cli.commands`."""
    from nst.cli.host import host as plugins
    from nst.cli.progress import say
    from nst.ui.server import Server, address
    from nst.ui.uploads import Limits

    where = address(host, port, auth)
    limits = Limits(max_upload * 10**6, max_pixels, seconds=60 * max_minutes)
    server = Server(plugins(), where, weights=tuple(weights or ()), limits=limits)
    try:
        url = server.open()
        say(f"Ready: {url} (Ctrl-C stops it and deletes the uploaded and painted pictures)")
        if open_:
            typer.launch(url)
        Event().wait()
    except KeyboardInterrupt:
        say("Stopped")
    finally:
        server.close()
    return 0
