"""The group that a process acts as (`group.*`)."""

from __future__ import annotations

from collections.abc import Mapping

from refengine.event import Event
from refengine.fields.extractor import Extractor, plain
from refengine.fields.user import UNKNOWN


def gid(event: Event) -> int | None:
    """`group.gid`."""
    thread = event.thread
    return None if thread is None else thread.gid


def name(event: Event) -> str | None:
    """`group.name`."""
    thread, state = event.thread, event.state
    if thread is None or state is None:
        return None
    group = state.users.group(thread.gid)
    return UNKNOWN if group is None else group.name


EXTRACTORS: Mapping[str, Extractor] = {"group.gid": plain(gid), "group.name": plain(name)}
