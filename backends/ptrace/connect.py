"""The ptrace backend with the state of the live machine."""

from __future__ import annotations

from refengine.backends.base import Availability, Connection
from refengine.backends.ptrace import registration
from refengine.backends.target import Target
from refengine.state.procfs import ProcProbe
from refengine.state.system import SystemState
from refengine.state.users import read_users


def availability() -> Availability:
    """Return whether processes can be traced here."""
    return registration.available()


def connect(target: Target) -> Connection:
    """Return the backend for a command or for running processes.

    :raises BackendError: when the target is neither.
    """
    # Only the system calls that rules need are stopped at, so that events do not tell what becomes of every
    # descriptor; the thread of an event stands still, so that /proc can be asked.
    state = SystemState(ProcProbe(), track_descriptors=False, users=read_users())
    return Connection(registration.create(target), state.apply)
