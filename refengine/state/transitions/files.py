"""Files that are opened and closed, and the working directory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from refengine.event import Event
from refengine.event.addresses import printable
from refengine.event.paths import UNKNOWN_DIRECTORY, base_directory, directory_numbered, joined, normalised
from refengine.state.descriptors import Descriptor
from refengine.state.threads import Thread
from refengine.state.transitions.params import integer, result, succeeded, text
from refengine.tables.flags import FLAG_TABLES

if TYPE_CHECKING:
    from refengine.state.system import SystemState

_FILE = FLAG_TABLES["file_flags"]
_CREAT = FLAG_TABLES["creat_flags"]
_O_DIRECTORY = _FILE["O_DIRECTORY"]
_O_SELDOM = _FILE["O_CLOEXEC"] | _FILE["FD_UPPER_LAYER"] | _FILE["FD_LOWER_LAYER"]
_O_CREAT_WRITE = _FILE["O_CREAT"] | _FILE["O_TRUNC"] | _FILE["O_WRONLY"]
_CLOSE_RANGE_CLOEXEC = FLAG_TABLES["close_range_flags"]["CLOSE_RANGE_CLOEXEC"]


def open_file(state: SystemState, event: Event, thread: Thread) -> None:
    """Record the file of `open`, `openat`, `openat2`, or `open_by_handle_at`."""
    number = result(event)
    if number is None or number < 0:
        thread.last_fd = -1
        return
    raw, name = opened_names(event)
    flags = integer(event, "flags") or 0
    descriptor = Descriptor("d" if flags & _O_DIRECTORY else "f", printable(name), raw, flags)
    descriptor.dev = integer(event, "dev") or 0
    descriptor.ino = integer(event, "ino") or 0
    if flags & _O_SELDOM:
        descriptor.close_on_exec = bool(flags & _FILE["O_CLOEXEC"])
        descriptor.upper_layer = bool(flags & _FILE["FD_UPPER_LAYER"])
        descriptor.lower_layer = bool(flags & _FILE["FD_LOWER_LAYER"])
    state.open(event, thread, number, descriptor)


def create_file(state: SystemState, event: Event, thread: Thread) -> None:
    """Record the file of `creat`."""
    number = result(event)
    if number is None or number < 0:
        thread.last_fd = -1
        return
    raw, name = opened_names(event)
    descriptor = Descriptor("f", printable(name), raw, _O_CREAT_WRITE)
    descriptor.dev = integer(event, "dev") or 0
    descriptor.ino = integer(event, "ino") or 0
    layers = integer(event, "creat_flags") or 0
    descriptor.upper_layer = bool(layers & _CREAT["FD_UPPER_LAYER_CREAT"])
    descriptor.lower_layer = bool(layers & _CREAT["FD_LOWER_LAYER_CREAT"])
    state.open(event, thread, number, descriptor)


def opened_names(event: Event) -> tuple[str, str]:
    """Return the path as the program gave it to a call that opens a file, and the absolute path that it means."""
    position = event.type.index.get("name", event.type.index.get("path"))
    value = event.params[position] if position is not None and position < len(event.params) else None
    if position is None or not isinstance(value, str):
        return "", ""
    if value.startswith("/"):
        return value, joined("", value)
    base = base_directory(event, event.type.params[position])
    return value, joined(UNKNOWN_DIRECTORY if base is None else base, value)


def close(state: SystemState, event: Event, thread: Thread) -> None:
    """Forget the descriptor once the event has been evaluated."""
    if succeeded(event) and thread.last_fd >= 0:
        state.close_later(thread, thread.last_fd)


def close_range(state: SystemState, event: Event, thread: Thread) -> None:
    """Forget a range of descriptors once the event has been evaluated, or mark them closed on exec."""
    first, last = integer(event, "first"), integer(event, "last")
    if not succeeded(event) or first is None or last is None:
        return
    flags = integer(event, "flags") or 0
    for number, descriptor in thread.descriptors.items():
        if first <= number <= last:
            if flags & _CLOSE_RANGE_CLOEXEC:
                descriptor.close_on_exec = True
            else:
                state.close_later(thread, number)


def chdir(state: SystemState, event: Event, thread: Thread) -> None:
    """Change the working directory to a path."""
    path = text(event, "path")
    if succeeded(event) and path is not None:
        _owner(thread).set_cwd(joined(thread.working_directory(), path))


def fchdir(state: SystemState, event: Event, thread: Thread) -> None:
    """Change the working directory to that of a descriptor."""
    number = integer(event, "fd")
    if not succeeded(event) or number is None:
        return
    path = directory_numbered(event, number)
    if path:
        _owner(thread).set_cwd(path)


def chroot(state: SystemState, event: Event, thread: Thread) -> None:
    """Change the root directory."""
    path = text(event, "path")
    if succeeded(event) and path is not None:
        thread.root = normalised(joined(thread.working_directory(), path))


def _owner(thread: Thread) -> Thread:
    """Return the thread that holds the working directory which `thread` uses."""
    return (thread.main or thread) if thread.shares_directory else thread
