"""Socket addresses as system calls pass them, and the two ends of a connection."""

from __future__ import annotations

import socket
import struct
from typing import NamedTuple

from refengine.event.sockets import InetAddress, InetTuple, SocketAddress, SocketTuple, UnixAddress, UnixTuple

_UNSPECIFIED = {socket.AF_INET: InetAddress(bytes(4), 0), socket.AF_INET6: InetAddress(bytes(16), 0)}


def parse_address(data: bytes) -> SocketAddress | None:
    """Return the address in a `struct sockaddr`, None for families that events do not carry."""
    if len(data) < 2:
        return None
    (family,) = struct.unpack_from("=H", data)
    if family == socket.AF_INET and len(data) >= 8:
        return InetAddress(data[4:8], int.from_bytes(data[2:4], "big"))
    if family == socket.AF_INET6 and len(data) >= 24:
        return InetAddress(data[8:24], int.from_bytes(data[2:4], "big"))
    if family == socket.AF_UNIX:
        path = data[2:]
        # An abstract name begins with a NUL and has its length from the call, a path ends at the first NUL.
        name = path.rstrip(b"\0") if path[:1] == b"\0" else path.split(b"\0", 1)[0]
        return UnixAddress(name.decode("utf-8", "surrogateescape"))
    return None


class Ends(NamedTuple):
    """A socket's own address and its peer's, each None where it has none."""

    local: SocketAddress | None
    peer: SocketAddress | None


def connection(client: SocketAddress | None, server: SocketAddress | None) -> SocketTuple | None:
    """Return the pair of a client's and a server's end, None where neither is known.

    An IP end that is not known is the unspecified address with port 0. The kernel's addresses of local
    sockets are not visible outside it and are 0.
    """
    if isinstance(client, InetAddress) or isinstance(server, InetAddress):
        known = client if isinstance(client, InetAddress) else server
        assert isinstance(known, InetAddress)
        empty = _UNSPECIFIED[socket.AF_INET if len(known.address) == 4 else socket.AF_INET6]
        return InetTuple(
            client if isinstance(client, InetAddress) else empty,
            server if isinstance(server, InetAddress) else empty,
        )
    if isinstance(server, UnixAddress) and (server.path or client is not None):
        return UnixTuple(0, 0, server.path)
    if isinstance(client, UnixAddress):
        return UnixTuple(0, 0, client.path)
    return None
