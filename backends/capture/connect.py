"""The capture backend with a state that the capture's own tables fill."""

from __future__ import annotations

from functools import partial

from refengine.backends.base import Availability, Connection, Target
from refengine.backends.capture.backend import CaptureBackend, available
from refengine.backends.capture.seed import seed
from refengine.errors import BackendError
from refengine.state.system import SystemState


def availability() -> Availability:
    """Return that captures can be read everywhere."""
    return available()


def connect(target: Target) -> Connection:
    """Return the backend for a capture file.

    :raises BackendError: when the target is none.
    """
    if target.path is None:
        raise BackendError("the capture backend needs a file: give it with -e FILE")
    state = SystemState()
    return Connection(CaptureBackend(target.path, partial(seed, state)), state.apply)
