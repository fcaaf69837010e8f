"""What `nst.io.download` promises, held against a real HTTP server on this machine that misbehaves on request."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import nst.io.download
from nst.errors import NstError, UserError
from nst.io.download import download, megabytes, sha256_of

BODY = bytes(range(256)) * 1200
OTHER = BODY[::-1] + b"longer"
HTML = b"<!doctype html><title>Please sign in</title>"
NAME = "vgg.safetensors"


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@dataclass
class Site:
    """A server with one file: what it is and how the server behaves."""

    body: bytes = BODY
    version: dict[str, str] = field(default_factory=lambda: {"ETag": '"one"'})
    status: int = 200
    kind: str = "application/octet-stream"
    ranges: bool = True
    block: int = 1  # a Range begins at a multiple of this
    careless: bool = False  # answers a Range whatever its If-Range says
    chunked: bool = False
    cuts: list[int] = field(default_factory=list)  # where to break off each of the next bodies
    reset: bool = False  # break off with a TCP reset
    stall: bool = False  # break off by silence
    hold: threading.Event = field(default_factory=threading.Event)  # what every body waits for, once cleared
    over: threading.Event = field(default_factory=threading.Event)
    requests: list[dict[str, str]] = field(default_factory=list)
    url: str = ""

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        self.requests.append(dict(handler.headers))
        if self.status != 200:
            return handler.send_error(self.status)
        start = self._start(handler.headers.get("Range"), handler.headers.get("If-Range"))
        if start and start >= len(self.body):
            return handler.send_error(416)
        handler.send_response(206 if start else 200)
        for name, value in self._headers(start).items():
            handler.send_header(name, value)
        handler.end_headers()
        self._send(handler, self.body[start:])

    def _start(self, wanted: str | None, version: str | None) -> int:
        same = self.careless or version is None or version in self.version.values()
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.ranges and same else 0
        return start - start % self.block

    def _headers(self, start: int) -> dict[str, str]:
        size = len(self.body)
        length = {"Transfer-Encoding": "chunked"} if self.chunked else {"Content-Length": str(size - start)}
        part = {"Content-Range": f"bytes {start}-{size - 1}/{size}"} if start else {}
        return {"Content-Type": self.kind, **self.version, **length, **part}

    def _send(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        cut = self.cuts.pop(0) if self.cuts else None
        self.hold.wait(10)
        piece = body[:cut]
        handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if self.chunked else piece)
        if self.chunked and cut is None:
            handler.wfile.write(b"0\r\n\r\n")
        if self.stall and cut is not None:
            self.over.wait(10)
        if self.reset and cut is not None:
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            handler.connection.close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, site: Site, *args: object) -> None:
        self.site = site
        super().__init__(*args)

    def do_GET(self) -> None:
        self.close_connection = True
        self.site.answer(self)

    def log_message(self, *args: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *args: object) -> None:
        """A client that hangs up is what these tests are about."""


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    site.hold.set()
    with Server(("127.0.0.1", 0), functools.partial(Handler, site)) as server:
        site.url = f"http://127.0.0.1:{server.server_port}/{NAME}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield site
        site.hold.set()
        site.over.set()
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nst.io.download, "PAUSES", (0.01, 0.01, 0.01))
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "cache" / NAME


def left(target: Path) -> set[str]:
    """What lies in the cache but the lock, by the suffix to the target's name."""
    found = {entry.name.removeprefix(NAME) for entry in target.parent.iterdir()} if target.parent.exists() else set()
    return found - {".lock"}


def interrupt(site: Site, target: Path, at: int = 100_000) -> None:
    """Leave the first `at` bytes in the cache, as a connection that drops for good does."""
    site.cuts = [at, 0, 0, 0]
    with pytest.raises(NstError):
        download(site.url, target, sha256=digest(site.body))
    assert target.with_name(f"{NAME}.part").read_bytes() == site.body[:at]
    site.requests.clear()


class TestArrival:
    @pytest.mark.parametrize("sha256", [digest(BODY), digest(BODY)[:8], digest(BODY).upper()])
    def test_a_file_arrives_whole_and_alone(self, site: Site, target: Path, sha256: str) -> None:
        assert download(site.url, target, sha256=sha256) == target
        assert target.read_bytes() == BODY
        assert left(target) == {""}

    def test_progress_grows_from_nothing_to_all(self, site: Site, target: Path) -> None:
        calls: list[tuple[int, int]] = []
        download(site.url, target, sha256=digest(BODY), on_progress=lambda *call: calls.append(call))
        assert [done for done, _ in calls] == sorted({done for done, _ in calls})
        assert calls[-1] == (len(BODY), len(BODY))
        assert {total for _, total in calls} == {len(BODY)}

    @pytest.mark.parametrize("sha256", [digest(BODY)[:8], digest(BODY).upper()])
    def test_a_file_that_is_there_costs_no_request(self, site: Site, target: Path, sha256: str) -> None:
        target.parent.mkdir()
        target.write_bytes(BODY)
        assert download(site.url, target, sha256=sha256) == target
        assert site.requests == []

    def test_a_file_with_another_digest_is_replaced(self, site: Site, target: Path) -> None:
        target.parent.mkdir()
        target.write_bytes(b"half of it")
        download(site.url, target, sha256=digest(BODY))
        assert target.read_bytes() == BODY

    def test_a_file_url(self, tmp_path: Path, target: Path) -> None:
        (tmp_path / "original").write_bytes(BODY)
        download((tmp_path / "original").as_uri(), target, sha256=digest(BODY))
        assert target.read_bytes() == BODY

    def test_a_server_that_does_not_announce_the_length(self, site: Site, target: Path) -> None:
        site.chunked = True
        totals: list[int] = []
        download(site.url, target, sha256=digest(BODY), on_progress=lambda done, total: totals.append(total))
        assert target.read_bytes() == BODY
        assert set(totals) == {0}


class TestResuming:
    @pytest.mark.parametrize("version", [{"ETag": '"one"'}, {"Last-Modified": "Mon, 01 Jan 2024 00:00:00 GMT"}])
    def test_a_dropped_connection_is_taken_up_where_it_broke(
        self, site: Site, target: Path, version: dict[str, str]
    ) -> None:
        site.version, site.cuts = version, [100_000, 50_000]
        download(site.url, target, sha256=digest(BODY))
        assert target.read_bytes() == BODY
        asked = [(request.get("Range"), request.get("If-Range")) for request in site.requests]
        known = next(iter(version.values()))
        assert asked == [(None, None), ("bytes=100000-", known), ("bytes=150000-", known)]

    @pytest.mark.parametrize("how", ["reset", "stall", "chunked"])
    def test_however_it_broke(self, site: Site, target: Path, how: str) -> None:
        site.cuts = [100_000]
        setattr(site, how, True)
        began = time.monotonic()
        download(site.url, target, sha256=digest(BODY), timeout=0.2)
        assert target.read_bytes() == BODY
        assert len(site.requests) == 2
        assert time.monotonic() - began < 5

    def test_a_connection_that_keeps_dropping_leaves_what_came_for_the_next_call(
        self, site: Site, target: Path
    ) -> None:
        site.cuts = [100_000, 1, 1, 1]
        with pytest.raises(NstError, match="100,003 of 307,200") as raised:
            download(site.url, target, sha256=digest(BODY))
        assert "call again to continue" in raised.value.hint
        assert left(target) == {".part", ".part.json"}
        calls: list[int] = []
        download(site.url, target, sha256=digest(BODY), on_progress=lambda done, total: calls.append(done))
        assert site.requests[-1]["Range"] == "bytes=100003-"
        assert calls[0] > 100_003
        assert target.read_bytes() == BODY
        assert left(target) == {""}

    def test_ctrl_c_leaves_what_came_for_the_next_call(self, site: Site, target: Path) -> None:
        def stop(done: int, total: int) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            download(site.url, target, sha256=digest(BODY), on_progress=stop)
        assert left(target) == {".part", ".part.json"}
        download(site.url, target, sha256=digest(BODY))
        assert site.requests[-1]["Range"].startswith("bytes=")
        assert target.read_bytes() == BODY

    @settings(max_examples=15)
    @given(at=st.integers(0, len(BODY)))
    @example(at=0)
    @example(at=len(BODY))
    def test_from_any_byte_on(self, site: Site, target: Path, at: int) -> None:
        target.parent.mkdir(exist_ok=True)
        target.unlink(missing_ok=True)
        target.with_name(f"{NAME}.part").write_bytes(BODY[:at])
        target.with_name(f"{NAME}.part.json").write_text(json.dumps({"url": site.url, "validator": '"one"'}))
        site.requests.clear()
        download(site.url, target, sha256=digest(BODY))
        assert target.read_bytes() == BODY
        assert left(target) == {""}
        assert [request.get("Range") for request in site.requests] == {
            0: [None],
            len(BODY): [],
        }.get(at, [f"bytes={at}-"])

    @pytest.mark.parametrize(
        ("change", "requests"),
        [
            pytest.param({"version": {"ETag": '"two"'}}, 1, id="another version"),
            pytest.param({"version": {"ETag": '"two"'}, "careless": True}, 2, id="another version, If-Range ignored"),
            pytest.param({"ranges": False}, 1, id="no ranges"),
            pytest.param({"body": BODY, "block": 4096}, 2, id="another range than asked for"),
            pytest.param({"body": OTHER[:5000], "careless": True}, 2, id="shorter now: 416"),
        ],
    )
    def test_it_starts_over_where_continuing_would_mix_versions(
        self, site: Site, target: Path, change: dict[str, object], requests: int
    ) -> None:
        interrupt(site, target)
        for name, value in {"body": OTHER, **change}.items():
            setattr(site, name, value)
        download(site.url, target, sha256=digest(site.body))
        assert target.read_bytes() == site.body
        assert len(site.requests) == requests

    @pytest.mark.parametrize("version", [{}, {"ETag": 'W/"one"'}])
    def test_it_starts_over_where_the_server_does_not_name_its_version(
        self, site: Site, target: Path, version: dict[str, str]
    ) -> None:
        site.version, site.cuts = version, [100_000]
        download(site.url, target, sha256=digest(BODY))
        assert target.read_bytes() == BODY
        assert "Range" not in site.requests[-1]

    @pytest.mark.parametrize(
        "sidecar",
        [
            b"",
            b"\xff\x00",
            b"[1]",
            b'{"url": 1}',
            b'{"url": "http://elsewhere/", "validator": "\\"one\\""}',
            b'{"url": "URL", "validator": "a\\r\\nHost: b"}',
            b'{"url": "URL", "validator": "\\u20ac"}',
            b'{"url": "URL", "validator": null}',
        ],
    )
    def test_it_starts_over_from_a_part_of_unknown_origin(self, site: Site, target: Path, sidecar: bytes) -> None:
        interrupt(site, target)
        target.with_name(f"{NAME}.part").write_bytes(b"x" * 1000)
        target.with_name(f"{NAME}.part.json").write_bytes(sidecar.replace(b"URL", site.url.encode()))
        download(site.url, target, sha256=digest(BODY))
        assert target.read_bytes() == BODY
        assert [request.get("Range") for request in site.requests] == [None]


class TestRefusals:
    @pytest.mark.parametrize(
        ("behavior", "what"),
        [
            pytest.param({"body": OTHER}, f"{len(OTHER):,} of {len(OTHER):,} bytes", id="another file"),
            pytest.param({"body": BODY[:999]}, "999 of 999 bytes", id="truncated at its origin"),
            pytest.param({"body": BODY[:999], "chunked": True}, "999 of an unknown number", id="without a length"),
            pytest.param({"body": b""}, "0 of", id="nothing"),
            pytest.param({"body": HTML}, "an HTML page", id="a page, by its first character"),
            pytest.param(
                {"body": b"Sign in!", "kind": "text/html; charset=utf-8"}, "an HTML page", id="a page, by type"
            ),
        ],
    )
    @pytest.mark.parametrize("resumed", [False, True])
    def test_what_is_not_the_file_is_told_and_removed(
        self, site: Site, target: Path, behavior: dict[str, object], what: str, resumed: bool
    ) -> None:
        if resumed:
            interrupt(site, target)
        for name, value in {"version": {"ETag": '"two"'}, **behavior}.items():
            setattr(site, name, value)
        with pytest.raises(NstError) as raised:
            download(site.url, target, sha256=digest(BODY))
        for fact in (NAME, what, digest(site.body), digest(BODY)):
            assert fact in raised.value.message
        assert left(target) == set()

    @pytest.mark.parametrize("chunked", [False, True], ids=["announced", "unannounced"])
    def test_a_server_without_end_does_not_fill_the_disk(
        self, site: Site, target: Path, monkeypatch: pytest.MonkeyPatch, chunked: bool
    ) -> None:
        monkeypatch.setattr("nst.io.download.LARGEST", len(site.body) - 1)
        site.chunked = chunked
        with pytest.raises(NstError, match=r"is larger than .*, as no network is; nothing was kept"):
            download(site.url, target, sha256=digest(BODY))
        assert left(target) == set()

    def test_a_part_that_went_wrong_is_not_kept_to_go_wrong_forever(self, site: Site, target: Path) -> None:
        interrupt(site, target)
        with open(target.with_name(f"{NAME}.part"), "r+b") as file:
            file.write(b"flipped")
        with pytest.raises(NstError, match="nothing was kept"):
            download(site.url, target, sha256=digest(BODY))
        assert left(target) == set()
        download(site.url, target, sha256=digest(BODY))
        assert target.read_bytes() == BODY

    @pytest.mark.parametrize("status", [403, 404, 500])
    def test_an_http_error_says_how_to_do_without(self, site: Site, target: Path, status: int) -> None:
        site.status = status
        with pytest.raises(NstError, match=str(status)) as raised:
            download(site.url, target, sha256=digest(BODY))
        assert str(target) in raised.value.hint
        assert "--weights FILE" in raised.value.hint
        assert left(target) == set()
        assert len(site.requests) == 1

    @pytest.mark.parametrize("url", ["http://nst.invalid/x", "http://127.0.0.1:9/x", "file:///nst/none", "http://a b/"])
    def test_so_does_an_address_that_cannot_be_reached(self, target: Path, url: str) -> None:
        with pytest.raises(NstError) as raised:
            download(url, target, sha256=digest(BODY))
        assert url in raised.value.message
        assert str(target) in raised.value.hint
        assert left(target) == set()

    def test_an_http_error_does_not_cost_what_had_come(self, site: Site, target: Path) -> None:
        interrupt(site, target)
        site.status = 503
        with pytest.raises(NstError, match="503"):
            download(site.url, target, sha256=digest(BODY))
        assert left(target) == {".part", ".part.json"}

    @pytest.mark.parametrize("url", ["ftp://host/x", "/etc/passwd", "", "data:,x"])
    def test_other_schemes(self, target: Path, url: str) -> None:
        with pytest.raises(UserError, match="cannot download"):
            download(url, target, sha256=digest(BODY))

    @pytest.mark.parametrize("sha256", ["", "abcdef1", "not hex at all", "0" * 65])
    def test_digests_that_cannot_be(self, site: Site, target: Path, sha256: str) -> None:
        with pytest.raises(UserError, match="not a SHA-256"):
            download(site.url, target, sha256=sha256)
        assert site.requests == []


class TestDisk:
    def test_a_folder_that_cannot_be(self, site: Site, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("in the way")
        target = tmp_path / "file" / NAME
        with pytest.raises(NstError, match="cannot write") as raised:
            download(site.url, target, sha256=digest(BODY))
        assert str(target) in raised.value.message

    def test_a_folder_in_the_file_s_place(self, site: Site, target: Path) -> None:
        target.mkdir(parents=True)
        with pytest.raises(NstError, match="cannot write"):
            download(site.url, target, sha256=digest(BODY))
        assert left(target) == {""}

    def test_a_disk_that_is_full(self, site: Site, target: Path) -> None:
        resource = pytest.importorskip("resource")
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
        try:
            with pytest.raises(NstError, match="cannot write"):
                download(site.url, target, sha256=digest(BODY))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert left(target) == set()

    def test_the_digest_of_a_file_that_cannot_be_read(self, tmp_path: Path) -> None:
        with pytest.raises(NstError, match="cannot read"):
            sha256_of(tmp_path)


class TestProcesses:
    def start(self, site: Site, target: Path) -> subprocess.Popen[str]:
        code = (
            "import sys; from pathlib import Path; from nst.io.download import download; print('ready', flush=True); "
        )
        code += "download(sys.argv[1], Path(sys.argv[2]), sha256=sys.argv[3])"
        process = subprocess.Popen(
            [sys.executable, "-c", code, site.url, str(target), digest(BODY)],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        return process

    def test_two_at_once_share_one_download(self, site: Site, target: Path) -> None:
        site.hold.clear()
        with self.start(site, target) as one, self.start(site, target) as two:
            time.sleep(0.3)  # long enough for both to ask, if both were going to
            site.hold.set()
            assert (one.wait(10), two.wait(10)) == (0, 0)
        assert len(site.requests) == 1
        assert target.read_bytes() == BODY
        assert left(target) == {""}

    def test_a_killed_one_neither_blocks_nor_costs_what_had_come(self, site: Site, target: Path) -> None:
        site.stall, site.cuts = True, [250_000]
        part = target.with_name(f"{NAME}.part")
        with self.start(site, target) as process:
            limit = time.monotonic() + 5
            while not (part.exists() and part.stat().st_size > 100_000) and time.monotonic() < limit:
                time.sleep(0.01)
            process.send_signal(signal.SIGTERM if os.name == "nt" else signal.SIGKILL)
        kept = part.stat().st_size
        download(site.url, target, sha256=digest(BODY))
        assert site.requests[-1]["Range"] == f"bytes={kept}-"
        assert target.read_bytes() == BODY
        assert left(target) == {""}

    def test_importing_it_imports_no_network_code(self) -> None:
        heavy = {"urllib.request", "http.client", "ssl", "filelock", "numpy"}
        code = f"import sys, nst.io.download; print({heavy} & set(sys.modules))"
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "set()"


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 bytes"), (2758, "2,758 bytes"), (2_758_544, "2.6 MB"), (40_051_696, "38 MB"), (574_673_361, "548 MB")],
)
def test_sizes_for_people(size: int, text: str) -> None:
    assert megabytes(size) == text
