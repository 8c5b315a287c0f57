"""The state of the machine, kept up to date by the events that happen on it."""

from __future__ import annotations

import socket
from collections.abc import Iterable

from refengine.event import Event
from refengine.event.paths import slashed
from refengine.state.containers.directory import Directory, NoDirectory
from refengine.state.descriptors import Descriptor, DescriptorTable
from refengine.state.interfaces import Interfaces
from refengine.state.probe import NoProbe, Probe
from refengine.state.thread_table import THREAD_LIMIT, ThreadTable
from refengine.state.threads import CLONE_FILES, CLONE_FS, UNKNOWN_ID, Thread
from refengine.state.transitions.processes import newborn
from refengine.state.transitions.table import NOTICES, PLANS
from refengine.state.users import Users

UNKNOWN_NAME = "<NA>"
"""The name of a thread of which nothing is known."""

_CGROUP_TEXTS_LIMIT = 4096
_SUBSYSTEMS = {"io": "blkio"}
"""Names of control group subsystems that differ between the kernel's tables and its `cgroup` files."""


class SystemState:
    """Threads, descriptors, users and interfaces of one machine.

    `apply` is called with every event, in order, before the rules see it. `probe` is asked about threads that
    no event has made known. With `track_descriptors` false the events do not tell all that becomes of
    descriptors and working directories (nobody asked for `close`, say), so these are asked of the probe each
    time; it must then be able to answer while the thread stands still. `boot_time` is in nanoseconds since the
    epoch, 0 where unknown.
    """

    __slots__ = (
        "_cgroup_texts",
        "_closing",
        "_leaving",
        "boot_time",
        "containers",
        "event_time",
        "first_event_time",
        "hostname",
        "interfaces",
        "previous_event_time",
        "probe",
        "threads",
        "track_descriptors",
        "users",
    )

    def __init__(
        self,
        probe: Probe | None = None,
        *,
        track_descriptors: bool = True,
        users: Users | None = None,
        interfaces: Interfaces | None = None,
        hostname: str | None = None,
        boot_time: int = 0,
        thread_limit: int = THREAD_LIMIT,
    ) -> None:
        self.probe: Probe = probe if probe is not None else NoProbe()
        self.track_descriptors = track_descriptors
        self.users = users if users is not None else Users()
        self.interfaces = interfaces if interfaces is not None else Interfaces()
        self.hostname = hostname if hostname is not None else socket.gethostname()
        self.boot_time = boot_time
        self.containers: Directory = NoDirectory()
        self.threads = ThreadTable(thread_limit)
        self.first_event_time = 0
        self.previous_event_time = 0
        self.event_time = 0
        self._closing: list[tuple[DescriptorTable, int]] = []
        self._leaving: list[int] = []
        self._cgroup_texts: dict[bytes, tuple[tuple[str, str], ...]] = {}

    def apply(self, event: Event, known: Thread | None = None) -> None:
        """Set what the event refers to (`thread`, `descriptor`, `state`) and carry out what it changes.

        `known` is its thread, where who calls has looked it up already. What an event ends, a descriptor by `close` or
        a thread by its exit, stays known until the next event.
        """
        if self._closing or self._leaving:
            self._settle()
        event.state = self
        self.previous_event_time = self.event_time
        self.event_time = event.time
        has_thread, meets, position, transition = PLANS[event.type.code]
        if not has_thread:
            notice = NOTICES.get(event.type.code)
            if notice is not None:
                notice(self, event)
            return
        thread = self.threads.get(event.tid) if known is None else known
        if meets:
            if thread is None:
                thread = newborn(self, event) or self.meet(event.tid)
            if self.first_event_time == 0:
                self.first_event_time = event.time
        event.thread = thread
        if thread is None:
            return
        if position is None:
            thread.last_fd = -1
        else:
            params = event.params
            number = params[position] if position < len(params) else None
            if not isinstance(number, int):
                thread.last_fd = -1
            else:
                thread.last_fd = number
                if self.track_descriptors:
                    descriptor = thread.descriptors.get(number) or self.descriptor(thread, number)
                    if descriptor is not None:
                        event.descriptor = descriptor
                        descriptor.reported_name = descriptor.name
                else:
                    event.descriptor = self._seen(thread, number)
        if transition is not None:
            transition(self, event, thread)

    def seed(self, thread: Thread) -> None:
        """Take in a thread that was there before the first event."""
        self.threads.add(thread)

    def meet(self, tid: int) -> Thread:
        """Return the thread with that number, asking the probe, and else one of which only the number is known."""
        known = self.threads.get(tid)
        if known is not None:
            return known
        thread = self.probe.thread(tid, self.threads)
        if thread is None:
            thread = Thread(tid, -1, self.threads, comm=UNKNOWN_NAME, exe=UNKNOWN_NAME)
            thread.uid = thread.gid = thread.loginuid = UNKNOWN_ID
        elif thread.pid != tid:
            thread.flags |= CLONE_FILES | CLONE_FS
            self.meet(thread.pid)
        self.threads.add(thread)
        self._meet_ancestors(thread)
        return thread

    def descriptor(self, thread: Thread, number: int) -> Descriptor | None:
        """Return what a thread has open as `number`, None where that is not known."""
        if number < 0:
            return None
        table = thread.descriptors
        known = table.get(number)
        if known is not None and self.track_descriptors:
            return known
        found = self.probe.descriptor(thread.tid, number, known)
        if found is not None and found is not known:
            table.put(number, found)
        return found

    def descriptors(self, thread: Thread) -> Iterable[Descriptor]:
        """Return what the process of a thread has open, the latest first."""
        if self.track_descriptors:
            return reversed(thread.descriptors.values())
        found = (self.descriptor(thread, number) for number in self.probe.descriptor_numbers(thread.tid))
        return [entry for entry in found if entry is not None][::-1]

    def descriptor_count(self, thread: Thread) -> int:
        """Return how many descriptors the process of a thread has open, as far as they are known."""
        if not self.track_descriptors:
            return sum(1 for _ in self.probe.descriptor_numbers(thread.tid))
        main = thread.main
        return 0 if main is None else len(main.descriptors)

    def working_directory(self, thread: Thread) -> str:
        """Return the working directory of a thread, with a slash at the end; the empty string where unknown."""
        if not self.track_descriptors:
            path = self.probe.working_directory(thread.tid)
            if path is not None:
                return slashed(path)
        return thread.working_directory()

    def open(self, event: Event, thread: Thread, number: int, descriptor: Descriptor) -> None:
        """Record that a thread has got a descriptor by the event."""
        thread.last_fd = number
        event.descriptor = descriptor
        thread.descriptors.put(number, descriptor)

    def close_later(self, thread: Thread, number: int) -> None:
        """Forget a descriptor once the event has been evaluated."""
        self._closing.append((thread.descriptors, number))

    def leave_later(self, tid: int) -> None:
        """Forget a thread once the event has been evaluated."""
        self._leaving.append(tid)

    def cgroups(self, data: bytes) -> tuple[tuple[str, str], ...]:
        """Return the pairs of subsystem and path in a parameter that lists them as `subsystem=path`."""
        pairs = self._cgroup_texts.get(data)
        if pairs is None:
            rows = data.decode("utf-8", "surrogateescape").split("\0")
            split = (row.partition("=") for row in rows if row)
            pairs = tuple((_SUBSYSTEMS.get(name, name), path) for name, _, path in split)
            if len(self._cgroup_texts) >= _CGROUP_TEXTS_LIMIT:
                self._cgroup_texts.clear()
            self._cgroup_texts[data] = pairs
        return pairs

    def _seen(self, thread: Thread, number: int) -> Descriptor | None:
        """Return the descriptor of an event; what it has just closed is known from before if at all."""
        found = self.descriptor(thread, number)
        if found is None and number >= 0:
            return thread.descriptors.get(number)
        return found

    def _meet_ancestors(self, thread: Thread) -> None:
        """Ask the probe for the line of parents up to one that is known."""
        while thread.ptid > 0 and thread.ptid not in self.threads:
            parent = self.probe.thread(thread.ptid, self.threads)
            if parent is None:
                return
            self.threads.add(parent)
            self.threads.reparent(thread, parent)
            thread = parent

    def _settle(self) -> None:
        for table, number in self._closing:
            table.pop(number, None)
        self._closing.clear()
        for tid in self._leaving:
            thread = self.threads.get(tid)
            if thread is None or not thread.is_dead:
                continue
            group = thread.group
            if thread.tid != thread.pid or group is None or group.alive == 0:
                self.threads.drop(tid)
            if group is not None and group.alive == 0 and group.main is not None:
                self.threads.drop(group.main.tid)
        self._leaving.clear()
