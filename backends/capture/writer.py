"""Writing of captures: current events and the tables in front of them, in the byte order of x86."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from pathlib import Path
from struct import Struct
from typing import BinaryIO

from refengine.backends.capture import blocks, sections
from refengine.backends.capture.encode import Encode, encoders_of, join_texts, text_bytes
from refengine.backends.capture.sections import (
    DescriptorRecord,
    GroupRecord,
    InterfaceRecord,
    MachineInfo,
    ProcessRecord,
    UserRecord,
)
from refengine.backends.capture.tables import SystemTables
from refengine.errors import BackendError
from refengine.event import Event
from refengine.event.sockets import InetAddress, InetTuple, UnixTuple

MINOR_VERSION = 2
MAX_TABLE = 1 << 20
"""A list is ended and another begun when it has reached this many bytes."""
MAX_EVENT = 0xF000
"""Texts and buffers of an event are cut so that it stays below the size that every reader accepts."""

_BLOCK = Struct("<II")
_LENGTH = Struct("<I")
_SHORT = Struct("<H")
_EVENT = Struct("<HQqIHI")
_EVENT_HEADER = _EVENT.size - 2
_SECTION = Struct("<IHHQ")
_MACHINE = Struct("<IQQ128sQQQQ")
_IDS = Struct("<qqqqq")
_LIMITS = Struct("<qIII")
_SIZES = Struct("<IIIQQ")
_VIRTUAL = Struct("<qq")
_LATER = Struct("<QIIBQQQBQQQBBq")
_DESCRIPTOR = Struct("<qQB")


class CaptureWriter:
    """A capture being written to `path`, gzip-compressed if asked for; also a context manager.

    The section header is written at once; tables, if any, must come before the first event.

    :raises BackendError: when the file cannot be written, here and in every method.
    """

    def __init__(self, path: Path, *, compress: bool = False) -> None:
        self.path = path
        self.events = 0
        self._encoders: dict[int, tuple[Encode, ...]] = {}
        self._lengths: dict[tuple[int, bool], Struct] = {}
        try:
            self._file = path.open("wb")
        except OSError as error:
            raise self._failure(error) from error
        self._stream: BinaryIO | gzip.GzipFile = self._file
        if compress:
            self._stream = gzip.GzipFile(fileobj=self._file, mode="wb", compresslevel=6)
        self._block(
            blocks.SECTION_HEADER, _SECTION.pack(blocks.MAGIC, blocks.MAJOR_VERSION, MINOR_VERSION, 2**64 - 1)
        )

    def __enter__(self) -> CaptureWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def write_tables(self, tables: SystemTables) -> None:
        """Write what is known of the machine before the events."""
        if tables.machine is not None:
            self._block(0x201, _machine(tables.machine))
        self._entries(0x219, b"", (_interface(entry) for entry in tables.interfaces), counts_itself=False)
        accounts: list[UserRecord | GroupRecord] = [*tables.users, *tables.groups]
        self._entries(0x220, b"", (_account(entry) for entry in accounts))
        self._entries(0x215, b"", (_process(entry) for entry in tables.processes))
        by_thread: dict[int, list[DescriptorRecord]] = {}
        for record in tables.descriptors:
            by_thread.setdefault(record.tid, []).append(record)
        for tid, records in by_thread.items():
            head = Struct("<q").pack(tid)
            self._entries(0x218, head, (_descriptor(record) for record in records))

    def write(self, event: Event) -> None:
        """Write an event; its type must be a current one.

        :raises TypeError: when a parameter has a value that the event's type does not allow for.
        """
        type = event.type
        encoders = self._encoders.get(type.code)
        if encoders is None:
            encoders = self._encoders[type.code] = encoders_of(type)
        large = "large_payload" in type.flags
        values = []
        left = blocks.MAX_BLOCK // 2 if large else MAX_EVENT
        for encode, param in zip(encoders, event.params, strict=False):
            data = b"" if param is None else encode(param)
            if len(data) > left:
                data = _cut(data, left, is_text=isinstance(param, str))
            left -= len(data)
            values.append(data)
        lengths = self._layout(len(values), large).pack(*map(len, values))
        size = _EVENT_HEADER + len(lengths) + sum(map(len, values))
        head = _EVENT.pack(event.cpu, event.time, event.tid, size, type.code, len(values))
        kind = blocks.EVENT_V2_LARGE if large else blocks.EVENT_V2
        self._block(kind, b"".join((head, lengths, *values)))
        self.events += 1

    def close(self) -> None:
        """Finish the file; may be called twice."""
        try:
            self._stream.close()
            self._file.close()
        except OSError as error:
            raise self._failure(error) from error

    def _layout(self, count: int, large: bool) -> Struct:
        layout = self._lengths.get((count, large))
        if layout is None:
            layout = self._lengths[count, large] = Struct(f"<{count}{'I' if large else 'H'}")
        return layout

    def _entries(
        self, kind: int, head: bytes, entries: Iterable[bytes], *, counts_itself: bool = True
    ) -> None:
        """Write entries, each with its length in front, as one block or as many as it takes.

        `counts_itself` where that length includes its own four bytes.
        """
        extra = 4 if counts_itself else 0
        parts = [head]
        size = 0
        for entry in entries:
            if size + len(entry) > MAX_TABLE:
                self._block(kind, b"".join(parts))
                parts, size = [head], 0
            parts.append(_LENGTH.pack(len(entry) + extra))
            parts.append(entry)
            size += len(entry) + 4
        if size:
            self._block(kind, b"".join(parts))

    def _block(self, kind: int, body: bytes) -> None:
        padding = -len(body) % 4
        length = len(body) + padding + 12
        try:
            self._stream.write(_BLOCK.pack(kind, length) + body + b"\0" * padding + _LENGTH.pack(length))
        except OSError as error:
            raise self._failure(error) from error

    def _failure(self, error: OSError) -> BackendError:
        return BackendError(f"cannot write the capture {self.path}: {error.strerror}")


def _cut(data: bytes, size: int, *, is_text: bool) -> bytes:
    return data[: max(size - 1, 0)] + b"\0" if is_text and size else data[:size]


def _counted(data: bytes, limit: int = 0xFFFF) -> bytes:
    data = data[:limit]
    return _SHORT.pack(len(data)) + data


def _machine(info: MachineInfo) -> bytes:
    hostname = text_bytes(info.hostname)[:127]
    return _MACHINE.pack(info.processors, info.memory, info.max_pid, hostname, info.boot_time, 0, 0, 0)


def _process(record: ProcessRecord) -> bytes:
    return b"".join(
        (
            _IDS.pack(record.tid, record.pid, record.ptid, record.sid, record.vpgid),
            _counted(text_bytes(record.comm), 1024),
            _counted(text_bytes(record.exe), 1024),
            _counted(text_bytes(record.exepath), 1024),
            _counted(join_texts(record.args), 4096),
            _counted(text_bytes(record.cwd), 1024),
            _LIMITS.pack(record.fdlimit, record.flags, record.uid & 0xFFFFFFFF, record.gid & 0xFFFFFFFF),
            _SIZES.pack(
                record.vmsize & 0xFFFFFFFF,
                record.vmrss & 0xFFFFFFFF,
                record.vmswap & 0xFFFFFFFF,
                record.pfmajor,
                record.pfminor,
            ),
            _counted(join_texts(record.env), 4096),
            _VIRTUAL.pack(record.vtid, record.vpid),
            _counted(join_texts(record.cgroups), 4096),
            _counted(text_bytes(record.root), 1024),
            _LATER.pack(
                record.pidns_init_start_time,
                record.tty & 0xFFFFFFFF,
                record.loginuid & 0xFFFFFFFF,
                record.exe_writable,
                record.cap_inheritable,
                record.cap_permitted,
                record.cap_effective,
                record.exe_upper_layer,
                record.exe_ino,
                record.exe_ino_ctime,
                record.exe_ino_mtime,
                record.exe_from_memfd,
                record.exe_lower_layer,
                record.pgid,
            ),
        )
    )


def _descriptor(record: DescriptorRecord) -> bytes:
    def head(kind: int) -> bytes:
        return _DESCRIPTOR.pack(record.number, record.ino, kind)

    name = _counted(text_bytes(record.name), 1023)
    pair, local = record.tuple, record.local
    if isinstance(pair, UnixTuple):
        return head(sections.UNIX) + Struct("<QQ").pack(pair.source, pair.destination) + name
    if isinstance(pair, InetTuple):
        source, destination = pair.source, pair.destination
        kind = sections.IPV4 if len(source.address) == 4 else sections.IPV6
        ports = Struct("<HHB").pack(source.port, destination.port, record.protocol)
        return head(kind) + source.address + destination.address + ports
    if isinstance(local, InetAddress):
        kind = sections.IPV4_LISTENING if len(local.address) == 4 else sections.IPV6_LISTENING
        return head(kind) + local.address + Struct("<HB").pack(local.port, record.protocol)
    if record.type == "f":
        return (
            head(sections.FILE)
            + _LENGTH.pack(record.open_flags)
            + name
            + _LENGTH.pack(record.dev & 0xFFFFFFFF)
        )
    return head(_KINDS.get(record.type, _UNSUPPORTED)) + name


def _account(record: UserRecord | GroupRecord) -> bytes:
    if isinstance(record, GroupRecord):
        return b"\1" + _LENGTH.pack(record.gid) + _counted(text_bytes(record.name), 255)
    texts = (record.name, record.home, record.shell)
    return (
        b"\0"
        + _BLOCK.pack(record.uid, record.gid)
        + b"".join(_counted(text_bytes(text), 255) for text in texts)
    )


def _interface(record: InterfaceRecord) -> bytes:
    is_ipv4 = len(record.address) == 4
    name = text_bytes(record.name)
    broadcast = b"\0" * len(record.address)
    return (
        Struct("<HH").pack(1 if is_ipv4 else 2, len(name))
        + record.address
        + record.netmask
        + broadcast
        + Struct("<Q").pack(0)
        + name
    )


_KINDS = {letter: kind for kind, letter in sections.SIMPLE_TYPES.items()}
_UNSUPPORTED = 10
