"""Serve the page: its address, its password, and Gradio's settings without any telemetry."""

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
from nst.ui.worker_pool import WorkerPool
from nst.worker.client import Worker

HOME = ("127.0.0.1", "localhost", "::1")
"""Addresses that only this machine can reach."""

QUIET = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "GRADIO_SSR_MODE": "False",
}
"""Environment variables for Gradio: no version check and no statistics."""

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
"""Replacements of Gradio's colors that have too little contrast."""


@dataclass(frozen=True)
class Address:
    """The host and port of the page, and its user and password (None: no password)."""

    host: str = "127.0.0.1"
    port: int = 7860
    auth: tuple[str, str] | None = None


def address(host: str, port: int, auth: str) -> Address:
    """Return the address for `--host`, `--port` and `--auth USER:PASSWORD`. Raise `UserError` if one is invalid."""
    user, colon, password = auth.partition(":")
    if auth and not (user and colon and password):
        raise UserError("--auth is not USER:PASSWORD", "write it like --auth ada:lovelace")
    if host not in HOME and not auth:
        raise UserError(f"--host {host} lets others in, and needs a password", "add --auth USER:PASSWORD")
    if not 0 <= port < 65536:
        raise UserError(f"--port must be 0 to 65535, not {port}", "0 chooses a free port")
    return Address(host, port, (user, password) if auth else None)


class Server:
    """The server of the page, from `open` to `close`."""

    def __init__(
        self, plugins: Plugins, where: Address, *, weights: tuple[str, ...] = (), limits: Limits | None = None
    ) -> None:
        self._where = where
        self.service = Service(plugins, WorkerPool(Worker), Form(plugins, weights), limits)
        self._blocks: Any = None

    def open(self) -> str:
        """Start the server and return its URL. Raise `NstError` if Gradio is missing or the port is in use."""
        os.environ.update(QUIET | {"GRADIO_TEMP_DIR": str(self.service.visitors.cache)})
        where = self._where
        _check_free(where)
        launch, style = _gradio(self.service)
        try:
            self._blocks, url = launch(
                server_name=where.host,
                server_port=where.port or None,
                auth=where.auth,
                max_file_size=self.service.limits.size,
                css=_resource("page.css"),
                js=_resource("page.js"),
                **style,
            )
        except OSError as error:
            raise NstError(f"cannot listen at {where.host}:{where.port}: {error}", "give another --port") from None
        return url

    def close(self) -> None:
        """Stop the server and every run, and delete all uploads and results."""
        self.service.workers.queue.close()
        self.service.workers.close()
        if self._blocks is not None:
            self._blocks.close(verbose=False)
        self.service.visitors.close()


def _check_free(where: Address) -> None:
    """Raise `NstError` if the port is in use, before Gradio is imported, which takes seconds."""
    try:
        family, *_, endpoint = socket.getaddrinfo(where.host, where.port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(endpoint)
    except OSError as error:
        problem = f"cannot listen at {where.host}:{where.port}: {error.strerror or error}"
        raise NstError(problem, "give another --port, or another --host") from None


def _resource(name: str) -> str:
    return (files("nst.ui") / name).read_text("utf-8")


def _gradio(service: Service) -> tuple[Callable[..., tuple[Any, str]], dict[str, Any]]:
    """Return Gradio's `launch` and its style options. Raise `NstError` if Gradio is not installed."""
    try:
        import gradio as gr
        from gradio import processing_utils
    except ImportError as error:
        raise NstError(f"the page needs Gradio: {error}", "pip install 'nst[ui]'") from None
    from nst.ui.page import Page

    processing_utils.hash_seed = secrets.token_bytes(32)  # the URL of an upload must not follow from its content
    blocks = Page(service).build()
    blocks.queue(default_concurrency_limit=8)

    def launch(**options: Any) -> tuple[Any, str]:
        _, url, _ = blocks.launch(prevent_thread_lock=True, quiet=True, share=False, **options)
        return blocks, url

    plain = {"primary_hue": "indigo", "font": ["system-ui", "sans-serif"], "font_mono": ["ui-monospace", "monospace"]}
    theme = gr.themes.Default(**plain).set(**LEGIBLE)
    style = {"theme": theme, "footer_links": [], "run_history": False, "ssr_mode": False}
    return launch, style | {"pwa": False, "mcp_server": False, "enable_monitoring": False, "show_error": False}
