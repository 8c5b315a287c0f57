"""What can be known of events by fanotify, on the whole machine and below given folders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from refengine.backends.base import Capabilities
from refengine.backends.fanotify.file_events import FILE_EVENTS
from refengine.backends.fanotify.process_events import PROCESS_EVENTS
from refengine.backends.fanotify.rights import Rights
from refengine.tables.load import read_table

_LAYERS: Final = "the layers of an overlay filesystem cannot be told apart from outside the kernel"
_NOT_TOLD: Final = "the kernel does not tell it with file events"
_NO_THREADS: Final = "without privileges the kernel does not tell who did something to a file"

_ABSENT: Final[Mapping[str, str]] = {
    "evt.cpu": _NOT_TOLD,
    "fd.nameraw": "the path that the program gave is not told, only where the file is",
    "proc.is_exe_upper_layer": _LAYERS,
    "proc.is_exe_lower_layer": _LAYERS,
    "fd.is_upper_layer": _LAYERS,
    "fd.is_lower_layer": _LAYERS,
}

_APPROXIMATE: Final[Mapping[str, str]] = {
    "evt.type": "calls of several forms are told of as one: openat, mkdir, rmdir, unlink, rename, symlink, execve, clone",
    "evt.res": "only what succeeds is seen",
    "evt.failed": "only what succeeds is seen",
    "evt.rawres": "only what succeeds is seen",
    "evt.time": "of file events the time at which they were read",
    "evt.arg.flags": "of an open whether it was for reading or writing; the rest where the file was still open, or exact flags were asked for",
    "evt.is_open_read": "a file that was open for writing and is closed already may have been open for reading, too",
    "evt.is_open_create": "any file that a thread makes and then opens counts as made by the open",
    "evt.arg.mode": "known where exact flags were asked for",
    "fd.name": "symbolic links are followed, and a file in a container is named as the host sees it; opens that fail, with O_PATH, and in /proc and its like are not seen",
    "fd.num": "2147483647 stands for a descriptor that was closed before it could be looked at",
    "fd.dev": "known where the file was still open",
    "fd.ino": "known where the file was still open",
    **dict.fromkeys(
        ("proc.exe", "proc.args", "proc.cmdline", "proc.env", "proc.cwd"),
        "unknown of a program that had ended, or become another, before it could be looked at; a warning counts them",
    ),
    "evt.arg.filename": "the path by which a program was started is not told",
}

_TOLD_AS_ANOTHER: Final = {
    "open": "openat",
    "openat2": "openat",
    "creat": "openat",
    "open_by_handle_at": "openat",
    "mkdirat": "mkdir",
    "unlinkat": "unlink",
    "renameat": "rename",
    "renameat2": "rename",
    "symlinkat": "symlink",
}
_PROCESSES_TOLD_AS_ANOTHER: Final = {
    "execveat": "execve",
    "fork": "clone",
    "vfork": "clone",
    "clone3": "clone",
    "setuid": "setresuid",
    "setreuid": "setresuid",
    "setgid": "setresgid",
    "setregid": "setresgid",
}

_ABOUT_THREADS: Final = ("proc.", "thread.", "user.", "group.", "container.", "k8s.", "fdlist.")


def capabilities_of(rights: Rights, *, folders: bool) -> Capabilities:
    """Return what can be known with such rights, when given folders are watched or else the whole machine."""
    absent = dict(_ABSENT)
    if not rights.machine:
        absent.update((name, _NO_THREADS) for name in _fields(_ABOUT_THREADS))
    return Capabilities(
        source="syscall",
        event_types=FILE_EVENTS | PROCESS_EVENTS if rights.processes else FILE_EVENTS,
        privileges="none for files that we may read; root to be told who did it"
        if folders
        else "root: CAP_SYS_ADMIN and CAP_DAC_READ_SEARCH for files, CAP_NET_ADMIN for processes",
        absent_fields=absent,
        approximate_fields=_APPROXIMATE,
        told_as_another=_TOLD_AS_ANOTHER | (_PROCESSES_TOLD_AS_ANOTHER if rights.processes else {}),
        exact=False,
    )


def _fields(prefixes: tuple[str, ...]) -> Iterable[str]:
    return [row["name"] for row in read_table("fields") if row["name"].startswith(prefixes)]
