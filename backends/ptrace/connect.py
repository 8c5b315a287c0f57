"""The ptrace backend with the state of the live machine; imports the backend itself only when needed."""

from __future__ import annotations

from importlib.util import find_spec

from refengine.backends.base import Availability, Connection
from refengine.backends.target import Target
from refengine.errors import BackendError
from refengine.event.paths import AT_FDCWD, UNKNOWN_DIRECTORY, slashed
from refengine.state.interface_list import read_interfaces
from refengine.state.procfs import read_boot_time
from refengine.state.system import SystemState
from refengine.state.users import read_users


def availability() -> Availability:
    """Return whether processes can be traced here."""
    missing = _missing_package()
    if missing is not None:
        return missing
    from refengine.backends.ptrace import backend

    return backend.availability()


def connect(target: Target) -> Connection:
    """Return the backend for a command or for running processes.

    :raises BackendError: when the target is neither, or python-ptrace is not installed.
    """
    if target.files or target.address is not None:
        raise BackendError("the ptrace backend watches a command or processes, not files or addresses")
    missing = _missing_package()
    if missing is not None:
        raise BackendError(f"{missing.reason}; {missing.remedy}")
    from refengine.backends.ptrace.backend import PtraceBackend
    from refengine.backends.ptrace.probe import TraceeProbe

    # Only the system calls that rules need are stopped at, so that events do not tell what becomes of every
    # descriptor; the thread of an event stands still, so that /proc can be asked.
    probe = TraceeProbe()
    state = SystemState(
        probe,
        track_descriptors=False,
        users=read_users(),
        interfaces=read_interfaces(),
        boot_time=read_boot_time(),
    )
    backend = PtraceBackend(target.command, target.pids, acquaintance=KnownThreads(state))
    return Connection(backend, state.apply, probe.warnings, state)


class KnownThreads:
    """What the state knows of threads before their next events."""

    def __init__(self, state: SystemState) -> None:
        self._state = state

    def name(self, tid: int) -> str | None:
        """Return the short name of a thread."""
        thread = self._state.threads.get(tid)
        return None if thread is None else thread.comm

    def directory(self, tid: int, number: int) -> str | None:
        """Return the path that relative ones are below: that of a descriptor, or the working directory."""
        thread = self._state.threads.get(tid)
        if thread is None:
            return None
        if number == AT_FDCWD:
            return self._state.working_directory(thread)
        descriptor = self._state.descriptor(thread, number)
        return UNKNOWN_DIRECTORY if descriptor is None else slashed(descriptor.name)


def _missing_package() -> Availability | None:
    if find_spec("ptrace") is not None:
        return None
    return Availability(False, "the package python-ptrace is not installed", "pip install python-ptrace")
