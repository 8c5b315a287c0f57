"""Addresses and ports of the connection that the event concerns (`fd.cip`, `fd.sport`, `fd.net`…)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from refengine.event import Event
from refengine.event.sockets import InetAddress, InetTuple
from refengine.fields.extractor import Extract, Extractor, plain
from refengine.values import Value

End = Callable[[Event], "InetAddress | None"]
"""Finds one end of the connection."""


def client(event: Event) -> InetAddress | None:
    """Return the client's end of a connection."""
    pair = _pair(event)
    return None if pair is None else pair.source


def server(event: Event) -> InetAddress | None:
    """Return the server's end of a connection, or where a socket listens."""
    descriptor = event.descriptor
    if descriptor is None or descriptor.role is None:
        return None
    if descriptor.listening is not None:
        return descriptor.listening
    pair = descriptor.tuple
    return pair.destination if isinstance(pair, InetTuple) else None


def local(event: Event) -> InetAddress | None:
    """Return the end on this machine: the client's, if its address is this machine's, else the server's."""
    pair, state = _pair(event), event.state
    if pair is None or state is None:
        return None
    return pair.source if state.interfaces.is_local(pair.source.address) else pair.destination


def remote(event: Event) -> InetAddress | None:
    """Return the end opposite to the local one."""
    pair, state = _pair(event), event.state
    if pair is None or state is None:
        return None
    return pair.destination if state.interfaces.is_local(pair.source.address) else pair.source


def is_server(event: Event) -> bool | None:
    """`fd.is_server`: true where a socket listens, or the server's end of its connection is on this machine."""
    descriptor, state = event.descriptor, event.state
    if descriptor is None or state is None:
        return None
    if descriptor.listening is not None:
        return True
    if descriptor.type not in ("4", "6"):
        return False
    pair = descriptor.tuple
    if isinstance(pair, InetTuple):
        return state.interfaces.is_local(pair.destination.address)
    # A socket without ends has the unspecified address at both.
    return state.interfaces.is_local(bytes(4 if descriptor.type == "4" else 16))


def _pair(event: Event) -> InetTuple | None:
    descriptor = event.descriptor
    if descriptor is None or descriptor.role is None:
        return None
    pair = descriptor.tuple
    return pair if isinstance(pair, InetTuple) else None


def _address(end: End) -> Extract:
    def extract(event: Event) -> bytes | None:
        found = end(event)
        return None if found is None else found.address

    return extract


def _port(end: End) -> Extract:
    def extract(event: Event) -> int | None:
        found = end(event)
        return None if found is None else found.port

    return extract


def _port_text(end: End) -> Extract:
    """Return the reader of a port as text; services have no names here, so it is the number."""

    def extract(event: Event) -> str | None:
        found = end(event)
        return None if found is None else str(found.port)

    return extract


def client_port_text(event: Event) -> str | None:
    """`fd.cproto`: the empty string for a socket with a role but without a client's end."""
    descriptor = event.descriptor
    if descriptor is None or descriptor.role is None:
        return None
    pair = descriptor.tuple
    return str(pair.source.port) if isinstance(pair, InetTuple) else ""


def server_port_text(event: Event) -> str | None:
    """`fd.sproto`: the empty string for a socket that listens."""
    descriptor = event.descriptor
    if descriptor is not None and descriptor.listening is not None:
        return ""
    end = server(event)
    return None if end is None else str(end.port)


def _name(_event: Event) -> None:
    """Read the domain name of an address: absent, as nothing is looked up while events are evaluated."""
    return


def _ends(event: Event) -> list[InetAddress]:
    descriptor = event.descriptor
    if descriptor is None:
        return []
    if descriptor.listening is not None:
        return [descriptor.listening]
    pair = descriptor.tuple
    return [pair.source, pair.destination] if isinstance(pair, InetTuple) else []


def _addresses(event: Event) -> Iterable[Value] | None:
    return [end.address for end in _ends(event)] or None


def _ports(event: Event) -> Iterable[Value] | None:
    return [end.port for end in _ends(event)] or None


def _first(candidates: Callable[[Event], Iterable[Value] | None]) -> Extractor:
    """Return the extractor of a field that a comparison tries on both ends."""

    def extract(event: Event) -> Value | None:
        found = candidates(event)
        return None if found is None else next(iter(found))

    return Extractor(lambda _argument: extract, candidates)


EXTRACTORS: Mapping[str, Extractor] = {
    "fd.ip": _first(_addresses),
    "fd.cip": plain(_address(client)),
    "fd.sip": plain(_address(server)),
    "fd.lip": plain(_address(local)),
    "fd.rip": plain(_address(remote)),
    "fd.port": _first(_ports),
    "fd.cport": plain(_port(client)),
    "fd.sport": plain(_port(server)),
    "fd.lport": plain(_port(local)),
    "fd.rport": plain(_port(remote)),
    "fd.proto": _first(_ports),
    "fd.cproto": plain(client_port_text),
    "fd.sproto": plain(server_port_text),
    "fd.lproto": plain(_port_text(local)),
    "fd.rproto": plain(_port_text(remote)),
    "fd.net": _first(_addresses),
    "fd.cnet": plain(_address(client)),
    "fd.snet": plain(_address(server)),
    "fd.lnet": plain(_address(local)),
    "fd.rnet": plain(_address(remote)),
    "fd.cip.name": plain(_name),
    "fd.sip.name": plain(_name),
    "fd.lip.name": plain(_name),
    "fd.rip.name": plain(_name),
    "fd.is_server": plain(is_server),
}
