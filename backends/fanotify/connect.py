"""The fanotify backend with the state of the live machine; imports the backend itself only when needed."""

from __future__ import annotations

import sys

from refengine.backends.base import Availability, Connection
from refengine.backends.target import Target
from refengine.errors import BackendError
from refengine.event import Event
from refengine.state.interface_list import read_interfaces
from refengine.state.procfs import list_threads, read_boot_time
from refengine.state.system import SystemState
from refengine.state.users import read_users


def availability() -> Availability:
    """Return whether files can be watched here: all of the machine's with privileges, else below given folders."""
    if not sys.platform.startswith("linux"):
        return Availability(False, "fanotify is a facility of Linux")
    from refengine.backends.fanotify.rights import find_rights
    from refengine.backends.fanotify.watch import check_folder_marks, check_host_marks

    try:
        if find_rights().machine:
            check_host_marks()
        else:
            check_folder_marks()
    except BackendError as error:
        reason, _, remedy = str(error).partition(": ")
        return Availability(False, reason, remedy)
    return Availability(True)


def connect(target: Target) -> Connection:
    """Return the backend for the whole machine, or for the files and folders of `target`.

    :raises BackendError: when the target is of another kind, or needs privileges that we do not have.
    """
    if target.command or target.pids or target.files or target.address is not None:
        raise BackendError(
            "the fanotify backend watches the whole machine, or files and folders given with --watch"
        )
    from refengine.backends.fanotify.backend import FanotifyBackend
    from refengine.backends.fanotify.probe import NetlinkProbe
    from refengine.backends.fanotify.rights import find_rights

    rights = find_rights()
    if target.held and not rights.machine:
        raise BackendError("holding opens for their exact flags needs CAP_SYS_ADMIN: run as root")
    if not target.watched and not rights.machine:
        raise BackendError(
            "watching the whole machine needs CAP_SYS_ADMIN: run as root, or name folders with --watch"
        )
    probe = NetlinkProbe()
    state = SystemState(
        probe,
        track_descriptors=False,
        users=read_users(),
        interfaces=read_interfaces(),
        boot_time=read_boot_time(),
    )

    def seed() -> None:
        for tid in list_threads():
            state.meet(tid)

    # Without process events, what is read at the start would grow old.
    backend = FanotifyBackend(
        target.watched, target.held, seed=seed if rights.processes else lambda: None, rights=rights
    )

    def observe(event: Event) -> None:
        state.apply(event)
        if event.thread is not None and event.name == "execve":
            # No event tells of changes of the working directory; it is known from when a program was started.
            cwd = event.param("cwd")
            if isinstance(cwd, str):
                event.thread.set_cwd(cwd)

    return Connection(backend, observe, lambda: (*backend.warnings, *probe.warnings()), state)
