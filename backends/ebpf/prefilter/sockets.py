"""What the kernel side knows of the socket that a call is about: its kind, its protocol and its ends.

It says of a descriptor what the state makes of it, in so far as that follows from the socket as it is, whatever
earlier events may have told of it; the rest is unknown. `program/sockets.h` has the same in C.
"""

from __future__ import annotations

import errno
import socket
import stat
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from types import MappingProxyType
from typing import Final

from refengine.backends.ebpf.layout import FileState
from refengine.backends.ebpf.prefilter.facts import Facts
from refengine.backends.syscalls.addresses import parse_address
from refengine.event.addresses import unmapped
from refengine.event.sockets import InetAddress


class Use(IntEnum):
    """What a call does with the socket."""

    HOLDS = 1
    """The first argument is a descriptor, which the call leaves as it is; it need not be a socket."""
    CONNECTS = 2
    ACCEPTS = 3
    SENDS = 4
    SENDS_MESSAGE = 5
    RECEIVES = 6


USES: Final[Mapping[str, Use]] = MappingProxyType(
    {
        **dict.fromkeys(("dup", "dup2", "dup3", "listen", "shutdown", "setsockopt", "getsockopt"), Use.HOLDS),
        **dict.fromkeys(
            ("read", "readv", "pread64", "preadv", "write", "writev", "pwrite64", "pwritev"), Use.HOLDS
        ),
        **dict.fromkeys(("fchmod", "fchown", "flock", "lseek"), Use.HOLDS),
        "connect": Use.CONNECTS,
        "accept": Use.ACCEPTS,
        "accept4": Use.ACCEPTS,
        "sendto": Use.SENDS,
        "sendmsg": Use.SENDS_MESSAGE,
        "recvfrom": Use.RECEIVES,
        "recvmsg": Use.RECEIVES,
    }
)
"""The calls of whose descriptors the kernel side knows something."""


class Kind(IntEnum):
    """What a descriptor is; a kind of several letters of `fd.typechar` stands for any of them."""

    UNKNOWN = 0
    IPV4 = ord("4")
    IPV6 = ord("6")
    IP = ord("I")
    UNIX = ord("u")
    NETLINK = ord("n")
    OTHER_SOCKET = ord("o")
    FOLDER = ord("d")
    PIPE = ord("p")
    NO_SOCKET = ord("f")
    """Not a socket, and neither a folder nor a pipe."""
    UNIX_OR_NOTHING = ord("W")
    NOTHING = ord("N")
    """There is no descriptor: the call was to make one, and has failed."""


class Protocol(IntEnum):
    """What `fd.l4proto` shows of a descriptor."""

    UNKNOWN = 0
    TCP = ord("t")
    UDP = ord("u")
    ICMP = ord("i")
    RAW = ord("r")
    NO_PROTOCOL = ord("-")
    NOTHING = ord("N")


class Form(IntEnum):
    """Which ends there are. Those of a socket that listens are both where it does."""

    UNKNOWN = 0
    NONE = 1
    LISTENING = 2
    PAIR = 3
    EITHER_WAY = 4
    """Both ends are known, but not which of them is the server's."""


class Given(IntEnum):
    """The address among the arguments of a call."""

    NOTHING = 0
    INTERNET = 1
    UNIX = 2
    OTHER = 3
    UNREADABLE = 4
    """It cannot be read, or is too short to be looked at."""


ADDRESS_MIN: Final = 8
"""Bytes of the shortest address that is looked at."""

_NO_END: Final = InetAddress(bytes(4), 0)


@dataclass(frozen=True, slots=True)
class Ends:
    """What is known of a socket: `source` is the client's end, `destination` the server's. `connected` is certain."""

    kind: Kind = Kind.UNKNOWN
    protocol: Protocol = Protocol.UNKNOWN
    form: Form = Form.UNKNOWN
    source: InetAddress = _NO_END
    destination: InetAddress = _NO_END
    connected: bool = False


_UNKNOWN: Final = Ends()
_NOTHING: Final = Ends(Kind.NOTHING, Protocol.NOTHING, Form.NONE)
_ADDRESS_SIZES: Final[Mapping[int, int]] = {socket.AF_INET: 4, socket.AF_INET6: 16}
_FAMILIES: Final[Mapping[int, Kind]] = {
    socket.AF_INET: Kind.IPV4,
    socket.AF_INET6: Kind.IPV6,
    socket.AF_UNIX: Kind.UNIX,
    socket.AF_NETLINK: Kind.NETLINK,
}
_PROTOCOLS: Final[Mapping[int, Protocol]] = {
    socket.IPPROTO_TCP: Protocol.TCP,
    socket.IPPROTO_UDP: Protocol.UDP,
    socket.IPPROTO_ICMP: Protocol.ICMP,
    socket.IPPROTO_ICMPV6: Protocol.ICMP,
}
_LISTENS: Final = 10
"""The state of a TCP socket that waits for connections."""


def ends_of(event_type: str, facts: Facts) -> Ends:
    """Return what is known of the socket that a call is about; the call has to be one of `USES`."""
    use = USES[event_type]
    if use is Use.ACCEPTS and facts.result < 0:
        return _NOTHING
    state = facts.opened
    if state is None:
        return _UNKNOWN
    done = facts.result >= 0 or (use is Use.CONNECTS and facts.result == -errno.EINPROGRESS)
    if not stat.S_ISSOCK(state.mode) or state.family not in _ADDRESS_SIZES:
        return _of_another_family(state, use, facts.address, done=done)
    found = _internet(state)
    if use is Use.HOLDS or not done:
        return _named(found)
    if use is Use.ACCEPTS:
        return _accepted(found)
    if use is Use.CONNECTS:
        return _connected(found, facts.address)
    is_paired = found.form is Form.PAIR
    if found.protocol is Protocol.TCP and is_paired:
        return replace(_named(found), connected=True)
    if use is Use.RECEIVES or found.protocol in (Protocol.TCP, Protocol.UNKNOWN):
        return Ends(connected=is_paired)
    return _sending(found, facts.address)


def _of_another_family(state: FileState, use: Use, address: bytes | None, *, done: bool) -> Ends:
    """Return what is known of what is no socket of the internet.

    Another thread may have put it in the place of one while the call was made: then the address tells what it was.
    """
    kind = _kind_of(state)
    if use is Use.ACCEPTS:
        return Ends(Kind.UNIX_OR_NOTHING, form=Form.NONE) if kind is Kind.UNIX else _NOTHING
    if done and use is not Use.HOLDS:
        given = _given(address)
        is_its_own = given is Given.NOTHING or given is (Given.UNIX if kind is Kind.UNIX else Given.OTHER)
        if kind not in (Kind.UNIX, Kind.NETLINK) or use is Use.RECEIVES or not is_its_own:
            return _UNKNOWN
    return Ends(kind, Protocol.NO_PROTOCOL, Form.NONE)


def _kind_of(state: FileState) -> Kind:
    if stat.S_ISSOCK(state.mode):
        return _FAMILIES.get(state.family, Kind.OTHER_SOCKET)
    if stat.S_ISDIR(state.mode):
        return Kind.FOLDER
    return Kind.PIPE if stat.S_ISFIFO(state.mode) else Kind.NO_SOCKET


def _internet(state: FileState) -> Ends:
    """Return the socket with its own end as the source and the other one, if there is one, as the destination."""
    size = _ADDRESS_SIZES[state.family]
    local = InetAddress(state.local[:size], state.local_port)
    protocol = _PROTOCOLS.get(state.protocol, Protocol.UNKNOWN)
    if state.type == socket.SOCK_RAW:
        protocol = Protocol.RAW
    if state.peer_port:
        form, peer = Form.PAIR, InetAddress(state.peer[:size], state.peer_port)
    elif (state.type != socket.SOCK_STREAM or state.state == _LISTENS) and state.local_port:
        form, peer = Form.LISTENING, local
    else:
        form, peer = Form.UNKNOWN, InetAddress(bytes(size), 0)
    return Ends(_FAMILIES[state.family], protocol, form, local, peer)


def _named(found: Ends) -> Ends:
    """Return the socket as it is told of where the event tells nothing else: the lower port is the server's."""
    if found.form is Form.UNKNOWN:
        # It may have had ends before. The protocol is shown once they are known, but for that of raw sockets.
        shown = found.protocol if found.protocol is Protocol.RAW else Protocol.UNKNOWN
        return Ends(found.kind, shown)
    if found.form is Form.PAIR and found.source.port < found.destination.port:
        return replace(found, source=found.destination, destination=found.source)
    return found


def _accepted(found: Ends) -> Ends:
    size = len(found.source.address)
    client = found.destination if found.form is Form.PAIR else InetAddress(bytes(size), 0)
    return _pair(Protocol.TCP, Form.PAIR, client, found.source)


def _given(data: bytes | None) -> Given:
    if data is None:
        return Given.NOTHING
    if len(data) < ADDRESS_MIN:
        return Given.UNREADABLE
    address = parse_address(data)
    if isinstance(address, InetAddress):
        return Given.INTERNET
    return Given.OTHER if address is None else Given.UNIX


def _connected(found: Ends, data: bytes | None) -> Ends:
    given = _given(data)
    if given is Given.OTHER:
        return replace(_named(found), connected=True)
    address = None if data is None or given is not Given.INTERNET else parse_address(data)
    if not isinstance(address, InetAddress):
        return _UNKNOWN
    # Which end of an exchange of datagrams is the server's, earlier events may have told.
    is_certain = found.protocol in (Protocol.TCP, Protocol.ICMP, Protocol.RAW)
    form = Form.PAIR if is_certain else Form.EITHER_WAY
    return replace(_pair(found.protocol, form, found.source, address), connected=True)


def _sending(found: Ends, data: bytes | None) -> Ends:
    given = _given(data)
    if given is Given.NOTHING:
        return replace(_named(found), connected=found.form is Form.PAIR)
    if given is Given.OTHER:
        return _named(found)
    address = None if data is None or given is not Given.INTERNET else parse_address(data)
    if not isinstance(address, InetAddress) or len(address.address) != len(found.source.address):
        return _UNKNOWN
    # The ends become those of this exchange, by what is known of earlier ones.
    kind = Kind.IPV4 if found.kind is Kind.IPV4 else Kind.IP
    return Ends(kind, _named(found).protocol, connected=True)


def _pair(protocol: Protocol, form: Form, source: InetAddress, destination: InetAddress) -> Ends:
    plain = unmapped(source), unmapped(destination)
    if len(plain[0].address) == len(plain[1].address):
        source, destination = plain
    if len(source.address) != len(destination.address):
        return _UNKNOWN
    kind = Kind.IPV4 if len(source.address) == 4 else Kind.IPV6
    return Ends(kind, protocol, form, source, destination)
