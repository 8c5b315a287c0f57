"""How the ptrace backend is found, asked about and made; imports the backend itself only when needed."""

from __future__ import annotations

from importlib.util import find_spec

from refengine.backends.base import Availability, Backend, Capabilities
from refengine.backends.target import Target
from refengine.errors import BackendError


def available() -> Availability:
    """Tell whether processes can be traced here."""
    if find_spec("ptrace") is None:
        return Availability(False, "the package python-ptrace is not installed", "pip install python-ptrace")
    from refengine.backends.ptrace.backend import availability

    return availability()


def capabilities() -> Capabilities:
    """Return what the backend observes."""
    from refengine.backends.ptrace.backend import CAPABILITIES

    return CAPABILITIES


def create(target: Target) -> Backend:
    """Return a backend that runs the target's command or watches its processes.

    :raises BackendError: where the target is neither.
    """
    from refengine.backends.ptrace.backend import PtraceBackend

    if target.files or target.address is not None:
        raise BackendError("the ptrace backend watches a command or processes, not files or addresses")
    return PtraceBackend(target.command, target.pids)
