"""Files that are opened and closed, and the working directory."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from refengine.event import Event, ParamValue
from refengine.event.addresses import printable
from refengine.event.paths import (
    ABSENT,
    AT_FDCWD,
    UNKNOWN_DIRECTORY,
    descriptor_numbered,
    joined,
    slashed,
    working_directory,
)
from refengine.state.descriptors import Descriptor, OpenedFile
from refengine.state.threads import Thread
from refengine.state.transitions.params import integer, result, succeeded, text
from refengine.tables.event_types import EVENT_TYPES, EventType
from refengine.tables.flags import FLAG_TABLES

if TYPE_CHECKING:
    from refengine.state.system import SystemState

_FILE = FLAG_TABLES["file_flags"]
_CREAT = FLAG_TABLES["creat_flags"]
_O_DIRECTORY = _FILE["O_DIRECTORY"]
_UPPER_LAYER, _LOWER_LAYER = _FILE["FD_UPPER_LAYER"], _FILE["FD_LOWER_LAYER"]
_LAYERS = _UPPER_LAYER | _LOWER_LAYER
_CACHED_PATHS = 4096
_CLOSE_RANGE_CLOEXEC = FLAG_TABLES["close_range_flags"]["CLOSE_RANGE_CLOEXEC"]


class _Positions(NamedTuple):
    """Where an event of a call that opens a file has its parameters, `_NOWHERE` for those that it lacks."""

    path: int
    flags: int
    dev: int
    ino: int
    dirfd: int
    layers: int


_NOWHERE = 1 << 16


def _positions(row: EventType) -> _Positions:
    index = row.index
    return _Positions(
        index.get("name", index.get("path", _NOWHERE)),
        *(index.get(name, _NOWHERE) for name in ("flags", "dev", "ino", "dirfd", "creat_flags")),
    )


_POSITIONS: tuple[_Positions, ...] = tuple(map(_positions, EVENT_TYPES))


_OPENED: tuple[tuple[int, int, int, int], ...] = tuple(
    (at.path, at.flags, at.dev, at.ino) for at in _POSITIONS
)
"""The positions of path, flags, device and inode in the parameters of an event, by its code."""


def _number(params: Sequence[ParamValue | None], position: int) -> int:
    value = _item(params, position)
    return value if isinstance(value, int) else 0


def _item(params: Sequence[ParamValue | None], position: int) -> ParamValue | None:
    return params[position] if position < len(params) else None


def open_file(state: SystemState, event: Event, thread: Thread) -> None:
    """Record the file of `open`, `openat`, `openat2`, or `open_by_handle_at`."""
    params = event.params
    number = params[0] if params else None
    if not isinstance(number, int) or number < 0:
        thread.last_fd = -1
        return
    path_at, flags_at, dev_at, ino_at = _OPENED[event.type.code]
    try:
        raw: Any = params[path_at]
        flags: Any = params[flags_at] or 0
        dev: Any = params[dev_at] or 0
        ino: Any = params[ino_at] or 0
    except IndexError:
        # An older recorder has left the last parameters out.
        raw = _item(params, path_at)
        flags, dev, ino = (_number(params, position) for position in (flags_at, dev_at, ino_at))
    if raw is not None and raw[:1] == "/":
        name = _absolute(raw)
    else:
        raw, name = opened_names(event)
        name = printable(name)
    # This is on the way of every open: what functions would do is done here, without their calls.
    descriptor = OpenedFile()
    descriptor.type = "d" if flags & _O_DIRECTORY else "f"
    descriptor.name = name
    descriptor.raw_name = raw
    descriptor.open_flags = flags
    descriptor.dev = dev
    descriptor.ino = ino
    descriptor.mount_id = descriptor.process = 0
    descriptor.tuple = descriptor.listening = descriptor.protocol = descriptor.role = None
    descriptor.connected = descriptor.upper_layer = descriptor.lower_layer = False
    descriptor.reported_name = ""
    if flags & _LAYERS:
        descriptor.upper_layer = bool(flags & _UPPER_LAYER)
        descriptor.lower_layer = bool(flags & _LOWER_LAYER)
    thread.last_fd = number
    event.descriptor = descriptor
    descriptors = thread.descriptors
    if number in descriptors:
        descriptors[number] = descriptor
    else:
        descriptors.put(number, descriptor)


def create_file(state: SystemState, event: Event, thread: Thread) -> None:
    """Record the file of `creat`, which has no flags but those of the layers."""
    number = result(event)
    if number is None or number < 0:
        thread.last_fd = -1
        return
    at, params = _POSITIONS[event.type.code], event.params
    raw, name = opened_names(event)
    descriptor = Descriptor("f", printable(name), raw)
    descriptor.dev, descriptor.ino = _number(params, at.dev), _number(params, at.ino)
    layers = _number(params, at.layers)
    descriptor.upper_layer = bool(layers & _CREAT["FD_UPPER_LAYER_CREAT"])
    descriptor.lower_layer = bool(layers & _CREAT["FD_LOWER_LAYER_CREAT"])
    state.open(event, thread, number, descriptor)


def opened_names(event: Event) -> tuple[str, str]:
    """Return the path as the program gave it to a call that opens a file, and the absolute path that it means."""
    at, params = _POSITIONS[event.type.code], event.params
    value = params[at.path] if at.path < len(params) else None
    if not isinstance(value, str):
        value = ABSENT
    if value.startswith("/"):
        return value, joined("", value)
    number = AT_FDCWD if at.dirfd >= len(params) else params[at.dirfd]
    return value, joined(_directory(event, number), value)


@lru_cache(_CACHED_PATHS)
def _absolute(path: str) -> str:
    """Return the name that an absolute path means, as it is shown; the same ones come again and again."""
    return printable(joined("", path))


def _directory(event: Event, number: object) -> str:
    """Return the directory that a relative path is below."""
    if not isinstance(number, int):
        return ""
    if number == AT_FDCWD:
        base = working_directory(event)
    else:
        descriptor = descriptor_numbered(event, number)
        base = None if descriptor is None else slashed(descriptor.name)
    return UNKNOWN_DIRECTORY if base is None else base


def close(state: SystemState, event: Event, thread: Thread) -> None:
    """Forget the descriptor once the event has been evaluated."""
    if event.descriptor is not None and succeeded(event):
        state.close_later(thread, thread.last_fd)


def close_range(state: SystemState, event: Event, thread: Thread) -> None:
    """Forget a range of descriptors once the event has been evaluated, unless they are to be closed on exec only."""
    first, last = integer(event, "first"), integer(event, "last")
    if not succeeded(event) or first is None or last is None:
        return
    if (integer(event, "flags") or 0) & _CLOSE_RANGE_CLOEXEC:
        return
    for number in thread.descriptors:
        if first <= number <= last:
            state.close_later(thread, number)


def chdir(state: SystemState, event: Event, thread: Thread) -> None:
    """Change the working directory to a path, or learn it: `chdir`, `getcwd`."""
    path = text(event, "path")
    if succeeded(event) and path is not None:
        _owner(thread).cwd = slashed(joined(thread.working_directory(), path))


def fchdir(state: SystemState, event: Event, thread: Thread) -> None:
    """Change the working directory to that of a descriptor."""
    if succeeded(event) and event.descriptor is not None:
        owner = _owner(thread)
        owner.cwd = slashed(joined(thread.working_directory(), event.descriptor.name))


def chroot(state: SystemState, event: Event, thread: Thread) -> None:
    """Change the root directory."""
    path = text(event, "path")
    if succeeded(event) and path is not None:
        thread.root = joined(thread.working_directory(), path)


def _owner(thread: Thread) -> Thread:
    """Return the thread that holds the working directory which `thread` uses."""
    return (thread.main or thread) if thread.shares_directory else thread
