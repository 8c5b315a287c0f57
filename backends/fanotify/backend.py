"""The fanotify backend: file events of the whole machine or of given folders, with process events beside them."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from refengine.backends.base import Interest, Statistics
from refengine.backends.fanotify import binding
from refengine.backends.fanotify.capabilities import capabilities_of
from refengine.backends.fanotify.file_events import change_events, open_event
from refengine.backends.fanotify.holding import Holding
from refengine.backends.fanotify.looking import Looking
from refengine.backends.fanotify.opens import Exact, Opens
from refengine.backends.fanotify.order import Order
from refengine.backends.fanotify.process_events import ProcessEvents
from refengine.backends.fanotify.rights import Rights
from refengine.backends.fanotify.sightings import Sighting
from refengine.backends.fanotify.watch import QUEUE_OVERFLOW, FileWatch, FolderWatch, HostWatch, Seen
from refengine.backends.netlink.process_events import EXEC, EXIT, FORK
from refengine.errors import BackendError
from refengine.event import Event

LOST_PROCESS_EVENTS: Final = "process events lost"
_REFRESH: Final = 1.0
"""Seconds between two looks at which filesystems are mounted."""

_PAUSE: Final = 0.002
"""Seconds between the first event and the reading: opens and closes of a file become one record in the kernel."""

_PROGRAMS_LIMIT: Final = 1 << 14
"""Threads whose opened programs are remembered; those that never began would add up."""

_TICK: Final = 0.05
"""Seconds after which opens that wait are looked at again."""


class FanotifyBackend:
    """Tells of what happens to files: on the whole machine, or to the files `watched` and in such folders.

    Opens of the files `held`, and in such folders, are held for a moment to learn their exact flags. `seed` is called
    when watching has begun, to take in what there is already. `rights` says what we may ask for.
    """

    name = "fanotify"

    def __init__(
        self,
        watched: Sequence[Path] = (),
        held: Sequence[Path] = (),
        *,
        seed: Callable[[], None] = lambda: None,
        rights: Rights,
    ) -> None:
        self._watched = tuple(watched)
        self._held_paths = tuple(held)
        self._seed = seed
        self._rights = rights
        self.capabilities = capabilities_of(rights, folders=bool(watched))
        self._files: FileWatch | None = None
        self._processes: Looking | None = None
        self._holding: Holding | None = None
        self._opens = Opens(self._exact)
        self._makes = ProcessEvents()
        self._order = Order()
        self._interest = Interest(None)
        self._poll = select.poll()
        self._own = frozenset({os.getpid()})
        self._programs: dict[int, list[str]] = {}
        """The files that threads have opened to execute them, until they do."""
        self._seen = self._delivered = self._filtered = 0
        self._refresh_at = 0.0
        self._is_open = False

    def open(self, interest: Interest) -> None:
        """Start watching.

        :raises BackendError: with the reason and the remedy.
        """
        if self._is_open:
            raise BackendError("the fanotify backend is open already")
        self._is_open = True
        self._interest = interest
        try:
            if self._rights.processes:
                self._processes = Looking()
                self._own |= {self._processes.pid}
                self._poll.register(self._processes, select.POLLIN)
            if self._held_paths:
                self._holding = Holding(self._held_paths)
                self._own |= {self._holding.pid}
            self._watch(_mask(interest))
            self._seed()
        except BaseException:
            self.close()
            raise

    def _watch(self, mask: int) -> None:
        if self._watched:
            self._files = FolderWatch(self._watched, mask, tells_threads=self._rights.machine)
        elif mask:
            self._files = HostWatch(mask)
        for descriptor in self._files.descriptors() if self._files is not None else ():
            self._poll.register(descriptor, select.POLLIN)

    def read(self, timeout: float) -> Sequence[Event] | None:
        """Return the next events, none after `timeout` seconds without any; None once it is closed."""
        if not self._is_open:
            return None
        end = time.monotonic() + timeout
        while True:
            left = end - time.monotonic()
            patience = min(left, _TICK) if self._opens.waiting else left
            if self._order.waiting:
                patience = min(left, _PAUSE)
            ready = self._poll.poll(max(0.0, patience) * 1000)
            if ready:
                time.sleep(_PAUSE)
            events = self._events(time.monotonic(), idle=not ready)
            if events:
                for event in events:
                    self._delivered += 1
                    event.number = self._delivered
                return events
            if time.monotonic() >= end:
                return ()

    def _events(self, now: float, *, idle: bool) -> list[Event]:
        if self._files is not None:
            self._files.fetch()
        processes = [] if self._processes is None else self._processes.read()
        files = [] if self._files is None else self._files.read()
        if self._holding is not None:
            self._holding.collect()
        self._seen += len(files) + len(processes)
        events: list[Event] = []
        stamp = time.time_ns()
        for item in self._order.round(files, processes):
            if isinstance(item, Seen):
                self._tell_file(item, events, now, stamp)
            else:
                self._tell_process(item, events, stamp)
        events += [open_event(opened, stamp) for opened in self._opens.overdue(now)]
        if idle:
            self._opens.forget_created()
        if now >= self._refresh_at and self._files is not None:
            self._refresh_at = now + _REFRESH
            self._files.refresh()
        return events

    def _tell_file(self, seen: Seen, events: list[Event], now: float, stamp: int) -> None:
        if seen.tid in self._own:
            self._filtered += 1
            return
        if seen.mask & binding.OPEN_EXEC and self._processes is not None:
            if len(self._programs) >= _PROGRAMS_LIMIT:
                self._programs.clear()
            self._programs.setdefault(seen.tid, []).append(seen.path)
        events += [event for event in change_events(seen, stamp) if self._interest.wants(event.name)]
        events += [open_event(opened, stamp) for opened in self._opens.take(seen, now)]

    def _tell_process(self, sighting: Sighting, events: list[Event], stamp: int) -> None:
        message = sighting.event
        # Who starts other programs from here wants to know whose children they are.
        if message.pid in self._own and message.kind != FORK:
            self._filtered += 1
            return
        if message.kind in (EXEC, EXIT):
            events += [open_event(opened, stamp) for opened in self._opens.flush(message.tid)]
            events += self._makes.events(sighting, self._programs.pop(message.tid, ()))
        else:
            events += self._makes.events(sighting)

    def _exact(self, tid: int, path: str) -> list[Exact]:
        return [] if self._holding is None else self._holding.take(tid, path)

    @property
    def exit_code(self) -> int | None:
        """None: what is watched has no end of its own."""
        return None

    @property
    def warnings(self) -> Sequence[str]:
        """What was not seen, or not in full."""
        found = []
        if self._files is not None and QUEUE_OVERFLOW in self._files.dropped:
            found.append(
                "the kernel's queue of file events overflowed: raise fs.fanotify.max_queued_events, or watch less"
            )
        if self._makes.unseen:
            found.append(
                f"{self._makes.unseen} programs had ended before their arguments and files could be looked at"
            )
        return found

    def statistics(self) -> Statistics:
        """Return the counters so far."""
        dropped = {} if self._files is None else dict(self._files.dropped)
        if self._processes is not None and self._processes.lost:
            dropped[LOST_PROCESS_EVENTS] = self._processes.lost
        return Statistics(self._seen, self._delivered, self._filtered, dropped)

    def close(self) -> None:
        """Stop watching; may be called twice."""
        self._is_open = False
        for part in (self._holding, self._files, self._processes):
            if part is not None:
                part.close()


def _mask(interest: Interest) -> int:
    """Return the file events that are needed for the events that rules evaluate."""
    mask = 0
    if interest.wants("openat"):
        mask |= binding.OPEN | binding.CLOSE_WRITE | binding.CLOSE_NOWRITE | binding.CREATE
    if interest.wants("mkdir") or interest.wants("symlink"):
        mask |= binding.CREATE
    if interest.wants("unlink") or interest.wants("rmdir"):
        mask |= binding.DELETE
    if mask or interest.wants("rename"):
        # Folders that are moved have to be known for the paths of the files in them.
        mask |= binding.RENAME | binding.ONDIR
    if mask:
        mask |= binding.OPEN_EXEC
    return mask
