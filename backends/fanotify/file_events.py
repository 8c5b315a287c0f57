"""From what happened to a file to events of system calls that do such things."""

from __future__ import annotations

import os
import stat
from typing import Final

from refengine.backends.fanotify import binding
from refengine.backends.fanotify.opens import Opened
from refengine.backends.fanotify.watch import Seen
from refengine.event import Event
from refengine.event.paths import AT_FDCWD
from refengine.tables.event_types import BY_ENUM

_OPENAT: Final = BY_ENUM["SYSCALL_OPENAT_2_X"]
_MKDIR: Final = BY_ENUM["SYSCALL_MKDIR_2_X"]
_RMDIR: Final = BY_ENUM["SYSCALL_RMDIR_2_X"]
_UNLINK: Final = BY_ENUM["SYSCALL_UNLINK_2_X"]
_RENAME: Final = BY_ENUM["SYSCALL_RENAME_X"]
_SYMLINK: Final = BY_ENUM["SYSCALL_SYMLINK_X"]

FILE_EVENTS: Final = frozenset({"openat", "mkdir", "rmdir", "unlink", "rename", "symlink"})
"""The types of the events that are made of what happens to files.

A system call of several forms is reported as one of them: which it was is not told.
"""


def open_event(opened: Opened, time: int) -> Event:
    """Return the event of an open."""
    tid, path, number, flags, mode, dev, ino = opened
    return Event(_OPENAT, time, tid, (number, AT_FDCWD, path, flags, mode, dev, ino))


def change_events(seen: Seen, time: int) -> list[Event]:
    """Return the events of a change of a folder's entries; none of a file that was opened or closed."""
    mask, tid, path, target = seen
    events = []
    if mask & binding.CREATE:
        if mask & binding.ONDIR:
            events.append(Event(_MKDIR, time, tid, (0, path, None)))
        elif not mask & binding.OPEN:
            link = _symbolic_link(path)
            if link is not None:
                events.append(Event(_SYMLINK, time, tid, (0, link, path)))
    if mask & binding.RENAME and target is not None:
        events.append(Event(_RENAME, time, tid, (0, path, target)))
    if mask & binding.DELETE:
        kind = _RMDIR if mask & binding.ONDIR else _UNLINK
        events.append(Event(kind, time, tid, (0, path)))
    return events


def _symbolic_link(path: str) -> str | None:
    """Return the target of a symbolic link, None where the path is none, or not there any more."""
    try:
        if stat.S_ISLNK(os.lstat(path).st_mode):
            return os.readlink(path)  # noqa: PTH115  (the text of the link is no path)
    except OSError:
        pass
    return None
