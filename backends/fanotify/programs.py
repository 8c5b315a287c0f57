"""What can be seen of a program that has just been started, the most fleeting first."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from typing import Final, NamedTuple

from refengine.state.file_status import file_status
from refengine.state.memory_files import MemoryFiles
from refengine.state.proc_file import read_file
from refengine.state.procfs import read_thread
from refengine.state.threads import Thread

UNKNOWN: Final = "<NA>"
"""What stands for the name of a program that had ended before it could be looked at."""

_DELETED: Final = " (deleted)"


class File(NamedTuple):
    """A program's file: its inode, the times of its last change of status and of content in nanoseconds, its rights."""

    ino: int
    ctime: int
    mtime: int
    mode: int
    uid: int
    gid: int


class Glance(NamedTuple):
    """What vanishes with the end of a process: its program's path and file, its arguments, names and environment.

    All are empty where the process had ended already.
    """

    path: str
    file: File | None
    command: tuple[str, ...]
    comm: str
    cwd: str
    env: tuple[str, ...]


def glance(pid: int, memory_files: MemoryFiles) -> Glance:
    """Return what a process shows now; few reads, since it may not be there for long."""
    folder = f"/proc/{pid}"
    command, env = memory_files.read((f"{folder}/cmdline", f"{folder}/environ"))
    file = None
    try:
        path = os.readlink(f"{folder}/exe")  # noqa: PTH115  (keeps what a Path would tidy up)
        found = file_status(f"{folder}/exe")
        file = File(
            found.st_ino, found.st_ctime_ns, found.st_mtime_ns, found.st_mode, found.st_uid, found.st_gid
        )
    except OSError:
        path = ""
    try:
        cwd = os.readlink(f"{folder}/cwd")  # noqa: PTH115  (keeps what a Path would tidy up)
    except OSError:
        cwd = ""
    comm = read_file(f"{folder}/comm").decode("utf-8", "surrogateescape").removesuffix("\n")
    return Glance(path, file, _texts(command), comm, cwd, _texts(env))


def program_of(pid: int, seen: Glance, opened: Sequence[str], boot_time: int) -> tuple[Thread, bool]:
    """Return the process with its new program: what was seen of it, and else what was opened.

    What the process shows now may be the next program already, so that it tells only of the process. `opened` are
    the files that were opened to execute the program: itself, and what interprets it. The second value is false
    where the process is gone, so that nothing but its program is known.
    """
    thread = read_thread(pid, {}, None, boot_time)
    is_there = thread is not None
    if thread is None:
        thread = Thread(pid, pid, {})
    thread.env = seen.env
    thread.set_cwd(seen.cwd)
    thread.comm = seen.comm or thread.comm or UNKNOWN
    thread.exe, thread.args = (seen.command[0], seen.command[1:]) if seen.command else (UNKNOWN, ())
    path = seen.path.removesuffix(_DELETED)
    thread.exepath = path or next((name for name in opened if not _is_script(name)), "")
    thread.exe_from_memfd = path.startswith("/memfd:")
    if seen.file is not None:
        thread.exe_ino, thread.exe_ino_ctime, thread.exe_ino_mtime = seen.file[:3]
        thread.exe_writable = _is_writable(seen.file, thread)
    return thread, is_there


def _is_writable(file: File, thread: Thread) -> bool:
    """Return whether a process may write to a file, by its rights alone."""
    if thread.uid in (0, file.uid):
        return thread.uid == 0 or bool(file.mode & stat.S_IWUSR)
    if thread.gid == file.gid:
        return bool(file.mode & stat.S_IWGRP)
    return bool(file.mode & stat.S_IWOTH)


def _is_script(path: str) -> bool:
    """Return whether a file that was executed is a script; by now another thing may have its name, a pipe that nobody writes to."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return stat.S_ISREG(os.fstat(descriptor).st_mode) and os.read(descriptor, 2) == b"#!"
    except OSError:
        return False
    finally:
        os.close(descriptor)


def _texts(data: bytes) -> tuple[str, ...]:
    return tuple(data.decode("utf-8", "surrogateescape").removesuffix("\0").split("\0")) if data else ()
