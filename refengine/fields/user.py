"""The user that a process acts as (`user.*`)."""

from __future__ import annotations

from collections.abc import Mapping

from refengine.event import Event
from refengine.fields.extractor import AttributePath, Extractor, plain
from refengine.state.threads import UNKNOWN_ID
from refengine.state.users import User

UNKNOWN = "<NA>"
"""The name of a user or group that the tables do not have."""


def name(event: Event) -> str | None:
    """`user.name`."""
    thread, state = event.thread, event.state
    if thread is None or state is None:
        return None
    user = state.users.user(thread.uid)
    return UNKNOWN if user is None else user.name


def home(event: Event) -> str | None:
    """`user.homedir`."""
    user = _user(event)
    return (None if event.thread is None else UNKNOWN) if user is None else user.home


def shell(event: Event) -> str | None:
    """`user.shell`."""
    user = _user(event)
    return (None if event.thread is None else UNKNOWN) if user is None else user.shell


def login_uid(event: Event) -> int | None:
    """`user.loginuid`: -1 where nobody has logged in."""
    thread = event.thread
    if thread is None:
        return None
    return -1 if thread.loginuid == UNKNOWN_ID else thread.loginuid


def login_name(event: Event) -> str | None:
    """`user.loginname`."""
    thread, state = event.thread, event.state
    if thread is None or state is None:
        return None
    user = state.users.user(thread.loginuid)
    return UNKNOWN if user is None else user.name


def _user(event: Event) -> User | None:
    thread, state = event.thread, event.state
    return None if thread is None or state is None else state.users.user(thread.uid)


EXTRACTORS: Mapping[str, Extractor] = {
    "user.uid": plain(AttributePath("thread.uid")),
    "user.name": plain(name),
    "user.homedir": plain(home),
    "user.shell": plain(shell),
    "user.loginuid": plain(login_uid),
    "user.loginname": plain(login_name),
}
