"""Open files, sockets and the like as `/proc/PID/fd` and `/proc/PID/net` show them."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from refengine.event.addresses import endpoint_text, tuple_text
from refengine.event.sockets import InetAddress, InetTuple, UnixTuple
from refengine.state.descriptors import CLIENT, SERVER, Descriptor
from refengine.state.file_status import FileStatus, file_status
from refengine.tables.flags import FLAG_TABLES

_FILE = FLAG_TABLES["file_flags"]
_ACCESS_MODES = (_FILE["O_RDONLY"], _FILE["O_WRONLY"], _FILE["O_RDWR"], _FILE["O_RDONLY"])
_KERNEL_FLAGS: Mapping[int, int] = {
    os.O_APPEND: _FILE["O_APPEND"],
    os.O_NONBLOCK: _FILE["O_NONBLOCK"],
    os.O_DSYNC: _FILE["O_DSYNC"],
    os.O_DIRECT: _FILE["O_DIRECT"],
    os.O_DIRECTORY: _FILE["O_DIRECTORY"],
    os.O_CLOEXEC: _FILE["O_CLOEXEC"],
    0o100000: _FILE["O_LARGEFILE"],
}

_ANONYMOUS: Mapping[str, str] = {
    "eventfd": "e",
    "eventpoll": "l",
    "inotify": "i",
    "signalfd": "s",
    "timerfd": "t",
    "bpf-map": "b",
    "bpf-prog": "b",
    "bpf_link": "b",
    "userfaultfd": "U",
    "io_uring": "r",
    "pidfd": "P",
}
_SPECIAL = re.compile(r"(socket|pipe):\[(\d+)\]\Z")
_LOCAL = b"UNIX"
_LOCAL_ROW = re.compile(
    r"([0-9a-fA-F]+): [0-9A-F]{8} [0-9A-F]{8} [0-9A-F]{8} [0-9A-F]{4} [0-9A-F]{2} +(\d+)(?: (.+))?\Z",
    re.DOTALL,
)
_DELETED = " (deleted)"

_INET_TABLES = (("tcp", "tcp", "4"), ("tcp6", "tcp", "6"), ("udp", "udp", "4"), ("udp6", "udp", "6"))
_RAW_TABLES = (("raw", "raw", "4"), ("raw6", "raw", "6"), ("icmp", "icmp", "4"), ("icmp6", "icmp", "6"))
_TCP_LISTEN, _TCP_ESTABLISHED = 0x0A, 0x01


def read_descriptor(
    pid: int, number: int, root: str = "/proc", known: Descriptor | None = None
) -> Descriptor | None:
    """Return what a process has open as `number`, None where that cannot be seen.

    `known` is what was known of the number before. Where it is still the same thing it is returned, or, when it
    has got another name since, a new description with what only events tell taken from it.
    """
    path = f"{root}/{pid}/fd/{number}"
    try:
        target = os.readlink(path)  # noqa: PTH115  (the text of the link is no path)
        file = file_status(path)
    except OSError:
        return None
    if known is not None and known.name and known.ino == file.st_ino and target.startswith("socket:"):
        known.reported_name = known.name
        return known
    descriptor = _of_target(pid, target, file, root, path)
    descriptor.dev = encoded_device(file.st_dev)
    descriptor.ino = file.st_ino
    descriptor.reported_name = descriptor.name
    if known is not None and _is_same(known, descriptor):
        return _reconciled(known, descriptor)
    _fill_info(descriptor, f"{root}/{pid}/fdinfo/{number}")
    return descriptor


def _is_same(known: Descriptor, seen: Descriptor) -> bool:
    """Return whether what is seen is what was known; what an event has told may lack the inode."""
    if known.type != seen.type:
        return False
    if known.ino:
        return known.ino == seen.ino
    return known.name in ("", seen.name) or _ends(known) == _ends(seen)


def _reconciled(known: Descriptor, seen: Descriptor) -> Descriptor:
    """Return what is known of a descriptor after it has been seen again: a socket may have got other ends."""
    known.dev, known.ino = seen.dev, seen.ino
    known.reported_name = known.name
    if seen.tuple is not None and _ends(known) != _ends(seen):
        known.name, known.tuple, known.role = seen.name, seen.tuple, seen.role
        known.listening, known.connected = seen.listening, seen.connected
    return known


def _ends(descriptor: Descriptor) -> frozenset[InetAddress]:
    """Return both ends of a connection, whichever is the server's."""
    pair = descriptor.tuple
    return frozenset((pair.source, pair.destination)) if isinstance(pair, InetTuple) else frozenset()


def encoded_device(device: int) -> int:
    """Return a device number in the kernel's 32-bit encoding, as events carry it."""
    major, minor = os.major(device), os.minor(device)
    return minor & 0xFF | major << 8 | (minor & ~0xFF) << 12


def _of_target(pid: int, target: str, file: FileStatus, root: str, path: str) -> Descriptor:
    special = _SPECIAL.match(target)
    if special is not None:
        if special[1] == "pipe":
            return Descriptor("p", "")
        return _socket(f"{root}/{pid}/net", special[2], path)
    if target.startswith("anon_inode:"):
        name = target[len("anon_inode:") :]
        return Descriptor(_ANONYMOUS.get(name.strip("[]"), "o"), name)
    if target.startswith("/memfd:"):
        return Descriptor("m", target[len("/memfd:") :].removesuffix(_DELETED))
    if file.st_nlink == 0:
        target = target.removesuffix(_DELETED)
    if stat.S_ISFIFO(file.st_mode):
        return Descriptor("p", target, target)
    return Descriptor("d" if stat.S_ISDIR(file.st_mode) else "f", target, target)


def _fill_info(descriptor: Descriptor, path: str) -> None:
    """Read the flags and the mount from an `fdinfo` file."""
    try:
        lines = Path(path).read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        name, _, value = line.partition(":")
        if name == "flags":
            flags = int(value, 8)
            descriptor.open_flags = _ACCESS_MODES[flags & os.O_ACCMODE]
            for bit, flag in _KERNEL_FLAGS.items():
                if flags & bit:
                    descriptor.open_flags |= flag
        elif name == "mnt_id":
            descriptor.mount_id = int(value)


def _socket(net: str, inode: str, path: str) -> Descriptor:
    """Return the socket at `path` with that inode, searched in the tables of a network namespace."""
    for table, protocol, kind in (*_INET_TABLES, *_RAW_TABLES):
        for line in table_rows(f"{net}/{table}"):
            columns = line.split()
            if len(columns) > 9 and columns[9] == inode:
                return _inet_socket(protocol, kind, columns)
    told = _protocol(path)
    if not told or told.startswith(_LOCAL):
        entry = local_socket(table_rows(f"{net}/unix"), inode)
        if entry is not None:
            return Descriptor("u", entry.name, tuple=UnixTuple(entry.address, 0, entry.name))
        if told:
            return Descriptor("u")
    for line in table_rows(f"{net}/netlink"):
        if line.split()[-1:] == [inode]:
            return Descriptor("n")
    return Descriptor("o")


class LocalSocket(NamedTuple):
    """A local socket as the kernel's table has it: the number that it is called by there, and its name."""

    address: int
    name: str


def local_socket(lines: Iterable[str], inode: str) -> LocalSocket | None:
    """Return the local socket with that inode; None where there is no line of it, or more than one.

    Names are in the table as they were given, line breaks too, so that a name can look like the line of another socket.
    It cannot take the true line away.
    """
    found = None
    for line in lines:
        row = _LOCAL_ROW.match(line)
        if row is None or row[2] != inode:
            continue
        if found is not None:
            return None
        found = LocalSocket(int(row[1], 16), row[3] or "")
    return found


def _protocol(path: str) -> bytes:
    """Return the kernel's name of a socket's protocol, nothing where it does not tell."""
    try:
        return os.getxattr(path, "system.sockprotoname")
    except OSError:
        return b""


def _inet_socket(protocol: str, kind: str, columns: list[str]) -> Descriptor:
    local, remote, state = _endpoint(columns[1]), _endpoint(columns[2]), int(columns[3], 16)
    descriptor = Descriptor(kind, protocol=protocol)
    if remote.port == 0:
        if local.port and (protocol != "tcp" or state == _TCP_LISTEN):
            descriptor.listening = local
            descriptor.role = SERVER
            descriptor.name = endpoint_text(local)
        return descriptor
    # The table has no direction: a well-known local port facing an ephemeral one is taken for the server's.
    is_server = local.port < remote.port
    descriptor.role = SERVER if is_server else CLIENT
    descriptor.tuple = InetTuple(remote, local) if is_server else InetTuple(local, remote)
    descriptor.name = tuple_text(descriptor.tuple)
    descriptor.connected = protocol != "tcp" or state == _TCP_ESTABLISHED
    return descriptor


def _endpoint(text: str) -> InetAddress:
    """Return the endpoint that a table shows as words in the machine's byte order and a port."""
    digits, _, port = text.partition(":")
    words = [bytes.fromhex(digits[at : at + 8])[::-1] for at in range(0, len(digits), 8)]
    return InetAddress(b"".join(words), int(port, 16))


def table_rows(path: str) -> list[str]:
    """Return the rows of a table below `/proc/PID/net` without its head, none where it cannot be read.

    It is no text file, in which Python would see more ends of lines than the kernel makes.
    """
    try:
        return Path(path).read_bytes().decode("utf-8", "surrogateescape").split("\n")[1:]
    except OSError:
        return []
