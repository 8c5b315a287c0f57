"""The acting process itself (`proc.*`)."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter

from refengine.event import Event
from refengine.fields.extractor import AttributePath, Extract, Extractor, plain
from refengine.state.descriptors import DESCRIPTOR_TYPES
from refengine.state.threads import Thread
from refengine.values import Value

_UINT64 = (1 << 64) - 1


def command_line(event: Event) -> str | None:
    """`proc.cmdline`: short name and arguments."""
    thread = event.thread
    return None if thread is None else thread.cmdline()


def exe_line(event: Event) -> str | None:
    """`proc.exeline`: the program as it was called, and its arguments."""
    thread = event.thread
    return None if thread is None else thread.exeline()


def args(argument: str | None) -> Extract:
    """`proc.args`: all arguments, or the one at a position counted from 0."""
    if argument is None:
        return lambda event: None if event.thread is None else event.thread.args_text()
    position = _index(argument)

    def extract(event: Event) -> str | None:
        thread = event.thread
        return thread.args[position] if thread is not None and position < len(thread.args) else None

    return extract


def args_count(event: Event) -> int | None:
    """`proc.cmdnargs`."""
    thread = event.thread
    return None if thread is None else len(thread.args)


def args_length(event: Event) -> int | None:
    """`proc.cmdlenargs`: the bytes of all arguments, without what is between them."""
    thread = event.thread
    if thread is None:
        return None
    return sum(len(item.encode("utf-8", "surrogateescape")) for item in thread.args)


def env(argument: str | None) -> Extract:
    """`proc.env`: all variables, or the value of one; the empty string where it is not set.

    A number is no name of a variable and asks for all.
    """
    if argument is None or argument.isdecimal():
        return lambda event: None if event.thread is None else event.thread.env_text()
    return lambda event: None if event.thread is None else variable(event.thread, argument)


def variable(thread: Thread, wanted: str) -> str:
    """Return the value of an environment variable, the empty string where it is not set."""
    prefix = f"{wanted}="
    for item in thread.environment():
        if item.startswith(prefix):
            return item[len(prefix) :].strip(" ")
    return ""


def cwd(event: Event) -> str | None:
    """`proc.cwd`: the working directory, with a slash at the end."""
    thread, state = event.thread, event.state
    return None if thread is None or state is None else state.working_directory(thread)


def virtual_pid(event: Event) -> int | None:
    """`proc.vpid`."""
    thread = event.thread
    return None if thread is None or thread.vpid == -1 else thread.vpid


def duration(event: Event) -> int | None:
    """`proc.duration`: nanoseconds since the thread began."""
    thread = event.thread
    return None if thread is None or thread.clone_time == 0 else event.time - thread.clone_time


def start(event: Event) -> int | None:
    """`proc.pid.ts`: the moment at which the thread began."""
    thread = event.thread
    return None if thread is None or thread.clone_time == 0 else thread.clone_time


def ctime_before_start(event: Event) -> int | None:
    """`proc.exe_ino.ctime_duration_proc_start`: from the file's last status change to the start.

    The number is unsigned: for a file that changed after the start it is close to its upper bound.
    """
    thread = event.thread
    return None if thread is None or thread.ctime_to_start == 0 else thread.ctime_to_start & _UINT64


def ctime_after_pidns_start(event: Event) -> int | None:
    """`proc.exe_ino.ctime_duration_pidns_start`: from the namespace's start to the file's last status change."""
    thread = event.thread
    return None if thread is None or thread.pidns_start_to_ctime == 0 else thread.pidns_start_to_ctime


def open_descriptors(event: Event) -> int | None:
    """`proc.fdopencount`."""
    thread, state = event.thread, event.state
    return None if thread is None or state is None else state.descriptor_count(thread)


def descriptor_limit(event: Event) -> int | None:
    """`proc.fdlimit`."""
    thread = event.thread
    if thread is None:
        return None
    main = thread.main
    return 0 if main is None else main.fdlimit


def descriptor_usage(event: Event) -> float | None:
    """`proc.fdusage`: open descriptors in percent of the limit."""
    count, limit = open_descriptors(event), descriptor_limit(event)
    if count is None or limit is None:
        return None
    return count * 100 / limit if limit > 0 else 0.0


def thread_count(event: Event) -> int | None:
    """`proc.nthreads`."""
    thread = event.thread
    if thread is None:
        return None
    return 0 if thread.group is None else thread.group.alive


def other_thread_count(event: Event) -> int | None:
    """`proc.nchilds`: the living threads of the process besides its first."""
    thread = event.thread
    if thread is None:
        return None
    group = thread.group
    if group is None:
        return 0
    return group.alive - (group.main is not None and not group.main.is_dead)


def _nonzero(attribute: str) -> Extract:
    read = attrgetter(attribute)

    def extract(event: Event) -> Value | None:
        thread = event.thread
        value: Value | None = None if thread is None else read(thread)
        return value or None

    return extract


def _standard(number: int, *, named: bool) -> Extract:
    """Return the reader of the type or the name of a standard stream."""

    def extract(event: Event) -> str | None:
        thread, state = event.thread, event.state
        descriptor = None if thread is None or state is None else state.descriptor(thread, number)
        if descriptor is None:
            return None
        return descriptor.name if named else DESCRIPTOR_TYPES[descriptor.type]

    return extract


def _index(argument: str) -> int:
    return int(argument) if argument.isdecimal() else 1 << 30


EXTRACTORS: Mapping[str, Extractor] = {
    "proc.name": plain(AttributePath("thread.comm")),
    "proc.exe": plain(AttributePath("thread.exe")),
    "proc.exepath": plain(AttributePath("thread.exepath")),
    "proc.cmdline": plain(command_line),
    "proc.exeline": plain(exe_line),
    "proc.args": Extractor(args),
    "proc.cmdnargs": plain(args_count),
    "proc.cmdlenargs": plain(args_length),
    "proc.env": Extractor(env),
    "proc.cwd": plain(cwd),
    "proc.tty": plain(AttributePath("thread.tty")),
    "proc.pid": plain(AttributePath("thread.pid")),
    "proc.vpid": plain(virtual_pid),
    "proc.duration": plain(duration),
    "proc.pid.ts": plain(start),
    "proc.is_exe_writable": plain(AttributePath("thread.exe_writable")),
    "proc.is_exe_upper_layer": plain(AttributePath("thread.exe_upper_layer")),
    "proc.is_exe_lower_layer": plain(AttributePath("thread.exe_lower_layer")),
    "proc.is_exe_from_memfd": plain(AttributePath("thread.exe_from_memfd")),
    "proc.exe_ino": plain(_nonzero("exe_ino")),
    "proc.exe_ino.ctime": plain(_nonzero("exe_ino_ctime")),
    "proc.exe_ino.mtime": plain(_nonzero("exe_ino_mtime")),
    "proc.exe_ino.ctime_duration_proc_start": plain(ctime_before_start),
    "proc.exe_ino.ctime_duration_pidns_start": plain(ctime_after_pidns_start),
    "proc.pidns_init_start_ts": plain(_nonzero("pidns_init_start_time")),
    "proc.fdopencount": plain(open_descriptors),
    "proc.fdlimit": plain(descriptor_limit),
    "proc.fdusage": plain(descriptor_usage),
    "proc.vmsize": plain(AttributePath("thread.vmsize")),
    "proc.vmrss": plain(AttributePath("thread.vmrss")),
    "proc.vmswap": plain(AttributePath("thread.vmswap")),
    "proc.nthreads": plain(thread_count),
    "proc.nchilds": plain(other_thread_count),
    "proc.stdin.type": plain(_standard(0, named=False)),
    "proc.stdout.type": plain(_standard(1, named=False)),
    "proc.stderr.type": plain(_standard(2, named=False)),
    "proc.stdin.name": plain(_standard(0, named=True)),
    "proc.stdout.name": plain(_standard(1, named=True)),
    "proc.stderr.name": plain(_standard(2, named=True)),
}
