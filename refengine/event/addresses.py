"""Internet addresses and connections as text, the way names of descriptors show them."""

from __future__ import annotations

from functools import lru_cache
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton

from refengine.event.sockets import InetAddress, InetTuple, SocketAddress, SocketTuple, UnixTuple

_MAPPED_PREFIX = bytes(10) + b"\xff\xff"
_UNSPECIFIED = bytes(16)


@lru_cache(maxsize=4096)
def address_text(address: bytes) -> str:
    """Return an IPv4 or IPv6 address as people write it."""
    return inet_ntop(AF_INET6 if len(address) == 16 else AF_INET, address)


def unmapped(endpoint: InetAddress) -> InetAddress:
    """Return an endpoint whose IPv4 address is written inside an IPv6 one with that address, others unchanged.

    The unspecified IPv6 address counts as the unspecified IPv4 one.
    """
    address = endpoint.address
    if len(address) == 16 and (address.startswith(_MAPPED_PREFIX) or address == _UNSPECIFIED):
        return InetAddress(address[12:], endpoint.port)
    return endpoint


def unmapped_pair(pair: InetTuple) -> InetTuple:
    """Return a connection of IPv6 of which both ends are IPv4 addresses as one of IPv4, others unchanged."""
    source, destination = unmapped(pair.source), unmapped(pair.destination)
    return InetTuple(source, destination) if len(source.address) == len(destination.address) else pair


def packed_address(text: str) -> bytes:
    """Return the bytes of an address in text: IPv4 when it has a dot, else IPv6.

    :raises ValueError: when it is neither.
    """
    family, name = (AF_INET, "IPv4") if "." in text else (AF_INET6, "IPv6")
    try:
        return inet_pton(family, text)
    except (OSError, ValueError):
        raise ValueError(f"'{text}' is not an {name} address") from None


def endpoint_text(endpoint: InetAddress) -> str:
    """Return `address:port`."""
    return f"{address_text(endpoint.address)}:{endpoint.port}"


def sockaddr_text(address: SocketAddress) -> str:
    """Return an endpoint: `address:port`, or a local socket's path without characters that do not print."""
    if isinstance(address, InetAddress):
        return endpoint_text(address)
    return printable(address.path)


def tuple_text(pair: SocketTuple) -> str:
    """Return both ends of a connection, `client->server`; for a local one the kernel addresses and the path."""
    if isinstance(pair, InetTuple):
        pair = unmapped_pair(pair)
        return f"{endpoint_text(pair.source)}->{endpoint_text(pair.destination)}"
    return unix_tuple_text(pair)


def unix_tuple_text(pair: UnixTuple) -> str:
    """Return both kernel addresses in hexadecimal digits and the path of a local connection."""
    return f"{pair.source:x}->{pair.destination:x} {printable(pair.path)}"


_CONTROL = dict.fromkeys((*range(0x20), 0x7F))


def printable(text: str) -> str:
    """Return the text without control characters, as names are shown."""
    return text if text.isprintable() else text.translate(_CONTROL)
