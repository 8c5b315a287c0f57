"""Threads and processes: what is known of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any, Final

from refengine.state.containers.identity import ContainerId, container_of
from refengine.state.descriptors import DescriptorTable
from refengine.tables.flags import FLAG_TABLES

_CLONE = FLAG_TABLES["clone_flags"]
CLONE_FILES = _CLONE["CLONE_FILES"]
CLONE_FS = _CLONE["CLONE_FS"]
CLONE_THREAD = _CLONE["CLONE_THREAD"]

UNKNOWN_ID = 0xFFFFFFFF
"""A user, group or login id that is not known, or not set."""


@dataclass(slots=True, eq=False)
class ThreadGroup:
    """The threads of one process: the numbers of the known ones, how many of them live, and the first of them.

    `is_reaper` says that the process takes over the orphans among its descendants.
    """

    pid: int
    main: Thread | None = None
    members: set[int] = field(default_factory=set)
    alive: int = 0
    is_reaper: bool = False


@dataclass(slots=True, eq=False)
class Thread:
    """One thread. A process is its main thread, the one whose `tid` equals `pid`.

    Times are in nanoseconds since the epoch, sizes in kilobytes, identifiers -1 where unknown (users and
    groups `UNKNOWN_ID`). `vtid`, `vpid`, `vpgid` are the numbers inside the innermost PID namespace. `tty` is the
    device number of the controlling terminal, 0 for none. `flags` are clone flags in the capture format's bits.
    `comm` is the kernel's short name, `exe` the program as it was called (the first argument), `exepath` the
    absolute path of the program's file. `args` are the arguments after the first. `cgroups` are pairs of
    subsystem and path.

    `ctime_to_start` is the time from the last status change of the program's file to the start of the thread, as it
    was when the program was started, `pidns_start_to_ctime` that from the start of the namespace to that change; both
    are 0 where unknown. `cwd` ends in a slash, or is the empty string where unknown. Processor times are in hundredths
    of a second.

    `threads` is the table that the thread is in, by which parents are found; `descriptors` is the table of open files,
    which the threads of a process share; `group` holds the threads of the same process. `last_fd` is the number of the
    descriptor that the thread's last event concerned.
    """

    tid: int
    pid: int
    threads: Mapping[int, Thread] = field(repr=False)
    ptid: int = -1
    vtid: int = -1
    vpid: int = -1
    pgid: int = -1
    vpgid: int = -1
    sid: int = -1
    tty: int = 0
    comm: str = ""
    exe: str = ""
    exepath: str = ""
    args: tuple[str, ...] = field(default=(), repr=False)
    env: tuple[str, ...] = field(default=(), repr=False)
    cwd: str = ""
    root: str = "/"
    uid: int = UNKNOWN_ID
    gid: int = UNKNOWN_ID
    loginuid: int = UNKNOWN_ID
    cap_permitted: int = 0
    cap_inheritable: int = 0
    cap_effective: int = 0
    cgroups: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    flags: int = 0
    fdlimit: int = -1
    clone_time: int = 0
    pidns_init_start_time: int = 0
    exe_ino: int = 0
    exe_ino_ctime: int = 0
    exe_ino_mtime: int = 0
    ctime_to_start: int = 0
    pidns_start_to_ctime: int = 0
    exe_writable: bool = False
    exe_upper_layer: bool = False
    exe_lower_layer: bool = False
    exe_from_memfd: bool = False
    vmsize: int = 0
    vmrss: int = 0
    vmswap: int = 0
    pfmajor: int = 0
    pfminor: int = 0
    cpu_user: int = 0
    cpu_system: int = 0
    previous_cpu_user: int = 0
    previous_cpu_system: int = 0
    group: ThreadGroup | None = field(default=None, repr=False)
    children: set[int] | None = field(default=None, repr=False)
    descriptors: DescriptorTable = field(default_factory=DescriptorTable, repr=False)
    last_fd: int = -1
    is_dead: bool = False
    _container: ContainerId | None = field(default=None, repr=False)
    _container_of: tuple[tuple[str, str], ...] | None = field(default=None, repr=False)
    _args_text: str | None = field(default=None, repr=False)
    _env_text: str | None = field(default=None, repr=False)
    _cmdline: str | None = field(default=None, repr=False)
    _exeline: str | None = field(default=None, repr=False)

    def copy(self) -> Thread:
        """Return another thread of which everything is the same: not only equal."""
        # The module `copy` asks first how that is to be done, which takes four times as long.
        return Thread(*_VALUES(self))

    @property
    def is_main(self) -> bool:
        """True for a process's first thread."""
        return self.tid == self.pid

    @property
    def main(self) -> Thread | None:
        """The first thread of the same process, None where that is not known."""
        if self.tid == self.pid:
            return self
        group = self.group
        return None if group is None else group.main

    @property
    def shares_directory(self) -> bool:
        """True where the working directory is the main thread's, too."""
        return bool(self.flags & CLONE_FS) and self.tid != self.pid

    @property
    def shares_descriptors(self) -> bool:
        """True where the table of open files is the main thread's, too."""
        return bool(self.flags & CLONE_FILES) and self.tid != self.pid

    @property
    def parent(self) -> Thread | None:
        """The thread that made this one, or has adopted it; None where it is not known."""
        return self.threads.get(self.ptid)

    def ancestors(self) -> Iterator[Thread]:
        """Yield the process's parents from the nearest up."""
        current = self.main
        seen = set()
        while current is not None and current.tid not in seen:
            seen.add(current.tid)
            current = current.threads.get(current.ptid)
            if current is None or current.tid in seen:
                return
            yield current

    def ancestor(self, generation: int) -> Thread | None:
        """Return this process for 0, its parent for 1 and so on; None where the line is not known so far."""
        current = self.main
        while generation and current is not None:
            current = current.threads.get(current.ptid)
            generation -= 1
        return current

    def working_directory(self) -> str:
        """Return the working directory, shared with the main thread where the thread was made so."""
        main = self if not self.shares_directory and self.pid >= 0 else self.main
        return "./" if main is None else main.cwd

    def environment(self) -> tuple[str, ...]:
        """Return the environment, which all threads of a process share, as `NAME=value` texts."""
        main = self.main
        return () if main is None else main.env

    def container(self) -> ContainerId | None:
        """Return the container that the thread runs in, None outside of any."""
        if self._container_of is not self.cgroups:
            self._container_of = self.cgroups
            self._container = container_of(self.cgroups)
        return self._container

    def args_text(self) -> str:
        """Return the arguments after the first, joined by blanks."""
        text = self._args_text
        if text is None:
            text = self._args_text = " ".join(self.args)
        return text

    def env_text(self) -> str:
        """Return the environment of the process, joined by blanks."""
        main = self.main
        if main is None:
            return ""
        text = main._env_text
        if text is None:
            text = main._env_text = " ".join(main.env)
        return text

    def cmdline(self) -> str:
        """Return the short name and the arguments after it, joined by blanks."""
        text = self._cmdline
        if text is None:
            args = self.args_text()
            text = self._cmdline = f"{self.comm} {args}" if args else self.comm
        return text

    def exeline(self) -> str:
        """Return the program as it was called, a blank, and its arguments joined by blanks."""
        text = self._exeline
        if text is None:
            text = self._exeline = f"{self.exe} {self.args_text()}"
        return text

    def set_cwd(self, path: str) -> None:
        """Make `path` the working directory."""
        self.cwd = path if not path or path.endswith("/") else f"{path}/"

    def set_comm(self, comm: str) -> None:
        """Give the thread another short name."""
        self.comm = comm
        self._cmdline = None

    def set_command(self, comm: str, exe: str, args: tuple[str, ...]) -> None:
        """Give the thread the name and arguments of a program that it has started."""
        self.comm = comm
        self.exe = exe
        self.args = args
        self._args_text = self._cmdline = self._exeline = None

    def set_env(self, env: tuple[str, ...]) -> None:
        """Give the thread the environment of a program that it has started."""
        self.env = env
        self._env_text = None

    def inherit_command(self, model: Thread) -> None:
        """Give the thread the program, arguments and environment of another."""
        self.set_command(model.comm, model.exe, model.args)
        self.set_env(model.environment() or model.env)
        self.exepath = model.exepath
        self.exe_ino = model.exe_ino
        self.exe_ino_ctime, self.exe_ino_mtime = model.exe_ino_ctime, model.exe_ino_mtime
        self.exe_writable = model.exe_writable
        self.exe_upper_layer, self.exe_lower_layer = model.exe_upper_layer, model.exe_lower_layer
        self.exe_from_memfd = model.exe_from_memfd
        self.ctime_to_start = model.ctime_to_start

    def note_executable_age(self) -> None:
        """Measure how the age of the program's file relates to the starts of the thread and of the namespace."""
        if self.exe_ino_ctime == 0:
            return
        if self.clone_time:
            self.ctime_to_start = self.clone_time - self.exe_ino_ctime
        if 0 < self.pidns_init_start_time < self.exe_ino_ctime:
            self.pidns_start_to_ctime = self.exe_ino_ctime - self.pidns_init_start_time


_VALUES: Final[Callable[[Thread], tuple[Any, ...]]] = attrgetter(*(each.name for each in fields(Thread)))
"""All that a thread has, in the order in which one is made of it."""
