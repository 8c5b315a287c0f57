"""The acting thread (`thread.*`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

from refengine.event import Event
from refengine.fields.extractor import AttributePath, Extract, Extractor, plain
from refengine.state.threads import Thread
from refengine.tables.capabilities import CAPABILITIES
from refengine.values import Value

_KILOBYTE = 1024


def is_main(event: Event) -> bool | None:
    """`thread.ismain`."""
    thread = event.thread
    return None if thread is None else thread.tid == thread.pid


def virtual_tid(event: Event) -> int | None:
    """`thread.vtid`."""
    thread = event.thread
    return None if thread is None or thread.vtid == -1 else thread.vtid


def name_and_tid(event: Event) -> str | None:
    """`thread.nametid`."""
    thread = event.thread
    return None if thread is None else f"{thread.comm}{event.tid}"


def exec_time(_event: Event) -> int:
    """`thread.exectime`: 0, as nobody counts the time on the processor from switches."""
    return 0


def total_exec_time(event: Event) -> int | None:
    """`thread.totexectime`: 0 for a known thread, for the same reason."""
    return None if event.thread is None else 0


def cgroups(event: Event) -> str | None:
    """`thread.cgroups`: every control group as `subsystem=path`."""
    thread = event.thread
    if thread is None or not thread.cgroups:
        return None
    return " ".join([f"{subsystem}={path}" for subsystem, path in thread.cgroups])


def cgroup(argument: str | None) -> Extract:
    """`thread.cgroup[SUBSYSTEM]`: the path of one control group."""

    def extract(event: Event) -> str | None:
        thread = event.thread
        if thread is None:
            return None
        return next((path for subsystem, path in thread.cgroups if subsystem == argument), None)

    return extract


@lru_cache(maxsize=256)
def capabilities_text(bits: int) -> str:
    """Return the names of a set of capabilities, separated by blanks."""
    return " ".join([name for bit, name in enumerate(CAPABILITIES) if bits >> bit & 1])


def permitted(event: Event) -> str | None:
    """`thread.cap_permitted`."""
    thread = event.thread
    return None if thread is None else capabilities_text(thread.cap_permitted)


def inheritable(event: Event) -> str | None:
    """`thread.cap_inheritable`."""
    thread = event.thread
    return None if thread is None else capabilities_text(thread.cap_inheritable)


def effective(event: Event) -> str | None:
    """`thread.cap_effective`."""
    thread = event.thread
    return None if thread is None else capabilities_text(thread.cap_effective)


def _processor(before: Callable[[Thread], int], now: Callable[[Thread], int]) -> Extract:
    """Return the reader of the time on the processor between two events that carry it, in percent of a second.

    Absent from all other events; 0 at the first of them, and where the time before was 0.
    """

    def extract(event: Event) -> float | None:
        thread = event.thread
        if thread is None or event.type.name != "procinfo":
            return None
        earlier = before(thread)
        return float(min(now(thread) - earlier, 100)) if earlier else 0.0

    return extract


def _of_main(read: Callable[[Thread], int]) -> Extract:
    """Return the reader of a size that the first thread has for all the process; the others have 0."""

    def extract(event: Event) -> Value | None:
        thread = event.thread
        if thread is None:
            return None
        return read(thread) if thread.tid == thread.pid else 0

    return extract


def _vmsize(thread: Thread) -> int:
    return thread.vmsize


def _vmrss(thread: Thread) -> int:
    return thread.vmrss


EXTRACTORS: Mapping[str, Extractor] = {
    "thread.tid": plain(AttributePath("tid")),
    "thread.ismain": plain(is_main),
    "thread.vtid": plain(virtual_tid),
    "thread.nametid": plain(name_and_tid),
    "thread.exectime": plain(exec_time),
    "thread.totexectime": plain(total_exec_time),
    "thread.cgroups": plain(cgroups),
    "thread.cgroup": Extractor(cgroup),
    "thread.cap_permitted": plain(permitted),
    "thread.cap_inheritable": plain(inheritable),
    "thread.cap_effective": plain(effective),
    "thread.cpu": plain(
        _processor(
            lambda thread: thread.previous_cpu_user + thread.previous_cpu_system,
            lambda thread: thread.cpu_user + thread.cpu_system,
        )
    ),
    "thread.cpu.user": plain(
        _processor(lambda thread: thread.previous_cpu_user, lambda thread: thread.cpu_user)
    ),
    "thread.cpu.system": plain(
        _processor(lambda thread: thread.previous_cpu_system, lambda thread: thread.cpu_system)
    ),
    "thread.vmsize": plain(_of_main(_vmsize)),
    "thread.vmrss": plain(_of_main(_vmrss)),
    "thread.vmsize.b": plain(_of_main(lambda thread: thread.vmsize * _KILOBYTE)),
    "thread.vmrss.b": plain(_of_main(lambda thread: thread.vmrss * _KILOBYTE)),
    "thread.pfmajor": plain(AttributePath("thread.pfmajor")),
    "thread.pfminor": plain(AttributePath("thread.pfminor")),
}
