"""Threads as `/proc` shows them.

A process may vanish between two reads, and a process of another user hides most of its files: whatever cannot
be read is left at its unknown value.
"""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Iterable, Mapping, Sequence

from refengine.state.descriptors import Descriptor
from refengine.state.file_status import FileStatus, file_status
from refengine.state.memory_files import MemoryFiles
from refengine.state.open_files import read_descriptor
from refengine.state.proc_file import read_file
from refengine.state.threads import UNKNOWN_ID, Thread

_TICKS = os.sysconf("SC_CLK_TCK")
_DELETED = " (deleted)"
_FIRST_NAMESPACE = 0xEFFFFFFC
"""The inode of the PID namespace that the kernel began with."""

_STATUS_ROW = re.compile(r"^(\w+):[ \t]*(.*)$", re.MULTILINE)
_OPEN_FILES_LIMIT = re.compile(r"^Max open files +(\d+|unlimited)", re.MULTILINE)


class ProcProbe:
    """The probe of a live machine, by its `/proc`."""

    __slots__ = ("_boot_time", "_memory_files", "_root")

    def __init__(self, root: str = "/proc") -> None:
        self._root = root
        self._boot_time: int | None = None
        self._memory_files = MemoryFiles()

    def warnings(self) -> Sequence[str]:
        """Return in a sentence what could not be read in time, if anything."""
        late = self._memory_files.late
        return [f"{late} times a process kept its arguments and environment from being read"] if late else []

    def thread_numbers(self) -> Iterable[int]:
        """Return the numbers of all threads that there are, each process's first before its others."""
        return list_threads(self._root)

    def thread(self, tid: int, threads: Mapping[int, Thread]) -> Thread | None:
        """Return what the files of the thread say, None where there is no such thread."""
        if self._boot_time is None:
            self._boot_time = read_boot_time(self._root)
        return read_thread(tid, threads, self._memory_files, self._boot_time, self._root)

    def descriptor(self, pid: int, number: int, known: Descriptor | None = None) -> Descriptor | None:
        """Return what the process has open as `number`: `known` itself where it still is that."""
        return read_descriptor(pid, number, self._root, known)

    def descriptor_numbers(self, pid: int) -> Iterable[int]:
        """Return the numbers of what the process has open."""
        return list_descriptors(pid, self._root)

    def working_directory(self, pid: int) -> str | None:
        """Return the working directory of a process or thread."""
        return _link(f"{self._root}/{pid}/cwd") or None


def read_thread(
    tid: int,
    threads: Mapping[int, Thread],
    memory_files: MemoryFiles | None,
    boot_time: int = 0,
    root: str = "/proc",
) -> Thread | None:
    """Return what `root` says of a thread, None where there is no such thread.

    Without `memory_files`, arguments and environment are left out. `boot_time` is in nanoseconds since the epoch and makes start times out of those counted from the boot.
    """
    folder = f"{root}/{tid}"
    status = _status(folder)
    if "Tgid" not in status:
        return None
    thread = Thread(tid, _number(status, "Tgid"), threads)
    _fill_status(thread, status)
    _fill_stat(thread, _text(f"{folder}/stat"), boot_time)
    command = environment = b""
    if memory_files is not None and "VmSize" in status:  # the kernel's own threads have no memory
        command, environment = memory_files.read((f"{folder}/cmdline", f"{folder}/environ"))
    _fill_command(thread, _strings(command))
    _fill_executable(thread, folder)
    thread.env = _strings(environment)
    thread.set_cwd(_link(f"{folder}/cwd"))
    thread.root = _link(f"{folder}/root") or "/"
    thread.pidns_init_start_time = _namespace_start(status, boot_time, root)
    thread.note_executable_age()
    thread.cgroups = parse_cgroups(_text(f"{folder}/cgroup"))
    login = _text(f"{folder}/loginuid").strip()
    thread.loginuid = int(login) if login.isdecimal() else UNKNOWN_ID
    limit = _OPEN_FILES_LIMIT.search(_text(f"{folder}/limits"))
    thread.fdlimit = int(limit[1]) if limit is not None and limit[1].isdecimal() else -1
    return thread


def is_first_namespace() -> bool:
    """Return whether the kernel's own numbers of processes are those of `/proc`: true outside of all PID namespaces."""
    try:
        return os.stat("/proc/self/ns/pid").st_ino == _FIRST_NAMESPACE  # noqa: PTH116
    except OSError:
        return True  # a kernel that knows no namespaces, or a `/proc` that does not show them


def list_threads(root: str = "/proc") -> list[int]:
    """Return the numbers of all threads, each process's first before its others."""
    found = []
    for pid in _names(root):
        if pid.isdecimal():
            found.append(int(pid))
            found += [int(tid) for tid in _names(f"{root}/{pid}/task") if tid != pid]
    return found


def list_descriptors(pid: int, root: str = "/proc") -> list[int]:
    """Return the numbers of the open descriptors of a process, none where they cannot be seen."""
    return [int(number) for number in _names(f"{root}/{pid}/fd")]


def read_boot_time(root: str = "/proc") -> int:
    """Return the moment of the boot, 0 where it is not known: to a nanosecond for this machine, else to a second."""
    if root == "/proc":
        return time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    found = re.search(r"^btime (\d+)$", _text(f"{root}/stat"), re.MULTILINE)
    return int(found[1]) * 10**9 if found is not None else 0


def parse_cgroups(text: str) -> tuple[tuple[str, str], ...]:
    """Return subsystem and path of each line of a `cgroup` file; the unified hierarchy has no subsystem's name."""
    pairs = []
    for line in text.split("\n"):  # a name may have what else ends a line for Python
        parts = line.split(":", 2)
        if len(parts) == 3:
            pairs += [(subsystem, parts[2]) for subsystem in parts[1].split(",")]
    return tuple(pairs)


def _status(folder: str) -> dict[str, str]:
    return dict(_STATUS_ROW.findall(_text(f"{folder}/status")))


def _fill_status(thread: Thread, status: Mapping[str, str]) -> None:
    thread.ptid = _number(status, "PPid")
    thread.uid = _number(status, "Uid", 1, UNKNOWN_ID)
    thread.gid = _number(status, "Gid", 1, UNKNOWN_ID)
    thread.vtid = _number(status, "NSpid", -1, thread.tid)
    thread.vpid = _number(status, "NStgid", -1, thread.pid)
    thread.vpgid = _number(status, "NSpgid", -1)
    thread.sid = _number(status, "NSsid", -1)
    thread.pgid = _number(status, "NSpgid", 0)
    thread.vmsize = _number(status, "VmSize", 0, 0)
    thread.vmrss = _number(status, "VmRSS", 0, 0)
    thread.vmswap = _number(status, "VmSwap", 0, 0)
    thread.cap_permitted = int(status.get("CapPrm", "0"), 16)
    thread.cap_inheritable = int(status.get("CapInh", "0"), 16)
    thread.cap_effective = int(status.get("CapEff", "0"), 16)


def _fill_stat(thread: Thread, text: str, boot_time: int) -> None:
    name_end = text.rfind(")")
    columns = text[name_end + 1 :].split()
    if len(columns) < 20:
        return
    thread.comm = text[text.find("(") + 1 : name_end]
    thread.tty = int(columns[4])
    thread.pfminor, thread.pfmajor = int(columns[7]), int(columns[9])
    thread.clone_time = _start(text, boot_time)
    if thread.sid < 0:
        thread.pgid, thread.sid = int(columns[2]), int(columns[3])
        thread.vpgid = thread.pgid


def ticks(time: int) -> int:
    """Return a time in nanoseconds in the units of `/proc`, which leave the rest out."""
    return time // (10**9 // _TICKS)


def start_ticks(pid: int, root: str = "/proc") -> int | None:
    """Return when a process has started, in the units of `/proc` since the boot; None where there is none."""
    columns = _columns(_text(f"{root}/{pid}/stat"))
    return int(columns[19]) if len(columns) >= 20 else None


def _columns(text: str) -> list[str]:
    """Return the columns of a `stat` file after the name, which may be of any characters."""
    return text[text.rfind(")") + 1 :].split()


def _start(text: str, boot_time: int) -> int:
    """Return when the process of a `stat` file started, 0 where the text does not say."""
    columns = _columns(text)
    return boot_time + int(columns[19]) * 10**9 // _TICKS if len(columns) >= 20 else 0


def _namespace_start(status: Mapping[str, str], boot_time: int, root: str) -> int:
    """Return when the first process of a thread's innermost namespace of processes started, 0 where that is not known.

    It is looked for among the ancestors. What the thread itself has as `/proc` may be anything, made to hold up or harm
    whoever opens it.
    """
    depth = len(status.get("NSpid", "").split())
    if depth < 2:
        return _start(_text(f"{root}/1/stat"), boot_time)
    while len(status.get("NSpid", "").split()) == depth:
        if _number(status, "NStgid", -1) == 1:
            return _start(_text(f"{root}/{_number(status, 'Tgid')}/stat"), boot_time)
        status = _status(f"{root}/{_number(status, 'PPid')}")
    return 0


def _fill_command(thread: Thread, command: tuple[str, ...]) -> None:
    if command:
        thread.exe, thread.args = command[0], command[1:]
    else:
        thread.exe = thread.comm


def _fill_executable(thread: Thread, folder: str) -> None:
    path = _link(f"{folder}/exe")
    thread.exe_from_memfd = path.startswith("/memfd:")
    thread.exepath = path.removesuffix(_DELETED)
    try:
        file = file_status(f"{folder}/exe")
    except OSError:
        return
    thread.exe_ino = file.st_ino
    thread.exe_ino_ctime, thread.exe_ino_mtime = file.st_ctime_ns, file.st_mtime_ns
    thread.exe_writable = _is_writable(file, thread)


def _is_writable(file: FileStatus, thread: Thread) -> bool:
    """Return whether the thread may write to the file, by its permission bits alone."""
    if thread.uid == 0:
        return True
    if file.st_uid == thread.uid:
        return bool(file.st_mode & stat.S_IWUSR)
    if file.st_gid == thread.gid:
        return bool(file.st_mode & stat.S_IWGRP)
    return bool(file.st_mode & stat.S_IWOTH)


def _number(row: Mapping[str, str], name: str, column: int = 0, unknown: int = -1) -> int:
    columns = row.get(name, "").split()
    try:
        return int(columns[column])
    except (IndexError, ValueError):
        return unknown


def _text(path: str) -> str:
    """Return a file's text, the empty string where it cannot be read."""
    return read_file(path).decode("utf-8", "surrogateescape")


def _strings(data: bytes) -> tuple[str, ...]:
    return tuple(data.decode("utf-8", "surrogateescape").removesuffix("\0").split("\0")) if data else ()


def _link(path: str) -> str:
    try:
        return os.readlink(path)  # noqa: PTH115  (keeps what a Path would tidy up)
    except OSError:
        return ""


def _names(path: str) -> list[str]:
    try:
        return os.listdir(path)  # noqa: PTH208  (names are all that is wanted)
    except OSError:
        return []
