"""The descriptor that the event concerns (`fd.*`), but for addresses and ports."""

from __future__ import annotations

from collections.abc import Mapping

from refengine.event import Event
from refengine.event.addresses import printable
from refengine.event.rendering import arg_text
from refengine.fields.extractor import AttributePath, Extract, Extractor, plain
from refengine.state.descriptors import DESCRIPTOR_TYPES, Descriptor
from refengine.state.transitions.files import opened_names
from refengine.tables.event_types import EVENT_TYPES
from refengine.values import Value

NO_PROTOCOL = "<NA>"

_ABOUT: tuple[bool, ...] = tuple(
    bool(row.flags & {"creates_fd", "uses_fd", "destroys_fd"}) for row in EVENT_TYPES
)
"""By event code, whether the event concerns a descriptor at all."""

_OPENS = frozenset({"open", "openat", "openat2", "creat", "open_by_handle_at"})
_ACCEPTS = frozenset({"accept", "accept4"})


def concerned(event: Event) -> bool:
    """Return whether the event is about a descriptor and its thread is known."""
    return _ABOUT[event.type.code] and event.thread is not None


def number(event: Event) -> int | None:
    """`fd.num`."""
    thread = event.thread
    return thread.last_fd if thread is not None and _ABOUT[event.type.code] else None


def type_name(event: Event) -> str | None:
    """`fd.type`."""
    descriptor = event.descriptor
    return None if descriptor is None else DESCRIPTOR_TYPES[descriptor.type]


def type_letter(event: Event) -> str | None:
    """`fd.typechar`: `o` where the descriptor is not known."""
    descriptor = event.descriptor
    if descriptor is not None:
        return "u" if descriptor.type == "U" else descriptor.type
    return "o" if concerned(event) else None


def name(event: Event) -> str | None:
    """`fd.name`: for a call that made no descriptor, the name it was to have."""
    descriptor = event.descriptor
    if descriptor is not None:
        name = descriptor.name
        # Asked here as well, since a call takes longer and nearly all names are.
        return name if name.isprintable() else printable(name)
    return _intended_name(event) if concerned(event) else None


def raw_name(event: Event) -> str | None:
    """`fd.nameraw`: the path as the program gave it."""
    descriptor = event.descriptor
    if descriptor is not None:
        return _without_double_slashes(printable(descriptor.raw_name))
    if not concerned(event):
        return None
    raw = (
        opened_names(event)[0] if event.type.is_exit and event.type.name in _OPENS else _intended_name(event)
    )
    return None if raw is None else _without_double_slashes(printable(raw))


def directory(event: Event) -> str | None:
    """`fd.directory`: the folder of a file, a folder itself."""
    descriptor = event.descriptor
    if descriptor is None:
        intended = _intended_name(event) if concerned(event) else None
        return None if intended is None else _folder_of(intended)
    if descriptor.type == "d":
        return printable(descriptor.name)
    return _folder_of(printable(descriptor.name)) if descriptor.type == "f" else None


def file_name(event: Event) -> str | None:
    """`fd.filename`: the last component of a file's path."""
    descriptor = event.descriptor
    if descriptor is None or descriptor.type != "f":
        return None
    path = printable(descriptor.name)
    position = path.rfind("/")
    if position < 0:
        return "/"
    return path[position + 1 :] or path


def unique_id(event: Event) -> str | None:
    """`fd.uid`: the thread's number followed by the descriptor's."""
    thread = event.thread
    return f"{event.tid}{thread.last_fd}" if thread is not None and _ABOUT[event.type.code] else None


def container_name(event: Event) -> str | None:
    """`fd.containername`: the container's id, empty outside of any, a colon, and the name."""
    text = name(event)
    return None if text is None else f"{_container(event)}:{text}"


def container_directory(event: Event) -> str | None:
    """`fd.containerdirectory`: the container's id, empty outside of any, a colon, and the folder."""
    text = directory(event)
    return None if text is None else f"{_container(event)}:{text}"


def is_connected(event: Event) -> bool | None:
    """`fd.connected`."""
    descriptor = event.descriptor
    return None if descriptor is None else descriptor.connected


def name_changed(event: Event) -> bool | None:
    """`fd.name_changed`: true for the event that gave the descriptor its present name."""
    descriptor = event.descriptor
    return None if descriptor is None else descriptor.name != descriptor.reported_name


def device_major(event: Event) -> int | None:
    """`fd.dev.major`."""
    descriptor = event.descriptor
    return None if descriptor is None else (descriptor.dev & 0xFFF00) >> 8


def device_minor(event: Event) -> int | None:
    """`fd.dev.minor`."""
    descriptor = event.descriptor
    return None if descriptor is None else (descriptor.dev & 0xFF) | ((descriptor.dev >> 12) & 0xFFF00)


def types(argument: str | None) -> Extract:
    """`fd.types`: the kinds of descriptors that the process has open, or of the one with a number."""
    if argument is None:
        return _all_types
    wanted = int(argument) if argument.isdecimal() else -1

    def extract(event: Event) -> Value | None:
        state, thread = event.state, event.thread
        if state is None or thread is None or not _ABOUT[event.type.code]:
            return None
        descriptor = state.descriptor(thread, wanted)
        return None if descriptor is None else (DESCRIPTOR_TYPES[descriptor.type],)

    return extract


def _all_types(event: Event) -> Value | None:
    thread, state = event.thread, event.state
    if thread is None or state is None or not _ABOUT[event.type.code]:
        return None
    kinds = dict.fromkeys(descriptor.type for descriptor in state.descriptors(thread))
    return tuple(DESCRIPTOR_TYPES[kind] for kind in kinds) or None


def _intended_name(event: Event) -> str | None:
    """Return the name that a descriptor would have got from the call, the empty string for one without name."""
    kind = event.type
    if not kind.is_exit:
        return None
    if kind.name in _OPENS:
        return printable(opened_names(event)[1])
    if kind.name in _ACCEPTS and len(event.params) > 1:
        return arg_text(event, 1)
    return ""


def _folder_of(path: str) -> str:
    position = path.rfind("/")
    if position <= 0:
        return "/"
    return path if position == len(path) - 1 else path[:position]


def _without_double_slashes(path: str) -> str:
    while "//" in path:
        path = path.replace("//", "/")
    return path


def _container(event: Event) -> str:
    container = None if event.thread is None else event.thread.container()
    return "" if container is None else container.short


def is_ip_socket(descriptor: Descriptor) -> bool:
    """Return whether a descriptor is a socket of IPv4 or IPv6."""
    return descriptor.type in ("4", "6")


def protocol(event: Event) -> str | None:
    """`fd.l4proto`: `<NA>` where there is none."""
    descriptor = event.descriptor
    return None if descriptor is None else descriptor.shown_protocol or NO_PROTOCOL


def socket_family(event: Event) -> str | None:
    """`fd.sockfamily`."""
    descriptor = event.descriptor
    if descriptor is None:
        return None
    if is_ip_socket(descriptor):
        return "ip"
    return "unix" if descriptor.type == "u" else None


EXTRACTORS: Mapping[str, Extractor] = {
    "fd.num": plain(number),
    "fd.type": plain(type_name),
    "fd.typechar": plain(type_letter),
    "fd.name": plain(name),
    "fd.nameraw": plain(raw_name),
    "fd.directory": plain(directory),
    "fd.filename": plain(file_name),
    "fd.uid": plain(unique_id),
    "fd.containername": plain(container_name),
    "fd.containerdirectory": plain(container_directory),
    "fd.connected": plain(is_connected),
    "fd.name_changed": plain(name_changed),
    "fd.dev": plain(AttributePath("descriptor.dev")),
    "fd.dev.major": plain(device_major),
    "fd.dev.minor": plain(device_minor),
    "fd.ino": plain(AttributePath("descriptor.ino")),
    "fd.is_upper_layer": plain(AttributePath("descriptor.upper_layer")),
    "fd.is_lower_layer": plain(AttributePath("descriptor.lower_layer")),
    "fd.types": Extractor(types),
    "fd.l4proto": plain(protocol),
    "fd.sockfamily": plain(socket_family),
}
