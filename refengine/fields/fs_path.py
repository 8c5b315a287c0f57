"""The paths that a call on the file system works on (`fs.path.*`); only calls that succeeded have them."""

from __future__ import annotations

from collections.abc import Mapping

from refengine.event import Event
from refengine.event.paths import normalised
from refengine.fields.extractor import Extract, Extractor, plain
from refengine.tables.event_types import EVENT_TYPES

_PATH: Mapping[str, str] = {
    **dict.fromkeys(("mkdir", "mkdirat", "rmdir", "unlink", "chown", "lchown"), "path"),
    **dict.fromkeys(("unlinkat", "open", "openat", "openat2", "umount", "umount2"), "name"),
    **dict.fromkeys(("chmod", "fchmodat"), "filename"),
    "fchownat": "pathname",
    "quotactl": "special",
}
_OF_DESCRIPTOR = frozenset({"fchmod", "fchown"})
_SOURCE: Mapping[str, str] = {
    **dict.fromkeys(("rename", "renameat", "renameat2"), "oldpath"),
    **dict.fromkeys(("link", "linkat"), "newpath"),
    **dict.fromkeys(("symlink", "symlinkat"), "linkpath"),
    "mount": "dev",
}
_TARGET: Mapping[str, str] = {
    **dict.fromkeys(("rename", "renameat", "renameat2"), "newpath"),
    **dict.fromkeys(("link", "linkat"), "oldpath"),
    **dict.fromkeys(("symlink", "symlinkat"), "target"),
    "mount": "dir",
}


def _positions(names: Mapping[str, str]) -> tuple[int | None, ...]:
    return tuple(
        row.index.get(names[row.name]) if row.is_exit and row.name in names else None for row in EVENT_TYPES
    )


def read(names: Mapping[str, str], *, raw: bool) -> Extract:
    """Return the reader of the parameter that `names` gives for each call, as given or made absolute."""
    positions = _positions(names)
    with_descriptor = names is _PATH

    def extract(event: Event) -> str | None:
        position = positions[event.type.code]
        if position is not None:
            value = event.params[position] if position < len(event.params) else None
        elif with_descriptor and event.type.name in _OF_DESCRIPTOR and event.descriptor is not None:
            value = event.descriptor.name
        else:
            return None
        if not isinstance(value, str) or not _succeeded(event):
            return None
        return value if raw else _absolute(event, value)

    return extract


def _succeeded(event: Event) -> bool:
    """Return whether the call's result is 0, or the descriptor that it made is not -1."""
    first = event.params[0]
    return first != -1 if "creates_fd" in event.type.flags else first == 0


def _absolute(event: Event, path: str) -> str | None:
    """Return the path below the working directory, whatever directory descriptor the call has."""
    if path.startswith("/"):
        return path
    state, thread = event.state, event.thread
    if state is None or thread is None:
        return None
    return normalised(state.working_directory(thread) + path)


EXTRACTORS: Mapping[str, Extractor] = {
    "fs.path.name": plain(read(_PATH, raw=False)),
    "fs.path.nameraw": plain(read(_PATH, raw=True)),
    "fs.path.source": plain(read(_SOURCE, raw=False)),
    "fs.path.sourceraw": plain(read(_SOURCE, raw=True)),
    "fs.path.target": plain(read(_TARGET, raw=False)),
    "fs.path.targetraw": plain(read(_TARGET, raw=True)),
}
