"""The group that a process acts as (`group.*`)."""

from __future__ import annotations

from collections.abc import Mapping

from refengine.event import Event
from refengine.fields.extractor import AttributePath, Extractor, plain
from refengine.fields.user import UNKNOWN


def name(event: Event) -> str | None:
    """`group.name`."""
    thread, state = event.thread, event.state
    if thread is None or state is None:
        return None
    group = state.users.group(thread.gid)
    return UNKNOWN if group is None else group.name


EXTRACTORS: Mapping[str, Extractor] = {
    "group.gid": plain(AttributePath("thread.gid")),
    "group.name": plain(name),
}
