"""The process that listens to process events: `python -m refengine.backends.fanotify.looker`.

A program may end within a millisecond, and what it was can be seen only until then. So it is looked at by a process
that does nothing else, ahead of all others where the system lets it. It writes what it heard and saw to standard
output, and ends when its standard input does.
"""

from __future__ import annotations

import os
import select
import sys
from contextlib import suppress
from typing import Final

from refengine.backends.fanotify.programs import glance
from refengine.backends.fanotify.sightings import Sighting, encode
from refengine.backends.netlink.connector import ProcessConnector
from refengine.backends.netlink.process_events import EXEC
from refengine.errors import BackendError
from refengine.state.memory_files import MemoryFiles

_BATCH: Final = 256
_PRIORITY: Final = 1
"""The lowest real-time priority: ahead of all ordinary processes, behind every real-time one."""


def main() -> int:
    """Listen until standard input ends."""
    try:
        connector = ProcessConnector()
    except BackendError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    memory_files = MemoryFiles()
    with suppress(
        OSError
    ):  # the thread that reads for us inherits it; without it, some short programs will not be seen
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(_PRIORITY))
    output, end = sys.stdout.fileno(), sys.stdin.fileno()
    poll = select.poll()
    poll.register(connector, select.POLLIN)
    poll.register(end, select.POLLIN)
    _write(output, b"\n")
    while True:
        if any(number == end for number, _ in poll.poll()):
            return 0
        lost = connector.lost
        sightings = [
            Sighting(event, glance(event.pid, memory_files) if event.kind == EXEC else None)
            for event in connector.read(_BATCH)
        ]
        lines = [encode(sighting) for sighting in sightings]
        if connector.lost != lost:
            lines.append(b"%d\n" % connector.lost)
        try:
            _write(output, b"".join(lines))
        except BrokenPipeError:
            return 0


def _write(output: int, data: bytes) -> None:
    while data:
        data = data[os.write(output, data) :]


if __name__ == "__main__":
    sys.exit(main())
