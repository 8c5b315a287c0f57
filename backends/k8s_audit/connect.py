"""The backend of audit events: of a file where one is named, else as a receiver of what the API server posts."""

from __future__ import annotations

from collections.abc import Callable

from refengine.backends.base import Availability, Connection
from refengine.backends.k8s_audit.files import AuditFileBackend
from refengine.backends.target import Target
from refengine.errors import BackendError
from refengine.event import Event
from refengine.state.system import SystemState


def availability() -> Availability:
    """Return that audit logs can be read everywhere."""
    return Availability(True)


def connect(target: Target) -> Connection:
    """Return the backend for one file of audit events.

    :raises BackendError: when the target is something else.
    """
    if target.command or target.pids or target.watched or target.held:
        raise BackendError(
            "the k8s_audit backend watches no processes and no folders: audit events come from an API server"
        )
    if len(target.files) != 1:
        raise BackendError("the k8s_audit backend reads one file of audit events: give it with -e FILE")
    backend = AuditFileBackend(target.files[0])
    return Connection(
        backend, _observer(), lambda: tuple(backend.warnings), progress=lambda: backend.progress
    )


def _observer() -> Callable[[Event], None]:
    """Return what tells each event when the first one was, and on which machine it is read."""
    state = SystemState()

    def observe(event: Event) -> None:
        if state.first_event_time == 0:
            state.first_event_time = event.time
        event.state = state

    return observe
