"""What can be seen of a program that has just been started, the most fleeting first."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final, NamedTuple

from refengine.state.procfs import read_thread
from refengine.state.threads import Thread

UNKNOWN: Final = "<NA>"
"""What stands for the name of a program that had ended before it could be looked at."""

_CHUNK: Final = 1 << 16
_DELETED: Final = " (deleted)"


class Glance(NamedTuple):
    """What vanishes with the end of a process: its program's path and file, its arguments, its short name.

    `file` is its inode and the times, in nanoseconds, of its last change of status and of content. All are empty
    where the process had ended already.
    """

    path: str
    file: tuple[int, int, int] | None
    command: tuple[str, ...]
    comm: str


def glance(pid: int) -> Glance:
    """Return what a process shows now; four small reads, since it may not be there for long."""
    folder = f"/proc/{pid}"
    file = None
    command = _text(f"{folder}/cmdline")
    try:
        path = os.readlink(f"{folder}/exe")  # noqa: PTH115  (keeps what a Path would tidy up)
        status = os.stat(f"{folder}/exe")  # noqa: PTH116  (a Path costs more than the call)
        file = (status.st_ino, status.st_ctime_ns, status.st_mtime_ns)
    except OSError:
        path = ""
    comm = _text(f"{folder}/comm").removesuffix("\n")
    return Glance(path, file, tuple(command.removesuffix("\0").split("\0")) if command else (), comm)


def program_of(pid: int, seen: Glance, opened: Sequence[str], boot_time: int) -> tuple[Thread, bool]:
    """Return the process with its new program: what it shows now, what was seen before, and else what was opened.

    The second value is false where the process is gone, so that nothing but its program is known.

    `opened` are the files that were opened to execute the program: itself, and what interprets it.
    """
    thread = read_thread(pid, {}, boot_time)
    if thread is not None and thread.exe_ino:
        return thread, True
    is_there = thread is not None
    if thread is None:
        thread = Thread(pid, pid, {})
    thread.comm = seen.comm or thread.comm or UNKNOWN
    thread.exe, thread.args = (seen.command[0], seen.command[1:]) if seen.command else (UNKNOWN, ())
    thread.exepath = seen.path.removesuffix(_DELETED) or next(
        (path for path in opened if not _is_script(path)), ""
    )
    thread.exe_from_memfd = seen.path.startswith("/memfd:")
    if seen.file is not None:
        thread.exe_ino, thread.exe_ino_ctime, thread.exe_ino_mtime = seen.file
    return thread, is_there


def _is_script(path: str) -> bool:
    try:
        with open(path, "rb") as file:  # noqa: PTH123  (a Path costs as much as the call itself)
            return file.read(2) == b"#!"
    except OSError:
        return False


def _text(path: str) -> str:
    """Return a file's text, the empty string where it cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        return os.read(descriptor, _CHUNK).decode("utf-8", "surrogateescape")
    except OSError:
        return ""
    finally:
        os.close(descriptor)
