"""Socket addresses and pairs of them, as event parameters carry them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InetAddress:
    """An IPv4 or IPv6 endpoint; `address` is 4 or 16 bytes in network order."""

    address: bytes
    port: int


@dataclass(frozen=True, slots=True)
class UnixAddress:
    """A local socket's path; an abstract name begins with a NUL character."""

    path: str


@dataclass(frozen=True, slots=True)
class InetTuple:
    """A connection over IP: `source` is the client's end, `destination` the server's."""

    source: InetAddress
    destination: InetAddress


@dataclass(frozen=True, slots=True)
class UnixTuple:
    """A local connection: the kernel addresses of both ends (0 where unknown) and the path."""

    source: int
    destination: int
    path: str


SocketAddress = InetAddress | UnixAddress
SocketTuple = InetTuple | UnixTuple
