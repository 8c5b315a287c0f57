"""The ptrace backend with the state of the live machine."""

from __future__ import annotations

from refengine.backends.base import Availability, Connection, Target
from refengine.backends.ptrace.backend import PtraceBackend
from refengine.backends.ptrace.backend import availability as _availability
from refengine.errors import BackendError
from refengine.state.procfs import ProcProbe
from refengine.state.system import SystemState
from refengine.state.users import read_users


def availability() -> Availability:
    """Return whether processes can be traced here."""
    return _availability()


def connect(target: Target) -> Connection:
    """Return the backend for a command or for running processes.

    :raises BackendError: when the target is neither.
    """
    if target.path is not None or bool(target.command) == bool(target.pids):
        raise BackendError("the ptrace backend needs a command behind -- or a process id with -p")
    # Only the system calls that rules need are stopped at, so that events do not tell what becomes of every
    # descriptor; the thread of an event stands still, so that /proc can be asked.
    state = SystemState(ProcProbe(), track_descriptors=False, users=read_users())
    return Connection(PtraceBackend(target.command, target.pids), state.apply)
