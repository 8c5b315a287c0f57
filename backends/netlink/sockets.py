"""The sockets of our network namespace by their inodes, as the kernel lists them (`sock_diag`)."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterator
from typing import Final

from refengine.event.addresses import endpoint_text, tuple_text
from refengine.event.sockets import InetAddress, InetTuple, UnixTuple
from refengine.state.descriptors import CLIENT, SERVER, Descriptor

_NETLINK_SOCK_DIAG: Final = 4
_SOCK_DIAG_BY_FAMILY: Final = 20
_REQUEST_DUMP: Final = 0x301
_ERROR, _DONE = 2, 3
_EVERY_STATE: Final = 0xFFFFFFFF
_ESTABLISHED, _LISTEN = 1, 10

_HEADER: Final = struct.Struct("=IHHII")
_INET_REQUEST: Final = struct.Struct("=BBBBI48x")
_UNIX_REQUEST: Final = struct.Struct("=BBHIII8x")
_INET: Final = struct.Struct("=BBBB 2s2s 16s16s 12x 16x I")
_UNIX: Final = struct.Struct("=BBBBI8x")
_ATTRIBUTE: Final = struct.Struct("=HH")
_SHOW_NAME_AND_PEER: Final = 0x1 | 0x4
_NAME, _PEER = 0, 2

_PROTOCOLS: Final = ((socket.IPPROTO_TCP, "tcp"), (socket.IPPROTO_UDP, "udp"))
_KINDS: Final = ((socket.AF_INET, "4", 4), (socket.AF_INET6, "6", 16))
_CHUNK: Final = 1 << 18
_FRESH: Final = 0.05
"""Seconds for which a list is good; a socket that is not in it is looked for in a new one."""


class SocketNames:
    """What the sockets are, by their inodes; the list is asked for when it is needed."""

    def __init__(self) -> None:
        self._known: dict[int, Descriptor] = {}
        self._listed_at = 0.0

    def describe(self, inode: int) -> Descriptor | None:
        """Return a description of the socket, None where it is in no list: another family, or not bound yet."""
        now = time.monotonic()
        if now - self._listed_at > _FRESH:
            self._known = dict(list_sockets())
            self._listed_at = now
        found = self._known.get(inode)
        return None if found is None else found.copy()


def list_sockets() -> Iterator[tuple[int, Descriptor]]:
    """Yield the inode and the description of every TCP, UDP and local socket; none where we may not ask."""
    try:
        asked = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC, _NETLINK_SOCK_DIAG)
    except OSError:
        return
    with asked:
        for family, kind, size in _KINDS:
            for protocol, name in _PROTOCOLS:
                request = _INET_REQUEST.pack(family, protocol, 0, 0, _EVERY_STATE)
                for data in _answers(asked, request):
                    found = inet_socket(data, kind, size, name)
                    if found is not None:
                        yield found
        request = _UNIX_REQUEST.pack(socket.AF_UNIX, 0, 0, _EVERY_STATE, 0, _SHOW_NAME_AND_PEER)
        for data in _answers(asked, request):
            found = unix_socket(data)
            if found is not None:
                yield found


def _answers(asked: socket.socket, request: bytes) -> Iterator[bytes]:
    """Yield the bodies of the answers to a request; it ends early where the kernel refuses."""
    try:
        asked.send(
            _HEADER.pack(_HEADER.size + len(request), _SOCK_DIAG_BY_FAMILY, _REQUEST_DUMP, 0, 0) + request
        )
        while True:
            data = asked.recv(_CHUNK)
            at = 0
            while at + _HEADER.size <= len(data):
                length, kind = _HEADER.unpack_from(data, at)[:2]
                if kind in (_ERROR, _DONE) or length < _HEADER.size:
                    return
                yield data[at + _HEADER.size : at + length]
                at += length + 3 & ~3
    except OSError:
        return


def inet_socket(data: bytes, kind: str, size: int, protocol: str) -> tuple[int, Descriptor] | None:
    """Return the inode and the description in one answer of an IP family, None where it is cut short."""
    if len(data) < _INET.size:
        return None
    _, state, _, _, near_port, far_port, near, far, inode = _INET.unpack_from(data)
    local = InetAddress(near[:size], int.from_bytes(near_port, "big"))
    remote = InetAddress(far[:size], int.from_bytes(far_port, "big"))
    descriptor = Descriptor(kind, protocol=protocol)
    if remote.port == 0:
        if local.port and (protocol != "tcp" or state == _LISTEN):
            descriptor.listening, descriptor.role = local, SERVER
            descriptor.name = endpoint_text(local)
        return inode, descriptor
    # The list does not say who began: a well-known local port facing an ephemeral one is taken for the server's.
    is_server = local.port < remote.port
    descriptor.role = SERVER if is_server else CLIENT
    descriptor.tuple = InetTuple(remote, local) if is_server else InetTuple(local, remote)
    descriptor.name = tuple_text(descriptor.tuple)
    descriptor.connected = protocol != "tcp" or state == _ESTABLISHED
    return inode, descriptor


def unix_socket(data: bytes) -> tuple[int, Descriptor] | None:
    """Return the inode and the description in one answer of the local family, None where it is cut short."""
    if len(data) < _UNIX.size:
        return None
    inode = _UNIX.unpack_from(data)[4]
    name, peer = "", 0
    at = _UNIX.size
    while at + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, at)
        content = data[at + _ATTRIBUTE.size : at + length]
        if length < _ATTRIBUTE.size:
            break
        if kind == _NAME:
            abstract = content.startswith(b"\0")
            text = content if abstract else content.rstrip(b"\0")
            name = text.decode("utf-8", "surrogateescape")
        elif kind == _PEER and len(content) >= 4:
            peer = int.from_bytes(content[:4], "little")
        at += length + 3 & ~3
    descriptor = Descriptor("u", name, tuple=UnixTuple(0, 0, name))
    descriptor.connected = peer != 0
    return inode, descriptor
