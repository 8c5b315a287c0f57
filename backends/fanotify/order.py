"""One order for what two queues tell: file events and process events.

Neither queue dates its entries by the other's clock. What is certain is used: a process exists before it does
anything, and does nothing after its end; and the queue of file events shows, among the events of a process, where it
opened its new program.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from refengine.backends.fanotify import binding
from refengine.backends.fanotify.sightings import Sighting
from refengine.backends.fanotify.watch import Seen
from refengine.backends.netlink.process_events import EXEC, EXIT


def ordered(files: Sequence[Seen], processes: Sequence[Sighting]) -> Iterator[Seen | Sighting]:
    """Yield all of one reading of both queues, the files having been read first.

    New processes come first and ends last. What a process does to itself comes before what it does to files, up
    to a new program: what it did before opening that one comes before.
    """
    if not files:
        yield from processes
        return
    marked = {seen.tid for seen in files if seen.mask & binding.OPEN_EXEC}
    held: dict[int, list[Sighting]] = {}
    ends = []
    for sighting in processes:
        event = sighting.event
        if event.kind == EXIT:
            ends.append(sighting)
        elif event.pid in held or (event.kind == EXEC and event.pid in marked):
            held.setdefault(event.pid, []).append(sighting)
        else:
            yield sighting
    for seen in files:
        if seen.mask & binding.OPEN_EXEC and seen.tid in held:
            yield from held.pop(seen.tid)
        yield seen
    for sightings in held.values():
        yield from sightings
    yield from ends
