"""The descriptors that `poll` and its like wait for (`fdlist.*`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from refengine.event import Event
from refengine.event.addresses import address_text, printable
from refengine.event.sockets import InetTuple
from refengine.fields.extractor import Extract, Extractor, plain
from refengine.state.descriptors import Descriptor

Show = Callable[[int, "Descriptor | None"], str]


def listed(show: Show) -> Extract:
    """Return the reader that shows each descriptor of the list and joins them by commas; absent for none."""

    def extract(event: Event) -> str | None:
        fds, state, thread = event.param("fds"), event.state, event.thread
        if not isinstance(fds, tuple) or not fds or state is None or thread is None:
            return None
        shown = []
        for item in fds:
            number = item[0] if isinstance(item, tuple) and item else None
            if isinstance(number, int):
                shown.append(show(number, state.descriptor(thread, number)))
        return ",".join(shown)

    return extract


_NONE = "<NA>"


def number(fd: int, _descriptor: Descriptor | None) -> str:
    """`fdlist.nums`."""
    return str(fd)


def name(_fd: int, descriptor: Descriptor | None) -> str:
    """`fdlist.names`."""
    return _NONE if descriptor is None else printable(descriptor.name) or _NONE


def client_address(_fd: int, descriptor: Descriptor | None) -> str:
    """`fdlist.cips`."""
    pair = _pair(descriptor)
    return _NONE if pair is None else address_text(pair.source.address)


def client_port(_fd: int, descriptor: Descriptor | None) -> str:
    """`fdlist.cports`."""
    pair = _pair(descriptor)
    return _NONE if pair is None else str(pair.source.port)


def server_address(_fd: int, descriptor: Descriptor | None) -> str:
    """`fdlist.sips`."""
    pair = _pair(descriptor)
    if pair is not None:
        return address_text(pair.destination.address)
    listening = None if descriptor is None else descriptor.listening
    return _NONE if listening is None else address_text(listening.address)


def server_port(_fd: int, descriptor: Descriptor | None) -> str:
    """`fdlist.sports`."""
    pair = _pair(descriptor)
    if pair is not None:
        return str(pair.destination.port)
    listening = None if descriptor is None else descriptor.listening
    return _NONE if listening is None else str(listening.port)


def _pair(descriptor: Descriptor | None) -> InetTuple | None:
    pair = None if descriptor is None else descriptor.tuple
    return pair if isinstance(pair, InetTuple) else None


EXTRACTORS: Mapping[str, Extractor] = {
    "fdlist.nums": plain(listed(number)),
    "fdlist.names": plain(listed(name)),
    "fdlist.cips": plain(listed(client_address)),
    "fdlist.sips": plain(listed(server_address)),
    "fdlist.cports": plain(listed(client_port)),
    "fdlist.sports": plain(listed(server_port)),
}
