"""The backend of audit events: of a file where one is named, else as a receiver of what API servers post."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

from refengine.backends.base import Availability, Connection
from refengine.backends.k8s_audit.endpoint import DEFAULT_URL
from refengine.backends.k8s_audit.files import AuditFileBackend
from refengine.backends.target import Address, Target
from refengine.errors import BackendError
from refengine.event import Event
from refengine.state.system import SystemState

_REMEDY = "pip install 'refengine[k8s]'"


def availability() -> Availability:
    """Return whether events can be received; audit logs can be read everywhere."""
    if find_spec("aiohttp") is not None:
        return Availability(True)
    return Availability(
        False, "the package aiohttp is not installed, so that only files can be read", _REMEDY
    )


def connect(target: Target) -> Connection:
    """Return the backend for one file of audit events, or for an address, where none is given the usual one.

    :raises BackendError: when the target is something else, or aiohttp is not installed.
    """
    if target.command or target.pids or target.watched or target.held or len(target.files) > 1:
        raise BackendError(
            "the k8s_audit backend reads one file of audit events, or listens for those that an API server posts"
        )
    if target.files:
        file = AuditFileBackend(target.files[0])
        return Connection(file, _observer(), lambda: file.warnings, progress=lambda: file.progress)
    if find_spec("aiohttp") is None:
        raise BackendError(f"the package aiohttp is not installed; {_REMEDY}")
    from refengine.backends.k8s_audit.webhook import WebhookBackend

    webhook = WebhookBackend(target.address or Address(DEFAULT_URL))
    return Connection(webhook, _observer(), lambda: webhook.warnings)


def _observer() -> Callable[[Event], None]:
    """Return what tells each event when the first one was, and on which machine it is read."""
    state = SystemState()

    def observe(event: Event) -> None:
        if state.first_event_time == 0:
            state.first_event_time = event.time
        event.state = state

    return observe
