"""The events backend; its events carry all that is known, so that there is no state to keep."""

from __future__ import annotations

from refengine.backends.base import Availability, Connection
from refengine.backends.events.backend import EventsBackend, available
from refengine.backends.target import Target
from refengine.errors import BackendError
from refengine.fields.reading import FieldError, read_key


def availability() -> Availability:
    """Return that events can be read everywhere."""
    return available()


def connect(target: Target) -> Connection:
    """Return the backend for one file of events.

    :raises BackendError: when the target is none.
    """
    if len(target.files) != 1 or target.command or target.pids or target.address is not None:
        raise BackendError("the events backend reads one file of JSON lines: give it with -e FILE")
    backend = EventsBackend(target.files[0], _fault)
    return Connection(
        backend, lambda _event: None, lambda: backend.warnings, progress=lambda: backend.progress
    )


def _fault(key: str, source: str) -> str | None:
    """Return what is wrong with the text of a field, None where nothing is."""
    try:
        read_key(key, source)
    except FieldError as error:
        return f"{error}" + (f": {error.suggestion}" if error.suggestion else "")
    return None
