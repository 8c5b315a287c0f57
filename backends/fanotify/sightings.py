"""What the process that listens to process events writes to the one that evaluates them: a line of JSON each.

An empty line says that listening has begun, a number how many events have been lost so far.
"""

from __future__ import annotations

import json
from typing import NamedTuple

from refengine.backends.fanotify.programs import File, Glance
from refengine.backends.netlink.process_events import ProcessEvent


class Sighting(NamedTuple):
    """A process event, and for a new program what was seen of it."""

    event: ProcessEvent
    glance: Glance | None = None


def encode(sighting: Sighting) -> bytes:
    """Return the line of a sighting; text that is no UTF-8 survives."""
    return json.dumps(sighting, separators=(",", ":")).encode("ascii") + b"\n"


def decode(line: bytes) -> Sighting | int | None:
    """Return what a line says: a sighting, the number of lost events, or None for the beginning.

    :raises ValueError: for a line that is none of these.
    """
    if not line.strip():
        return None
    written = json.loads(line)
    if isinstance(written, int):
        return written
    try:
        (kind, cpu, time, tid, pid, numbers, text), glance = written
        event = ProcessEvent(kind, cpu, time, tid, pid, tuple(numbers), text)
        if glance is None:
            return Sighting(event)
        path, file, command, comm, cwd, env = glance
        found = None if file is None else File(*file)
        return Sighting(event, Glance(path, found, tuple(command), comm, cwd, tuple(env)))
    except TypeError:
        raise ValueError(f"{line!r} is no sighting") from None
