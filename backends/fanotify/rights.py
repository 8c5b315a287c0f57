"""What the kernel lets us ask for, found out by asking: root in a container may not do what root may."""

from __future__ import annotations

from typing import NamedTuple

from refengine.backends.fanotify.binding import REPORT_DFID_NAME, REPORT_TID
from refengine.backends.fanotify.group import Group
from refengine.backends.netlink.connector import ProcessConnector
from refengine.errors import BackendError


class Rights(NamedTuple):
    """Whether we may watch the whole machine and be told who did something, and whether we are told of processes."""

    machine: bool
    processes: bool


def find_rights() -> Rights:
    """Return what is allowed here."""
    try:
        Group(REPORT_DFID_NAME | REPORT_TID).close()
    except BackendError:
        return Rights(False, False)
    try:
        ProcessConnector().close()
    except BackendError:
        return Rights(True, False)
    return Rights(True, True)
