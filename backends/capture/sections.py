"""What a capture says of the machine before the events: processes, descriptors, users, interfaces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from refengine.backends.capture.cursor import Cursor
from refengine.backends.capture.params import split_texts
from refengine.event.sockets import InetAddress, InetTuple, SocketAddress, SocketTuple, UnixTuple

UNSET_ID = 0xFFFFFFFF
_MIN_ENTRY = 4
"""Fewer bytes than this at the end of a list are padding."""


@dataclass(frozen=True, slots=True)
class MachineInfo:
    """The machine that was recorded; the memory in bytes, the start in nanoseconds since the epoch, 0 if unknown."""

    processors: int
    memory: int
    max_pid: int
    hostname: str
    boot_time: int


@dataclass(slots=True)
class ProcessRecord:
    """A thread that lived when the recording began; the meaning of the values is that in `state.threads`."""

    tid: int
    pid: int
    ptid: int
    comm: str
    exe: str
    args: tuple[str, ...]
    cwd: str
    fdlimit: int
    flags: int
    uid: int
    gid: int
    sid: int = -1
    vpgid: int = -1
    pgid: int = -1
    exepath: str = ""
    vmsize: int = 0
    vmrss: int = 0
    vmswap: int = 0
    pfmajor: int = 0
    pfminor: int = 0
    env: tuple[str, ...] = ()
    vtid: int = -1
    vpid: int = -1
    cgroups: tuple[str, ...] = ()
    root: str = ""
    pidns_init_start_time: int = 0
    tty: int = 0
    loginuid: int = UNSET_ID
    exe_writable: bool = False
    cap_inheritable: int = 0
    cap_permitted: int = 0
    cap_effective: int = 0
    exe_upper_layer: bool = False
    exe_ino: int = 0
    exe_ino_ctime: int = 0
    exe_ino_mtime: int = 0
    exe_from_memfd: bool = False
    exe_lower_layer: bool = False


@dataclass(frozen=True, slots=True)
class DescriptorRecord:
    """A file descriptor of the thread `tid` when the recording began.

    `type` is the letter of `fd.typechar`; `protocol` the number of the transport protocol as the format counts
    them; `is_listening` tells the sockets that wait for connections, whose address is in `local`.
    """

    tid: int
    number: int
    ino: int
    type: str
    name: str = ""
    open_flags: int = 0
    dev: int = 0
    tuple: SocketTuple | None = None
    local: SocketAddress | None = None
    protocol: int = 0

    @property
    def is_listening(self) -> bool:
        """True for a socket that waits for connections."""
        return self.local is not None


@dataclass(frozen=True, slots=True)
class UserRecord:
    """A user account of the recorded machine."""

    uid: int
    gid: int
    name: str
    home: str
    shell: str


@dataclass(frozen=True, slots=True)
class GroupRecord:
    """A group of the recorded machine."""

    gid: int
    name: str


@dataclass(frozen=True, slots=True)
class InterfaceRecord:
    """An address of a network interface: 4 or 16 bytes each, in network order."""

    name: str
    address: bytes
    netmask: bytes


SIMPLE_TYPES: Mapping[int, str] = {
    1: "f",
    2: "d",
    7: "p",
    9: "e",
    10: "X",
    11: "s",
    12: "l",
    13: "i",
    14: "t",
    15: "n",
    17: "b",
    18: "U",
    19: "r",
    20: "m",
    21: "P",
}
"""The kinds of descriptors of which only a name is recorded, by their number."""
IPV4, IPV6, IPV4_LISTENING, IPV6_LISTENING, UNIX, FILE = 3, 4, 5, 6, 8, 16
"""The kinds of descriptors of which more is recorded."""

PROTOCOLS: Mapping[int, str] = {2: "tcp", 3: "udp", 4: "icmp", 5: "raw"}
"""Transport protocols by their number in the format."""


def read_machine_info(cursor: Cursor) -> MachineInfo:
    """Return the content of a machine-info block."""
    processors, memory, max_pid = cursor.number("I"), cursor.number("Q"), cursor.number("Q")
    hostname = cursor.take(128).split(b"\0", 1)[0].decode("utf-8", "surrogateescape")
    return MachineInfo(processors, memory, max_pid, hostname, cursor.number("Q") if cursor.left >= 8 else 0)


def read_processes(cursor: Cursor, version: int) -> Iterator[ProcessRecord]:
    """Yield the entries of a process list of the given version."""
    while cursor.left >= _MIN_ENTRY:
        start = cursor.position
        size = cursor.number("I") if version >= 9 else None
        record = _read_process(cursor, version)
        if size is not None:
            _read_later_fields(cursor, record, start + size)
            cursor.seek(start + size)
        yield record


def _read_process(cursor: Cursor, version: int) -> ProcessRecord:
    number = cursor.number
    tid, pid, ptid = number("q"), number("q"), number("q")
    sid = number("q") if version >= 6 else -1
    vpgid = number("q") if version >= 8 else -1
    comm, exe = cursor.text(), cursor.text()
    exepath = cursor.text() if version >= 7 else ""
    args, cwd = split_texts(cursor.block()), cursor.text()
    fdlimit, flags, uid, gid = number("q"), number("I"), number("I"), number("I")
    record = ProcessRecord(tid, pid, ptid, comm, exe, args, cwd, fdlimit, flags, uid, gid, sid, vpgid)
    record.exepath = exepath
    if version >= 2:
        record.vmsize, record.vmrss, record.vmswap = number("I"), number("I"), number("I")
        record.pfmajor, record.pfminor = number("Q"), number("Q")
    if version >= 3:
        record.env = split_texts(cursor.block())
    if version >= 4:
        record.vtid, record.vpid = number("q"), number("q")
        record.cgroups = split_texts(cursor.block())
    if version >= 5:
        record.root = cursor.text()
    return record


def _read_later_fields(cursor: Cursor, record: ProcessRecord, stop: int) -> None:
    """Read what entries with a length gained over time; where the entry ends, the rest keeps its defaults."""

    def number(code: str, size: int, default: int) -> int:
        return cursor.number(code) if cursor.position + size <= stop else default

    # For a while the first two of these fields, which came later, were missing in front of the others.
    if stop - cursor.position > 29:
        record.pidns_init_start_time = number("Q", 8, 0)
        record.tty = number("I", 4, 0)
    record.loginuid = number("I", 4, UNSET_ID)
    record.exe_writable = bool(number("B", 1, 0))
    record.cap_inheritable = number("Q", 8, 0)
    record.cap_permitted = number("Q", 8, 0)
    record.cap_effective = number("Q", 8, 0)
    record.exe_upper_layer = bool(number("B", 1, 0))
    record.exe_ino = number("Q", 8, 0)
    record.exe_ino_ctime = number("Q", 8, 0)
    record.exe_ino_mtime = number("Q", 8, 0)
    record.exe_from_memfd = bool(number("B", 1, 0))
    record.exe_lower_layer = bool(number("B", 1, 0))
    record.pgid = number("q", 8, -1)


def read_descriptors(cursor: Cursor, version: int) -> Iterator[DescriptorRecord]:
    """Yield the entries of a descriptor list of the given version, all of one thread."""
    tid = cursor.number("q")
    while cursor.left >= _MIN_ENTRY:
        start = cursor.position
        stop = start + cursor.number("I") if version >= 2 else None
        yield _read_descriptor(cursor, tid, stop)
        if stop is not None:
            cursor.seek(stop)


def _read_descriptor(cursor: Cursor, tid: int, stop: int | None) -> DescriptorRecord:
    number = cursor.number
    descriptor, ino, kind = number("q"), number("Q"), number("B")
    if kind in (IPV4, IPV6):
        size = 4 if kind == IPV4 else 16
        source, destination = cursor.take(size), cursor.take(size)
        source_port, destination_port, protocol = number("H"), number("H"), number("B")
        pair = InetTuple(InetAddress(source, source_port), InetAddress(destination, destination_port))
        return DescriptorRecord(
            tid, descriptor, ino, str(size)[0].replace("1", "6"), tuple=pair, protocol=protocol
        )
    if kind in (IPV4_LISTENING, IPV6_LISTENING):
        size = 4 if kind == IPV4_LISTENING else 16
        local = InetAddress(cursor.take(size), number("H"))
        letter = "4" if kind == IPV4_LISTENING else "6"
        return DescriptorRecord(tid, descriptor, ino, letter, local=local, protocol=number("B"))
    if kind == UNIX:
        ends = number("Q"), number("Q")
        name = cursor.text()
        return DescriptorRecord(tid, descriptor, ino, "u", name, tuple=UnixTuple(*ends, name))
    if kind == FILE:
        flags, name = number("I"), cursor.text()
        dev = number("I") if stop is not None and cursor.position + 4 <= stop else 0
        return DescriptorRecord(tid, descriptor, ino, "f", name, flags, dev)
    if kind in SIMPLE_TYPES:
        return DescriptorRecord(tid, descriptor, ino, SIMPLE_TYPES[kind], cursor.text())
    if stop is None and kind != 0:
        raise cursor.fault(f"a file descriptor has the unknown kind {kind}")
    return DescriptorRecord(tid, descriptor, ino, "o")


def read_users(cursor: Cursor, version: int) -> Iterator[UserRecord | GroupRecord]:
    """Yield the users and groups of a user list of the given version."""
    while cursor.left >= _MIN_ENTRY:
        start = cursor.position
        size = cursor.number("I") if version >= 2 else None
        if cursor.number("B") == 0:
            uid, gid = cursor.number("I"), cursor.number("I")
            yield UserRecord(uid, gid, cursor.text(), cursor.text(), cursor.text())
        else:
            yield GroupRecord(cursor.number("I"), cursor.text())
        if size is not None:
            cursor.seek(start + size)


def read_interfaces(cursor: Cursor, version: int) -> Iterator[InterfaceRecord]:
    """Yield the addresses of an interface list of the given version."""
    while cursor.left >= _MIN_ENTRY:
        size = cursor.number("I") if version >= 2 else None
        start = cursor.position
        kind, name_size = cursor.number("H"), cursor.number("H")
        if kind not in _INTERFACES:
            raise cursor.fault(f"a network interface has the unknown kind {kind}")
        width, has_speed = _INTERFACES[kind]
        address, netmask, _broadcast = cursor.take(width), cursor.take(width), cursor.take(width)
        if has_speed:
            cursor.number("Q")
        name = cursor.take(name_size).split(b"\0", 1)[0].decode("utf-8", "surrogateescape")
        yield InterfaceRecord(name, address, netmask)
        if size is not None:
            cursor.seek(start + size)


_INTERFACES: Mapping[int, tuple[int, bool]] = {1: (4, True), 2: (16, True), 3: (4, False), 4: (16, False)}
"""Width of the addresses and whether the link speed follows, by the kind of an interface's entry."""
