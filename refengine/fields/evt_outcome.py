"""What came of the event: results, failures, transferred bytes, counts (`evt.res`, `evt.is_open_write`…)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from refengine.event import Event
from refengine.fields.extractor import Extract, Extractor, plain
from refengine.tables.errnos import ERRNO_NAMES
from refengine.tables.event_types import EVENT_TYPES, EventType
from refengine.tables.flags import FLAG_TABLES

_FILE = FLAG_TABLES["file_flags"]
_O_RDONLY, _O_WRONLY = _FILE["O_RDONLY"], _FILE["O_WRONLY"]
_O_CREAT, _O_TMPFILE, _O_F_CREATED = _FILE["O_CREAT"], _FILE["O_TMPFILE"], _FILE["O_F_CREATED"]
_EXECUTABLE_BITS = 0o111

_OPENS = frozenset({"open", "openat", "openat2", "open_by_handle_at"})
_FILE_CALLS = _OPENS | {"creat"}
_SOCKET_CALLS = frozenset({"accept", "accept4", "connect", "bind"})
_FILES = frozenset("fd")
_SOCKETS = frozenset("46u")
_PLAIN_FILES = frozenset("f")
_IP_SOCKETS = frozenset("46")


def _result_position(row: EventType) -> int | None:
    """Return where an event has its result: the parameter `res`, or the descriptor that it makes."""
    if "res" in row.index:
        return row.index["res"]
    return row.index.get("fd") if "creates_fd" in row.flags and row.is_exit else None


def _flags_position(row: EventType) -> int | None:
    return row.index.get("flags") if row.name in _OPENS and row.is_exit else None


_RESULTS: tuple[int | None, ...] = tuple(map(_result_position, EVENT_TYPES))
_OPEN_FLAGS: tuple[int | None, ...] = tuple(map(_flags_position, EVENT_TYPES))
_READS: tuple[bool, ...] = tuple("reads_from_fd" in row.flags for row in EVENT_TYPES)
_WRITES: tuple[bool, ...] = tuple("writes_to_fd" in row.flags for row in EVENT_TYPES)
_WAITS: tuple[bool, ...] = tuple("waits" in row.flags for row in EVENT_TYPES)


def raw_result(event: Event) -> int | None:
    """`evt.rawres`."""
    position = _RESULTS[event.type.code]
    if position is None or position >= len(event.params):
        return None
    value = event.params[position]
    if not isinstance(value, int):
        return None
    return value - (1 << 64) if value >= 1 << 63 else value


def result(event: Event) -> str | None:
    """`evt.res`: `SUCCESS` or the error's name."""
    value = raw_result(event)
    if value is None:
        return None
    return "SUCCESS" if value >= 0 else ERRNO_NAMES.get(-value, str(value))


def failed(event: Event) -> bool | None:
    """`evt.failed`."""
    value = raw_result(event)
    return None if value is None else value < 0


def is_io(event: Event) -> bool:
    """`evt.is_io`."""
    code = event.type.code
    return _READS[code] or _WRITES[code]


def is_io_read(event: Event) -> bool:
    """`evt.is_io_read`."""
    return _READS[event.type.code]


def is_io_write(event: Event) -> bool:
    """`evt.is_io_write`."""
    return _WRITES[event.type.code]


def io_direction(event: Event) -> str | None:
    """`evt.io_dir`."""
    code = event.type.code
    if _WRITES[code]:
        return "write"
    return "read" if _READS[code] else None


def is_wait(event: Event) -> bool:
    """`evt.is_wait`."""
    return _WAITS[event.type.code]


def is_syslog(event: Event) -> bool:
    """`evt.is_syslog`: true for what is written to the system log's socket."""
    descriptor = event.descriptor
    return _WRITES[event.type.code] and descriptor is not None and descriptor.name.endswith("/dev/log")


def buffer_length(event: Event) -> int | None:
    """`evt.buflen`: how many bytes an operation on a known descriptor moved."""
    if event.descriptor is None or not event.type.category.startswith("io_"):
        return None
    value = raw_result(event)
    return value if value is not None and value >= 0 else None


def _length_where(kinds: frozenset[str] | None, category: str | None) -> Extract:
    """Return the reader of `evt.buflen` of events with such descriptors and in such a direction."""

    def extract(event: Event) -> int | None:
        descriptor = event.descriptor
        if descriptor is None or (kinds is not None and descriptor.type not in kinds):
            return None
        return buffer_length(event) if category is None or event.type.category == category else None

    return extract


def one(_event: Event) -> int:
    """`evt.count`: 1, for sums over events."""
    return 1


def count_exit(event: Event) -> int | None:
    """`evt.count.exit`."""
    return 1 if event.type.is_exit else None


def count_procinfo(event: Event) -> int | None:
    """`evt.count.procinfo`: 1 for the periodic reports on first threads."""
    thread = event.thread
    return 1 if event.type.name == "procinfo" and thread is not None and thread.is_main else None


def count_threadinfo(event: Event) -> int | None:
    """`evt.count.threadinfo`: 1 for the periodic reports on threads."""
    return 1 if event.type.name == "procinfo" else None


def count_error(event: Event) -> int | None:
    """`evt.count.error`: 1 where the call failed, 0 where it succeeded."""
    value = raw_result(event)
    return None if value is None else int(value < 0)


def _about_file(event: Event) -> bool:
    descriptor = event.descriptor
    return event.type.name in _FILE_CALLS if descriptor is None else descriptor.type in _FILES


def _about_net(event: Event) -> bool:
    descriptor = event.descriptor
    return event.type.name in _SOCKET_CALLS if descriptor is None else descriptor.type in _SOCKETS


def _about_memory(event: Event) -> bool:
    return event.type.category == "memory"


def _about_other(event: Event) -> bool:
    return not (_about_file(event) or _about_net(event) or _about_memory(event))


def _errors_where(holds: Callable[[Event], bool]) -> Extract:
    return lambda event: count_error(event) if holds(event) else None


def _open_flags(event: Event) -> int:
    position = _OPEN_FLAGS[event.type.code]
    if position is None or position >= len(event.params):
        return 0
    value = event.params[position]
    return value if isinstance(value, int) else 0


def _opened_for(access: int) -> Extract:
    """Return the reader of whether an open has asked for an access."""

    def extract(event: Event) -> bool:
        position = _OPEN_FLAGS[event.type.code]
        if position is None:
            return False
        params = event.params
        value = params[position] if position < len(params) else None
        return isinstance(value, int) and value & access != 0

    return extract


def is_open_exec(event: Event) -> bool:
    """`evt.is_open_exec`: true where a file is created that may be executed."""
    if event.type.name != "creat" and not _open_flags(event) & (_O_CREAT | _O_TMPFILE):
        return False
    mode = event.param("mode")
    return event.type.is_exit and isinstance(mode, int) and bool(mode & _EXECUTABLE_BITS)


def is_open_create(event: Event) -> bool:
    """`evt.is_open_create`: true where a file was created by being opened."""
    flags = _open_flags(event)
    if flags & _O_F_CREATED:
        return True
    return bool(flags & _O_TMPFILE) and (raw_result(event) or 0) >= 0


EXTRACTORS: Mapping[str, Extractor] = {
    "evt.res": plain(result),
    "evt.rawres": plain(raw_result),
    "evt.failed": plain(failed),
    "evt.is_io": plain(is_io),
    "evt.is_io_read": plain(is_io_read),
    "evt.is_io_write": plain(is_io_write),
    "evt.io_dir": plain(io_direction),
    "evt.is_wait": plain(is_wait),
    "evt.is_syslog": plain(is_syslog),
    "evt.buflen": plain(buffer_length),
    "evt.buflen.in": plain(_length_where(None, "io_read")),
    "evt.buflen.out": plain(_length_where(None, "io_write")),
    "evt.buflen.file": plain(_length_where(_PLAIN_FILES, None)),
    "evt.buflen.file.in": plain(_length_where(_PLAIN_FILES, "io_read")),
    "evt.buflen.file.out": plain(_length_where(_PLAIN_FILES, "io_write")),
    "evt.buflen.net": plain(_length_where(_IP_SOCKETS, None)),
    "evt.buflen.net.in": plain(_length_where(_IP_SOCKETS, "io_read")),
    "evt.buflen.net.out": plain(_length_where(_IP_SOCKETS, "io_write")),
    "evt.count": plain(one),
    "evt.count.exit": plain(count_exit),
    "evt.count.procinfo": plain(count_procinfo),
    "evt.count.threadinfo": plain(count_threadinfo),
    "evt.count.error": plain(count_error),
    "evt.count.error.file": plain(_errors_where(_about_file)),
    "evt.count.error.net": plain(_errors_where(_about_net)),
    "evt.count.error.memory": plain(_errors_where(_about_memory)),
    "evt.count.error.other": plain(_errors_where(_about_other)),
    "evt.is_open_read": plain(_opened_for(_O_RDONLY)),
    "evt.is_open_write": plain(_opened_for(_O_WRONLY)),
    "evt.is_open_exec": plain(is_open_exec),
    "evt.is_open_create": plain(is_open_create),
}
