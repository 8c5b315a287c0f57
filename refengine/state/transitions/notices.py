"""Events without a thread, which the observer makes up when the machine's tables of users change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from refengine.event import Event
from refengine.state.transitions.params import integer, text
from refengine.state.users import Group, User

if TYPE_CHECKING:
    from refengine.state.system import SystemState


def add_user(state: SystemState, event: Event) -> None:
    """Take in a user that was added to the machine's own users."""
    uid, gid = integer(event, "uid"), integer(event, "gid")
    if uid is not None and gid is not None and not text(event, "container_id"):
        name, home, shell = text(event, "name") or "", text(event, "home") or "", text(event, "shell") or ""
        state.users.add_user(User(uid, gid, name, home, shell))


def remove_user(state: SystemState, event: Event) -> None:
    """Forget a user that was removed from the machine's own users."""
    uid = integer(event, "uid")
    if uid is not None and not text(event, "container_id"):
        state.users.remove_user(uid)


def add_group(state: SystemState, event: Event) -> None:
    """Take in a group that was added to the machine's own groups."""
    gid = integer(event, "gid")
    if gid is not None and not text(event, "container_id"):
        state.users.add_group(Group(gid, text(event, "name") or ""))


def remove_group(state: SystemState, event: Event) -> None:
    """Forget a group that was removed from the machine's own groups."""
    gid = integer(event, "gid")
    if gid is not None and not text(event, "container_id"):
        state.users.remove_group(gid)
