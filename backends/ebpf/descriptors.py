"""Open files and sockets, from the kernel's own description of them."""

from __future__ import annotations

import socket
import stat
from collections.abc import Mapping
from typing import Final

from refengine.backends.ebpf.layout import BlobKind, FileState
from refengine.backends.ebpf.record import Record
from refengine.backends.syscalls.addresses import Ends, connection
from refengine.event.sockets import InetAddress, UnixAddress
from refengine.state.descriptors import Descriptor
from refengine.state.endpoints import describe_internet

_ADDRESS_SIZES: Final[Mapping[int, int]] = {socket.AF_INET: 4, socket.AF_INET6: 16}
_FAMILIES: Final[Mapping[int, str]] = {
    socket.AF_INET: "4",
    socket.AF_INET6: "6",
    socket.AF_UNIX: "u",
    socket.AF_NETLINK: "n",
}
_PROTOCOLS: Final[Mapping[int, str]] = {
    socket.IPPROTO_TCP: "tcp",
    socket.IPPROTO_UDP: "udp",
    socket.IPPROTO_ICMP: "icmp",
    socket.IPPROTO_ICMPV6: "icmp",
}
_ANONYMOUS: Final = {
    "/[eventfd]": "e",
    "/[eventpoll]": "l",
    "/[signalfd]": "s",
    "/[timerfd]": "t",
    "/[userfaultfd]": "U",
    "/[io_uring]": "r",
    "/[pidfd]": "P",
    "/inotify": "i",
    "/bpf-map": "b",
    "/bpf-prog": "b",
    "/bpf_link": "b",
}
_TCP_LISTENS: Final = 10
_MEMFD: Final = "/memfd:"
_MEMFD_NAME: Final = len(_MEMFD)


def ends(record: Record, number: int) -> Ends:
    """Return both ends of a socket, empty where it is none or the record does not tell."""
    state = record.descriptor(number)
    if state is None:
        return Ends(None, None)
    if state.family == socket.AF_UNIX:
        return Ends(
            _unix(record, BlobKind.UNIX_LOCAL, number) or UnixAddress(""),
            _unix(record, BlobKind.UNIX_PEER, number),
        )
    size = _ADDRESS_SIZES.get(state.family, 0)
    if not size:
        return Ends(None, None)
    local = InetAddress(state.local[:size], state.local_port)
    peer = InetAddress(state.peer[:size], state.peer_port) if state.peer_port else None
    return Ends(local, peer)


def describe(record: Record, number: int) -> Descriptor | None:
    """Return what a thread has open as `number`, None where the record does not tell, or not the whole path."""
    state = record.descriptor(number)
    if state is None:
        return None
    if stat.S_ISSOCK(state.mode):
        found = _socket(record, state, number)
    else:
        path = record.text(BlobKind.DESCRIPTOR_PATH, number)
        if path == "":
            return None
        found = _file(state, path or "")
    found.dev, found.ino = encoded_device(state.device), state.inode
    found.reported_name = found.name
    return found


def encoded_device(device: int) -> int:
    """Return a device number as events carry it; inside the kernel the low twenty bits are the minor one."""
    major, minor = device >> 20, device & 0xFFFFF
    return minor & 0xFF | major << 8 | (minor & ~0xFF) << 12


def _file(state: FileState, path: str) -> Descriptor:
    if stat.S_ISDIR(state.mode):
        return Descriptor("d", path, path)
    if stat.S_ISFIFO(state.mode):
        return Descriptor("p")
    if path.startswith(_MEMFD):
        return Descriptor("m", path[_MEMFD_NAME:])
    kind = _ANONYMOUS.get(path)
    if kind is not None:
        return Descriptor(kind, path[1:])
    return Descriptor("f", path, path)


def _socket(record: Record, state: FileState, number: int) -> Descriptor:
    found = Descriptor(_FAMILIES.get(state.family, "o"))
    pair = ends(record, number)
    if state.family == socket.AF_UNIX:
        local, peer = pair.local, pair.peer
        path = local.path if isinstance(local, UnixAddress) else ""
        if not path and isinstance(peer, UnixAddress):
            path = peer.path
        found.name = path
        found.tuple = connection(peer, UnixAddress(path)) if path else None
    elif found.type in ("4", "6"):
        found.protocol = "raw" if state.type == socket.SOCK_RAW else _PROTOCOLS.get(state.protocol)
        waits = state.type != socket.SOCK_STREAM or state.state == _TCP_LISTENS
        describe_internet(found, pair.local, pair.peer, waits=waits)
    return found


def _unix(record: Record, kind: BlobKind, number: int) -> UnixAddress | None:
    data = record.blob(kind, number)
    if data is None:
        return None
    name = data.rstrip(b"\0") if data[:1] == b"\0" else data.partition(b"\0")[0]
    return UnixAddress(name.decode("utf-8", "surrogateescape"))
