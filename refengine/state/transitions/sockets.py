"""Sockets: how they are made, bound and connected, and what data sent or received tells of their ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from refengine.event import Event
from refengine.event.addresses import sockaddr_text, tuple_text, unmapped, unmapped_pair
from refengine.event.sockets import InetAddress, InetTuple, UnixAddress, UnixTuple
from refengine.state.descriptors import CLIENT, SERVER, Descriptor
from refengine.state.threads import Thread
from refengine.state.transitions.params import integer, result, succeeded
from refengine.tables.flags import FLAG_TABLES

if TYPE_CHECKING:
    from refengine.state.system import SystemState

_FAMILY = FLAG_TABLES["socket_families"]
_AF_UNIX, _AF_INET, _AF_INET6 = _FAMILY["AF_UNIX"], _FAMILY["AF_INET"], _FAMILY["AF_INET6"]
_AF_NETLINK = _FAMILY["AF_NETLINK"]

_SOCK_TYPE_MASK, _SOCK_STREAM, _SOCK_DGRAM, _SOCK_RAW = 0xFF, 1, 2, 3
_IP, _ICMP, _TCP, _UDP, _RAW = 0, 1, 6, 17, 255
_EINPROGRESS = 115
_FIRST_EPHEMERAL_PORT = 32768


def create(state: SystemState, event: Event, thread: Thread) -> None:
    """Record a new socket, which has no ends yet."""
    number = result(event)
    if number is None or number < 0:
        thread.last_fd = -1
        return
    family, kind = integer(event, "domain") or 0, integer(event, "type") or 0
    descriptor = Descriptor(_kind_of(family), protocol=_protocol(family, kind, integer(event, "proto") or 0))
    state.open(event, thread, number, descriptor)


def bind(state: SystemState, event: Event, thread: Thread) -> None:
    """Note the address that a socket has been bound to."""
    descriptor, address = event.descriptor, event.param("addr")
    if descriptor is None or not succeeded(event) or not isinstance(address, (InetAddress, UnixAddress)):
        return
    _forget_name(state, descriptor)
    descriptor.name = sockaddr_text(address)
    if isinstance(address, InetAddress) and address.port > 0:
        address = unmapped(address)
        descriptor.type = _kind(address)
        descriptor.listening = address
        descriptor.tuple = None
        descriptor.role = SERVER


def connect(state: SystemState, event: Event, thread: Thread) -> None:
    """Note both ends of a connection that has been made, or has been started."""
    descriptor, returned = event.descriptor, result(event)
    if descriptor is None or returned is None or (returned < 0 and returned != -_EINPROGRESS):
        return
    descriptor.connected = True
    pair = event.param("tuple")
    if isinstance(pair, InetTuple):
        _forget_name(state, descriptor)
        pair = unmapped_pair(pair)
        if descriptor.role == SERVER and descriptor.protocol == "udp":
            pair = _swapped(pair)
        _set_ends(descriptor, pair, descriptor.role or CLIENT)
    elif isinstance(pair, UnixTuple) and descriptor.type == "u":
        _forget_name(state, descriptor)
        descriptor.tuple = pair
        descriptor.name = tuple_text(pair)
        descriptor.role = descriptor.role or CLIENT


def _forget_name(state: SystemState, descriptor: Descriptor) -> None:
    """Let a name count as changed that the machine, asked after the call, has given already."""
    if not state.track_descriptors:
        descriptor.reported_name = ""


def accept(state: SystemState, event: Event, thread: Thread) -> None:
    """Record the socket of an accepted connection; of another family than IP and local, only its number."""
    number = result(event)
    if number is None or number < 0:
        thread.last_fd = -1
        return
    thread.last_fd = number
    pair = event.param("tuple")
    if isinstance(pair, InetTuple):
        descriptor = Descriptor("4", protocol="tcp", connected=True)
        _set_ends(descriptor, unmapped_pair(pair), SERVER)
    elif isinstance(pair, UnixTuple):
        descriptor = Descriptor("u", tuple_text(pair), tuple=pair, role=SERVER, connected=True)
    else:
        return
    state.open(event, thread, number, descriptor)


def socketpair(state: SystemState, event: Event, thread: Thread) -> None:
    """Record both sockets of a pair; the event concerns the first, and gives the number of the second."""
    first, second = integer(event, "fd1"), integer(event, "fd2")
    if not succeeded(event) or first is None or second is None or first == second:
        return
    pair = UnixTuple(integer(event, "source") or 0, integer(event, "peer") or 0, "")
    state.open(event, thread, first, Descriptor("u", tuple=pair))
    concerned = event.descriptor
    state.open(event, thread, second, Descriptor("u", tuple=pair))
    event.descriptor = concerned


def send(state: SystemState, event: Event, thread: Thread) -> None:
    """Learn the ends of a socket from data that was sent through it, and that there is one."""
    if not succeeded(event):
        return
    pair = event.param("tuple")
    if event.descriptor is None and thread.last_fd >= 0 and isinstance(pair, InetTuple):
        state.open(event, thread, thread.last_fd, Descriptor(_kind(pair.source), protocol="udp"))
    _learn(state, event, thread, incoming=False)


def receive(state: SystemState, event: Event, thread: Thread) -> None:
    """Learn the ends of a socket from data that was received through it."""
    if succeeded(event):
        _learn(state, event, thread, incoming=True)


def _learn(state: SystemState, event: Event, thread: Thread, *, incoming: bool) -> None:
    descriptor, pair = event.descriptor, event.param("tuple")
    if descriptor is None:
        return
    if descriptor.type in ("4", "6") and descriptor.listening is None:
        descriptor.connected = True
    if descriptor.name and descriptor.protocol == "tcp":
        # The ends of such a connection stay what they are.
        return
    if isinstance(pair, UnixTuple):
        descriptor.type = "u"
        descriptor.tuple = pair
        descriptor.name = tuple_text(pair)
    elif isinstance(pair, InetTuple):
        pair = unmapped_pair(pair)
        if descriptor.tuple in (pair, _swapped(pair)):
            return
        role = descriptor.role
        if role is None or (descriptor.listening is not None and not state.track_descriptors):
            role = _guessed_role(thread, pair, incoming=incoming)
        pair = state.interfaces.completed(pair)
        # The tuple of a datagram goes from sender to receiver, a connection's from client to server.
        if incoming is (role == CLIENT):
            pair = _swapped(pair)
        descriptor.protocol = descriptor.protocol or "udp"
        descriptor.connected = True
        _set_ends(descriptor, pair, role)


def _guessed_role(thread: Thread, pair: InetTuple, *, incoming: bool) -> str:
    """Return the role of a process in an exchange of datagrams.

    A server has been bound to its port, but a client may have, too, by the kernel: to one of those kept for that.
    """
    own, other = (pair.destination, pair.source) if incoming else (pair.source, pair.destination)
    if own.port >= _FIRST_EPHEMERAL_PORT and own.port > other.port:
        return CLIENT
    for held in thread.descriptors.values():
        if held.listening is not None and held.listening.port == own.port:
            return SERVER
    return CLIENT


def settle_connections(threads: Mapping[int, Thread]) -> None:
    """Give the IPv4 connections of threads that were there before the first event their roles and directions.

    The tables that tell of such connections have them from the local end to the remote one; a local end at a
    port on which somebody listens is a server's.
    """
    ports = {
        descriptor.listening.port
        for thread in threads.values()
        for descriptor in thread.descriptors.values()
        if descriptor.listening is not None and descriptor.type == "4"
    }
    for thread in threads.values():
        for descriptor in thread.descriptors.values():
            pair = descriptor.tuple
            if descriptor.type != "4" or descriptor.role is not None or not isinstance(pair, InetTuple):
                continue
            if pair.source.port in ports:
                _set_ends(descriptor, _swapped(pair), SERVER)
            else:
                descriptor.role = CLIENT


def _set_ends(descriptor: Descriptor, pair: InetTuple, role: str) -> None:
    descriptor.type = _kind(pair.source)
    descriptor.tuple = pair
    descriptor.listening = None
    descriptor.role = role
    descriptor.name = tuple_text(pair)


def _swapped(pair: InetTuple) -> InetTuple:
    return InetTuple(pair.destination, pair.source)


def _kind(address: InetAddress) -> str:
    return "4" if len(address.address) == 4 else "6"


def _kind_of(family: int) -> str:
    if family == _AF_UNIX:
        return "u"
    if family == _AF_INET:
        return "4"
    if family == _AF_INET6:
        return "6"
    return "n" if family == _AF_NETLINK else "o"


def _protocol(family: int, kind: int, number: int) -> str | None:
    if family not in (_AF_INET, _AF_INET6):
        return None
    if number == _IP:
        return {_SOCK_STREAM: "tcp", _SOCK_DGRAM: "udp"}.get(kind & _SOCK_TYPE_MASK)
    named = {_TCP: "tcp", _UDP: "udp", _ICMP: "icmp", _RAW: "raw"}.get(number)
    return "raw" if named is not None and kind & _SOCK_TYPE_MASK == _SOCK_RAW else named
