"""Download a file, resume broken downloads, and verify the digest before the file appears.

Bytes go to `<path>.part`; `<path>.part.json` stores the server's name for that version of the file; only a verified
file moves to `path`. A broken connection leaves both files, and the next call resumes from them; any other failure
removes both. `<path>.lock`, empty and never removed, stops two processes from writing the same `.part`. Processes share
one `.part`, so that any later process can resume it.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nst.errors import NstError, UserError

CHUNK = 2**18
PAUSES = (0.25, 0.5, 1.0, 2.0)
"""Seconds before each new attempt after a dropped connection."""

LARGEST = 4 * 2**30
"""Bytes that a server may send, or say it would: more would only fill the disk."""

DownloadProgress = Callable[[int, int], None]
"""Called with the bytes done and the bytes in all, the latter 0 where the server does not say."""


def download(
    url: str, path: Path, *, sha256: str, on_progress: DownloadProgress | None = None, timeout: float = 30.0
) -> Path:
    """Download `url` (http, https or file) to `path`, unless a verified file exists there.

    `sha256` is the hex digest or its first 8 or more digits; `timeout` is in seconds without a byte. A file at
    `path` with another digest is replaced after the download is complete. Raises `UserError` for an invalid URL or
    digest, `NstError` for a failure of the network, the server or the disk.
    """
    from filelock import FileLock  # here, as below: every run imports this module, and few download

    _check(url, sha256)
    try:
        if not _verified(path, sha256):
            path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{path}.lock"):
                if not _verified(path, sha256):  # another process may just have brought it
                    _bring(url, path, sha256.lower(), on_progress or _silent, timeout)
    except OSError as error:
        hint = f"check the free space and the permissions of '{path.parent}'"
        raise NstError(f"cannot write '{path}': {error.strerror or error}", hint) from error
    return path


def sha256_of(path: Path) -> str:
    """Return the file's SHA-256 in hex. Raises `NstError` if the file cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise NstError(f"cannot read '{path}': {error.strerror or error}") from error


def megabytes(size: int) -> str:
    """Format a size in bytes as MB of 2**20 bytes, as torch and torchvision do: VGG-19 is 548 MB."""
    if size < 2**20:
        return f"{size:,} bytes"
    return f"{size / 2**20:.{0 if size >= 10 * 2**20 else 1}f} MB"


def _silent(done: int, total: int) -> None:
    pass


def _check(url: str, sha256: str) -> None:
    if url.partition(":")[0].lower() not in ("http", "https", "file"):
        raise UserError(f"cannot download '{url}'", "the address must begin with https:, http: or file:")
    if not 8 <= len(sha256) <= 64 or set(sha256.lower()) - set("0123456789abcdef"):
        raise UserError(f"'{sha256}' is not a SHA-256", "give its 64 hex digits, or at least the first 8")


def _verified(path: Path, sha256: str) -> bool:
    return path.is_file() and sha256_of(path).startswith(sha256.lower())


def _by_hand(url: str, path: Path) -> str:
    return f"get {url} by hand and put it at '{path}', or use another file with --weights FILE"


class _NetworkError(Exception):
    """A connection that failed or ended early; the received bytes are kept."""


@dataclass
class _Part:
    """The received part of one version of the file at `url`."""

    url: str
    file: Path
    validator: str = ""  # the version's ETag or Last-Modified
    size: int = 0  # bytes on disk
    total: int = 0  # bytes announced, 0 where they were not
    received: int = 0  # bytes that came during this call
    page: bool = False  # announced as HTML
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)  # of the bytes on disk

    @property
    def sidecar(self) -> Path:
        return self.file.with_name(f"{self.file.name}.json")

    def recall(self) -> None:
        """Load the part of an earlier call, if it belongs to this URL and to a known version."""
        with suppress(OSError, ValueError):  # absent, or not JSON: nothing to continue
            match json.loads(self.sidecar.read_bytes()):
                case {"url": self.url, "validator": str(known)} if known.isascii() and known.isprintable():
                    with self.file.open("rb") as file:
                        self.digest = hashlib.file_digest(file, "sha256")
                        self.size, self.validator = file.tell(), known

    def resume_headers(self) -> dict[str, str]:
        """Return the request headers for the missing bytes; none if resuming could mix two versions."""
        if not (self.size and self.validator):
            return {}
        return {"Range": f"bytes={self.size}-", "If-Range": self.validator}

    def continued_by(self, response: Any) -> bool:
        """Return whether the response continues the part on disk."""
        continues = response.headers.get("Content-Range", "").startswith(f"bytes {self.size}-")
        return bool(response.status == 206 and continues and _validator(response) in ("", self.validator))

    def start_over(self, validator: str) -> None:
        """Drop the part on disk and expect the response's version."""
        self.file.write_bytes(b"")  # before the sidecar: old bytes must never go by a new name
        self.sidecar.write_text(json.dumps({"url": self.url, "validator": validator}), encoding="utf-8")
        self.size, self.validator, self.digest = 0, validator, hashlib.sha256()

    def note(self, chunk: bytes) -> None:
        """Count and hash newly written bytes."""
        self.digest.update(chunk)
        self.size += len(chunk)
        self.received += len(chunk)

    def remove(self) -> None:
        """Remove the part and its description."""
        for file in (self.file, self.sidecar):
            with suppress(OSError):  # the error worth telling is the one that led here
                file.unlink()


def _validator(response: Any) -> str:
    """Return the validator that names this version of the file exactly; a weak ETag does not (RFC 9110, 13.1.5)."""
    etag, modified = (str(response.headers.get(name, "")) for name in ("ETag", "Last-Modified"))
    return modified if etag.startswith("W/") else etag or modified


def _bring(url: str, path: Path, sha256: str, on_progress: DownloadProgress, timeout: float) -> None:
    part = _Part(url, path.with_name(f"{path.name}.part"))
    part.recall()
    try:
        if not (part.size and part.digest.hexdigest().startswith(sha256)):
            _receive_all(part, path, on_progress, timeout)
        _accept(part, path, sha256)
    except OSError:
        part.remove()
        raise


def _receive_all(part: _Part, path: Path, on_progress: DownloadProgress, timeout: float) -> None:
    """Receive to the end; reconnect when a connection drops after receiving bytes."""
    for pause in (*PAUSES, None):
        try:
            return _receive(part, on_progress, timeout)
        except _NetworkError as error:
            if pause is None or not part.received:
                again = f"call again to continue after {megabytes(part.size)}, or " if part.size else ""
                hint = again + _by_hand(part.url, path)
                raise NstError(f"cannot download {part.url}: {error}", hint) from error
            time.sleep(pause)


def _receive(part: _Part, on_progress: DownloadProgress, timeout: float) -> None:
    """Receive bytes from one connection."""
    with _connect(part, timeout) as response:
        if not part.continued_by(response):
            part.start_over(_validator(response))
        part.page = response.headers.get_content_type() == "text/html"
        length = response.headers.get("Content-Length", "")
        part.total = part.size + int(length) if length.isdecimal() else 0
        _check_size(part, part.total)
        with part.file.open("ab") as file:
            while chunk := _read(response, part.total - part.size if part.total else CHUNK):
                file.write(chunk)
                part.note(chunk)
                _check_size(part, part.size)
                on_progress(part.size, part.total)
            file.flush()
            os.fsync(file.fileno())
    if part.size < part.total:
        raise _NetworkError(f"the connection ended after {part.size:,} of {part.total:,} bytes")


def _check_size(part: _Part, size: int) -> None:
    """Raise `NstError` and keep nothing if the file is larger than any network's weights."""
    if size > LARGEST:
        part.remove()
        message = f"{part.url} is larger than {megabytes(LARGEST)}, as no network is; nothing was kept"
        raise NstError(message, _by_hand(part.url, part.file.with_suffix("")))


def _read(response: Any, left: int) -> bytes:
    """Read the bytes that have arrived, at most `left`; a wait for a full chunk could lose them."""
    from http.client import HTTPException

    try:
        return bytes(response.read1(min(left, CHUNK)))
    except (OSError, HTTPException) as error:
        raise _NetworkError(f"the connection broke ({error})") from error


def _connect(part: _Part, timeout: float) -> Any:
    """Open a response that continues the partial file, or one with the complete file."""
    response = _open(part.url, part.resume_headers(), timeout)
    if response.status not in (206, 416) or part.continued_by(response):
        return response
    response.close()  # the middle of another version, or past its end
    return _open(part.url, {}, timeout)


def _open(url: str, headers: Mapping[str, str], timeout: float) -> Any:
    from http.client import HTTPException
    from urllib.error import HTTPError, URLError
    from urllib.request import Request, urlopen

    try:
        return urlopen(Request(url, headers={"User-Agent": "nst", **headers}), timeout=timeout)
    except HTTPError as error:
        if error.code == 416 and headers:
            return error
        error.close()
        raise _NetworkError(f"the server answered {error.code} {error.reason}") from error
    except URLError as error:
        raise _NetworkError(str(error.reason)) from error
    except (OSError, HTTPException, ValueError) as error:
        raise _NetworkError(str(error) or type(error).__name__) from error


def _accept(part: _Part, path: Path, sha256: str) -> None:
    """Move the part to its place, or remove it and describe its content in the error."""
    digest = part.digest.hexdigest()
    if digest.startswith(sha256):
        os.replace(part.file, path)
        return part.remove()
    with part.file.open("rb") as file:
        kind = "an HTML page of " if part.page or file.read(64).lstrip().startswith(b"<") else ""
    part.remove()
    size = f"{kind}{part.size:,} of {f'{part.total:,}' if part.total else 'an unknown number of'} bytes"
    expected = sha256 if len(sha256) == 64 else f"{sha256}…"
    message = f"{path.name}: got {size}, SHA-256 {digest}; expected SHA-256 {expected}; nothing was kept"
    raise NstError(message, _by_hand(part.url, path))
