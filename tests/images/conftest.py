"""What the tests of pictures share: color profiles made byte by byte."""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np
import pytest

D50 = (0.9642, 1.0, 0.8249)
P3 = ((0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841))  # red, green, blue as XYZ
Profiles = Callable[..., bytes]


def gamma(exponent: float) -> bytes:
    """A curve of one exponent."""
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(exponent * 256)) + b"\0\0"


def xyz(values: tuple[float, ...]) -> bytes:
    return b"XYZ \0\0\0\0" + np.rint(np.array(values) * 65536).astype(">i4").tobytes()


def assembled(space: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    """A profile of a color space and its connection space, with tags."""
    start = 132 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        table += name + struct.pack(">II", start + len(body), len(content))
        body += content + b"\0" * (-len(content) % 4)
    kind = b"mntr" if space != b"CMYK" else b"prtr"
    header = struct.pack(">I4sI", start + len(body), b"test", 0x02400000) + kind + space + connection
    header += struct.pack(">6H", 2024, 1, 1, 0, 0, 0) + b"acsp" + b"\0" * 28
    return (header + xyz(D50)[8:]).ljust(128, b"\0") + table + body


@pytest.fixture(scope="session")
def matrix_profile() -> Profiles:
    """`matrix_profile(curve, columns)`: RGB by a curve and its primaries, Display P3's unless told otherwise."""

    def make(curve: bytes = gamma(2.2), columns: tuple[tuple[float, ...], ...] = P3) -> bytes:
        tags = {name + b"XYZ": xyz(column) for name, column in zip((b"r", b"g", b"b"), columns, strict=True)}
        tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
        return assembled(b"RGB ", b"XYZ ", tags | {b"wtpt": xyz(D50)})

    return make


@pytest.fixture(scope="session")
def gray_profile() -> Profiles:
    """`gray_profile(exponent)`."""
    return lambda exponent: assembled(b"GRAY", b"XYZ ", {b"kTRC": gamma(exponent), b"wtpt": xyz(D50)})


@pytest.fixture(scope="session")
def table_profile() -> Profiles:
    """`table_profile(space, channel)`: a table in which lightness is one channel, and there is no color."""

    def make(space: bytes, channel: int) -> bytes:
        inputs = 4 if space == b"CMYK" else 3
        corners = np.indices((2,) * inputs).reshape(inputs, -1)[channel]
        lightness = (1 - corners if space == b"CMYK" else corners) * 255
        table = np.stack([lightness, np.full_like(lightness, 128), np.full_like(lightness, 128)], axis=-1)
        straight = bytes(range(256))
        head = b"mft1\0\0\0\0" + bytes([inputs, 3, 2, 0]) + (np.eye(3) * 65536).astype(">i4").tobytes()
        lut = head + straight * inputs + table.astype(np.uint8).tobytes() + straight * 3
        return assembled(space, b"Lab ", {b"A2B0": lut, b"wtpt": xyz(D50)})

    return make
