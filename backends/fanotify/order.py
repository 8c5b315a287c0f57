"""One order for what two queues tell: file events and process events.

Neither queue dates its entries by the other's clock. What is certain is used: a process exists before it does
anything, and does nothing after its end; and the queue of file events shows, among the events of a thread, where it
opened its new program.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from refengine.backends.fanotify import binding
from refengine.backends.fanotify.sightings import Sighting
from refengine.backends.fanotify.watch import Seen
from refengine.backends.netlink.process_events import EXEC, EXIT, FORK

_OPENED_LIMIT: Final = 1 << 14
"""Threads that are remembered for having opened a program; those that never began one would add up."""


class Order:
    """Puts together what is read in rounds, in each the files first and then the processes.

    Ends wait for the next round, which has all files of the process; new programs wait for the files that show
    where they began, for one round at most, unless they have made other processes already.
    """

    def __init__(self) -> None:
        self._ends: list[Sighting] = []
        self._starts: list[Sighting] = []
        self._opened: set[int] = set()
        """The threads whose files have shown them opening a program that has not begun yet."""

    @property
    def waiting(self) -> bool:
        """True while something is kept for the next round."""
        return bool(self._ends or self._starts)

    def round(self, files: Sequence[Seen], processes: Sequence[Sighting]) -> Iterator[Seen | Sighting]:
        """Yield what was kept and what has been read now."""
        marked = {seen.tid for seen in files if seen.mask & binding.OPEN_EXEC}
        ends, self._ends = self._ends, []
        held: dict[int, list[Sighting]] = {}
        late, self._starts = self._starts, []
        for sighting in late:
            if sighting.event.pid in marked:
                held.setdefault(sighting.event.pid, []).append(sighting)
            else:
                yield sighting
        makers = {sighting.event.pid for sighting in processes if sighting.event.kind == FORK}
        kept: set[int] = set()
        for sighting in processes:
            event = sighting.event
            if event.kind == EXIT:
                self._ends.append(sighting)
            elif event.pid in kept or (
                event.kind == EXEC
                and event.pid not in makers
                and event.pid not in marked
                and event.pid not in held
                and event.pid not in self._opened
            ):
                kept.add(event.pid)
                self._starts.append(sighting)
            elif event.pid in held or (
                event.kind == EXEC and event.pid in marked and event.pid not in self._opened
            ):
                held.setdefault(event.pid, []).append(sighting)
            else:
                self._opened.discard(event.pid if event.kind == EXEC else -1)
                yield sighting
        for seen in files:
            if seen.mask & binding.OPEN_EXEC:
                if len(self._opened) >= _OPENED_LIMIT:
                    self._opened.clear()
                self._opened.add(seen.tid)
                if seen.tid in held:
                    self._opened.discard(seen.tid)
                    yield from held.pop(seen.tid)
            yield seen
        for sightings in held.values():
            yield from sightings
        for sighting in ends:
            self._opened.discard(sighting.event.tid)
            yield sighting
