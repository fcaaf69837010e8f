"""The server of the page: where it listens, who may come in, and that nothing leaves the machine."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from nst.errors import NstError, UserError
from nst.plugins.host import Plugins
from nst.ui.form import Form
from nst.ui.service import Service
from nst.ui.uploads import Limits
from nst.ui.workers import Studio
from nst.worker.client import Worker

HOME = ("127.0.0.1", "localhost", "::1")
"""The addresses that nobody else can reach."""

QUIET = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "GRADIO_SSR_MODE": "False",
}
"""What Gradio reads when it is imported: it asks nobody for its version, and tells nobody of itself."""


LEGIBLE = {
    "button_primary_background_fill": "*primary_600",
    "button_primary_background_fill_hover": "*primary_700",
    "block_info_text_color": "*neutral_600",
    "block_info_text_color_dark": "*neutral_300",
    "body_text_color_subdued": "*neutral_600",
    "body_text_color_subdued_dark": "*neutral_300",
    "block_label_text_color": "*neutral_700",
    "block_title_text_color": "*neutral_800",
}
"""Where Gradio's own colors have too little contrast to be read."""


@dataclass(frozen=True)
class Address:
    """Where the page is served, and the name and password it is served to, None for everybody on this machine."""

    host: str = "127.0.0.1"
    port: int = 7860
    auth: tuple[str, str] | None = None


def address(host: str, port: int, auth: str) -> Address:
    """An address from `--host`, `--port` and `--auth user:password`. Raises `UserError`."""
    user, colon, password = auth.partition(":")
    if auth and not (user and colon and password):
        raise UserError("--auth is not USER:PASSWORD", "write it like --auth ada:lovelace")
    if host not in HOME and not auth:
        raise UserError(f"--host {host} lets others in", "say who may: --auth USER:PASSWORD")
    if not 0 <= port < 65536:
        raise UserError(f"--port must be 0 to 65535, not {port}", "0 takes one that is free")
    return Address(host, port, (user, password) if auth else None)


class Server:
    """The page, served from `open` to `close`."""

    def __init__(
        self, plugins: Plugins, where: Address, *, weights: tuple[str, ...] = (), limits: Limits | None = None
    ) -> None:
        self._where = where
        self.host = Service(plugins, Studio(Worker), Form(plugins, weights), limits)
        self._blocks: Any = None

    def open(self) -> str:
        """Listen; the page's address. Raises `NstError` where Gradio is missing, or the port is taken."""
        os.environ.update(QUIET | {"GRADIO_TEMP_DIR": str(self.host.visitors.cache)})
        where = self._where
        _check_free(where)
        launch, style = _gradio(self.host)
        try:
            self._blocks, url = launch(
                server_name=where.host,
                server_port=where.port or None,
                auth=where.auth,
                max_file_size=self.host.limits.size,
                css=_resource("page.css"),
                js=_resource("page.js"),
                **style,
            )
        except OSError as error:
            raise NstError(f"cannot listen at {where.host}:{where.port}: {error}", "give another --port") from None
        return url

    def close(self) -> None:
        """Stop listening, end what is being painted, and remove everything that was uploaded or painted."""
        self.host.studio.close()
        if self._blocks is not None:
            self._blocks.close(verbose=False)
        self.host.visitors.close()


def _check_free(where: Address) -> None:
    """Raise `NstError` where nobody can listen: Gradio, which takes seconds to import, would say so too."""
    try:
        family, *_, place = socket.getaddrinfo(where.host, where.port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(place)
    except OSError as error:
        problem = f"cannot listen at {where.host}:{where.port}: {error.strerror or error}"
        raise NstError(problem, "give another --port, or another --host") from None


def _resource(name: str) -> str:
    return (files("nst.ui") / name).read_text("utf-8")


def _gradio(host: Service) -> tuple[Callable[..., tuple[Any, str]], dict[str, Any]]:
    """Gradio's `launch` for the page, and how it is to look. Raises `NstError` where it is not installed."""
    try:
        import gradio as gr
        from gradio import processing_utils
    except ImportError as error:
        raise NstError(f"the page needs Gradio: {error}", "pip install 'nst[ui]'") from None
    from nst.ui.page import Page

    processing_utils.hash_seed = secrets.token_bytes(32)  # or an upload's address could be guessed from what is in it
    blocks = Page(host).build()
    blocks.queue(default_concurrency_limit=8)

    def launch(**how: Any) -> tuple[Any, str]:
        _, url, _ = blocks.launch(prevent_thread_lock=True, quiet=True, share=False, **how)
        return blocks, url

    plain = {"primary_hue": "indigo", "font": ["system-ui", "sans-serif"], "font_mono": ["ui-monospace", "monospace"]}
    theme = gr.themes.Default(**plain).set(**LEGIBLE)
    style = {"theme": theme, "footer_links": [], "run_history": False, "ssr_mode": False}
    return launch, style | {"pwa": False, "mcp_server": False, "enable_monitoring": False, "show_error": False}
