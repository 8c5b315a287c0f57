"""Sockets: how they are made, bound and connected, and what data sent or received tells of their ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from refengine.event import Event
from refengine.event.addresses import sockaddr_text, tuple_text, unix_tuple_text
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
_SOCK_CLOEXEC = 0o2000000
_IP, _ICMP, _TCP, _UDP, _ICMPV6 = 0, 1, 6, 17, 58
_EINPROGRESS = 115
_FIRST_EPHEMERAL_PORT = 32768


def create(state: SystemState, event: Event, thread: Thread) -> None:
    """Record a new socket, which has no ends yet."""
    number = result(event)
    if number is None:
        return
    if number < 0:
        thread.last_fd = -1
        return
    family, kind = integer(event, "domain") or 0, integer(event, "type") or 0
    descriptor = Descriptor(_kind_of(family), protocol=_protocol(family, kind, integer(event, "proto") or 0))
    descriptor.close_on_exec = bool(kind & _SOCK_CLOEXEC)
    state.open(event, thread, number, descriptor)


def bind(state: SystemState, event: Event, thread: Thread) -> None:
    """Note the address that a socket has been bound to."""
    descriptor, address = event.descriptor, event.param("addr")
    if descriptor is None or not succeeded(event):
        return
    _forget_name(state, descriptor)
    if isinstance(address, InetAddress):
        if address.port > 0:
            descriptor.type = "4" if len(address.address) == 4 else "6"
            descriptor.listening = address
            descriptor.tuple = None
            descriptor.role = SERVER
        descriptor.name = sockaddr_text(address)
    elif isinstance(address, UnixAddress):
        descriptor.name = sockaddr_text(address)


def connect(state: SystemState, event: Event, thread: Thread) -> None:
    """Note both ends of a connection that has been made, or has been started."""
    descriptor, returned = event.descriptor, result(event)
    if descriptor is None or returned is None or (returned < 0 and returned != -_EINPROGRESS):
        return
    pair = event.param("tuple")
    if isinstance(pair, (InetTuple, UnixTuple)):
        _forget_name(state, descriptor)
        _connect(state, descriptor, pair, CLIENT)


def _forget_name(state: SystemState, descriptor: Descriptor) -> None:
    """Let a name count as changed that the machine, asked after the call, has given already."""
    if not state.track_descriptors:
        descriptor.reported_name = ""


def accept(state: SystemState, event: Event, thread: Thread) -> None:
    """Record the socket of an accepted connection."""
    number = result(event)
    if number is None:
        return
    if number < 0:
        thread.last_fd = -1
        return
    pair = event.param("tuple")
    descriptor = Descriptor("o")
    if isinstance(pair, (InetTuple, UnixTuple)):
        descriptor.protocol = "tcp" if isinstance(pair, InetTuple) else None
        _connect(state, descriptor, pair, SERVER)
    state.open(event, thread, number, descriptor)


def socketpair(state: SystemState, event: Event, thread: Thread) -> None:
    """Record both sockets of a pair; the event concerns the second."""
    first, second = integer(event, "fd1"), integer(event, "fd2")
    if not succeeded(event) or first is None or second is None:
        return
    source, peer = integer(event, "source") or 0, integer(event, "peer") or 0
    for number in (first, second):
        pair = UnixTuple(source, peer, "")
        descriptor = Descriptor("u", unix_tuple_text(pair).rstrip(), tuple=pair)
        state.open(event, thread, number, descriptor)


def send(state: SystemState, event: Event, thread: Thread) -> None:
    """Learn the ends of a socket from data that was sent through it."""
    if succeeded(event):
        _learn(state, event, thread, incoming=False)


def receive(state: SystemState, event: Event, thread: Thread) -> None:
    """Learn the ends of a socket from data that was received through it."""
    if succeeded(event):
        _learn(state, event, thread, incoming=True)


def _learn(state: SystemState, event: Event, thread: Thread, *, incoming: bool) -> None:
    descriptor, pair = event.descriptor, event.param("tuple")
    if descriptor is None or pair is None:
        return
    if isinstance(pair, UnixTuple):
        if descriptor.type == "u" and not descriptor.name:
            descriptor.tuple = pair
            descriptor.name = tuple_text(pair)
        return
    if not isinstance(pair, InetTuple) or descriptor.type not in ("4", "6"):
        return
    pair = state.interfaces.completed(pair)
    role = descriptor.role
    if role is None or descriptor.listening is not None:
        role = _guessed_role(thread, pair, incoming=incoming)
    # The tuple of a datagram goes from sender to receiver, a connection's from client to server.
    if incoming is (role == CLIENT):
        pair = InetTuple(pair.destination, pair.source)
    _connect(state, descriptor, pair, role)


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


def _connect(state: SystemState, descriptor: Descriptor, pair: InetTuple | UnixTuple, role: str) -> None:
    if isinstance(pair, InetTuple):
        descriptor.type = "4" if len(pair.source.address) == 4 else "6"
        pair = state.interfaces.completed(pair)
    else:
        descriptor.type = "u"
    descriptor.tuple = pair
    descriptor.listening = None
    descriptor.role = role
    descriptor.connected = True
    descriptor.name = tuple_text(pair)


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
    kind &= _SOCK_TYPE_MASK
    if kind == _SOCK_RAW:
        return "raw"
    if number in (_ICMP, _ICMPV6):
        return "icmp"
    if number == _TCP or (number == _IP and kind == _SOCK_STREAM):
        return "tcp"
    if number == _UDP or (number == _IP and kind == _SOCK_DGRAM):
        return "udp"
    return None
