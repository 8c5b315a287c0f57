"""Captures made byte by byte, as recorders of any age would have written them."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from refengine.tables.event_types import BY_ENUM

TIME = 1_700_000_000_000_000_000


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    body += b"\0" * (-len(body) % 4)
    length = len(body) + 12
    return struct.pack(order + "II", kind, length) + body + struct.pack(order + "I", length)


def section(order: str = "<", major: int = 1, minor: int = 2) -> bytes:
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, major, minor, -1), order)


def event(
    enum: str,
    *values: bytes,
    tid: int = 7,
    time: int = TIME,
    cpu: int = 0,
    version: int = 2,
    flags: int | None = None,
    order: str = "<",
    count: int | None = None,
) -> bytes:
    """A block with an event whose parameters have these bytes; `count` lies about their number."""
    row = BY_ENUM[enum]
    code = "I" if "large_payload" in row.flags else "H"
    lengths = struct.pack(f"{order}{len(values)}{code}", *map(len, values))
    payload = lengths + b"".join(values)
    number = b"" if version == 1 else struct.pack(order + "I", len(values) if count is None else count)
    size = 22 + len(number) + len(payload)
    head = struct.pack(order + "QqIH", time, tid, size, row.code) + number
    front = struct.pack(order + "H", cpu) + (b"" if flags is None else struct.pack(order + "I", flags))
    kinds = {(1, False): 0x204, (1, True): 0x208, (2, False): 0x216, (2, True): 0x217}
    return block(kinds[version, flags is not None], front + head + payload, order)


def i64(value: int, order: str = "<") -> bytes:
    return struct.pack(order + "q", value)


def u32(value: int, order: str = "<") -> bytes:
    return struct.pack(order + "I", value)


def text(value: str) -> bytes:
    return value.encode() + b"\0"


def capture(*blocks: bytes, order: str = "<") -> bytes:
    return section(order) + b"".join(blocks)


def counted(data: bytes) -> bytes:
    return struct.pack("<H", len(data)) + data


def process(version: int, tid: int, comm: str, later: bytes | None = None) -> bytes:
    """An entry of a process list; `later` are the fields that entries with a length gained."""
    parts = [struct.pack("<qqq", tid, tid, 1)]
    if version >= 6:
        parts.append(struct.pack("<q", 40))
    if version >= 8:
        parts.append(struct.pack("<q", 41))
    parts += [counted(comm.encode()), counted(b"/bin/" + comm.encode())]
    if version >= 7:
        parts.append(counted(b"/usr/bin/" + comm.encode()))
    parts += [counted(b"-a\0b c\0"), counted(b"/srv"), struct.pack("<qIII", 1024, 0, 1000, 100)]
    if version >= 2:
        parts.append(struct.pack("<IIIQQ", 10, 20, 30, 40, 50))
    if version >= 3:
        parts.append(counted(b"A=1\0B=2\0"))
    if version >= 4:
        parts += [struct.pack("<qq", 3, 4), counted(b"cpu=/x\0")]
    if version >= 5:
        parts.append(counted(b"/"))
    body = b"".join(parts) + (later or b"")
    return struct.pack("<I", len(body) + 4) + body if version >= 9 else body


def names(items: Sequence[object]) -> list[str]:
    return [getattr(item, "name", "") for item in items]
