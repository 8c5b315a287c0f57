"""The capture backend with a state that the capture's own tables fill."""

from __future__ import annotations

from functools import partial

from refengine.backends.base import Availability, Connection
from refengine.backends.capture.backend import CaptureBackend, available
from refengine.backends.capture.seed import seed
from refengine.backends.target import Target
from refengine.errors import BackendError
from refengine.state.system import SystemState


def availability() -> Availability:
    """Return that captures can be read everywhere."""
    return available()


def connect(target: Target) -> Connection:
    """Return the backend for one capture file.

    :raises BackendError: when the target is none.
    """
    if len(target.files) != 1 or target.command or target.pids or target.address is not None:
        raise BackendError("the capture backend reads one file: give it with -e FILE")
    state = SystemState()
    backend = CaptureBackend(target.files[0], partial(seed, state))
    return Connection(
        backend, state.apply, lambda: backend.warnings, state, progress=lambda: backend.progress
    )
