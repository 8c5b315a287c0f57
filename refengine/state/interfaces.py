"""The network interfaces of the machine, which tell local addresses from remote ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from refengine.event.sockets import InetAddress, InetTuple

_ANY = (bytes(4), bytes(16))
_SUBNET_BYTES = 8


class Interface(NamedTuple):
    """An address of an interface, 4 or 16 bytes, with the network mask of an IPv4 one."""

    name: str
    address: bytes
    netmask: bytes = b""

    @property
    def is_loopback(self) -> bool:
        """True for 127.0.0.0/8 and ::1."""
        return self.address[0] == 127 if len(self.address) == 4 else self.address == bytes(15) + b"\1"


class Interfaces:
    """The addresses of this machine."""

    __slots__ = ("_addresses", "_all", "_prefixes")

    def __init__(self, interfaces: Iterable[Interface] = ()) -> None:
        self._all = tuple(interfaces)
        self._addresses = frozenset(item.address for item in self._all if len(item.address) == 4)
        self._prefixes = frozenset(
            item.address[:_SUBNET_BYTES] for item in self._all if len(item.address) == 16
        )

    def __iter__(self) -> Iterator[Interface]:
        return iter(self._all)

    def is_local(self, address: bytes) -> bool:
        """Return whether an address is this machine's: its own for IPv4, in one of its /64 networks for IPv6."""
        if len(address) == 4:
            return address in self._addresses
        return address[:_SUBNET_BYTES] in self._prefixes

    def completed(self, pair: InetTuple) -> InetTuple:
        """Return the connection with an unspecified end replaced by the address that reaches the other end."""
        source, destination = pair.source, pair.destination
        if source.address in _ANY:
            return InetTuple(InetAddress(self._facing(destination.address), source.port), destination)
        if destination.address in _ANY:
            return InetTuple(source, InetAddress(self._facing(source.address), destination.port))
        return pair

    def _facing(self, peer: bytes) -> bytes:
        """Return the local address from which `peer` is reached, the unspecified one where none is known."""
        same = [item for item in self._all if len(item.address) == len(peer)]
        for item in same:
            if item.address == peer or self._shares_network(item, peer):
                return item.address
        for item in same:
            if not item.is_loopback:
                return item.address
        return bytes(len(peer))

    @staticmethod
    def _shares_network(item: Interface, peer: bytes) -> bool:
        if len(peer) == 16:
            return item.address[:_SUBNET_BYTES] == peer[:_SUBNET_BYTES]
        mask = int.from_bytes(item.netmask, "big")
        return mask != 0 and int.from_bytes(item.address, "big") & mask == int.from_bytes(peer, "big") & mask
