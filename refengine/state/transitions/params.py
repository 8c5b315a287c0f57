"""Reading of an event's parameters by name and type."""

from __future__ import annotations

from refengine.event import Event


def integer(event: Event, name: str) -> int | None:
    """Return a parameter that is a number, None where it is absent."""
    position = event.type.index.get(name)
    params = event.params
    if position is None or position >= len(params):
        return None
    value = params[position]
    return value if isinstance(value, int) else None


def text(event: Event, name: str) -> str | None:
    """Return a parameter that is text, None where it is absent."""
    value = event.param(name)
    return value if isinstance(value, str) else None


def data(event: Event, name: str) -> bytes | None:
    """Return a parameter that is a byte buffer, None where it is absent."""
    value = event.param(name)
    return value if isinstance(value, bytes) else None


def strings(event: Event, name: str) -> tuple[str, ...] | None:
    """Return the texts in a byte buffer in which each is ended by NUL, None where it is absent."""
    value = event.param(name)
    if isinstance(value, bytes):
        return tuple(value.decode("utf-8", "surrogateescape").removesuffix("\0").split("\0")) if value else ()
    return None


def result(event: Event) -> int | None:
    """Return the first parameter, which is the result of the call or the descriptor that it made."""
    params = event.params
    value = params[0] if len(params) else None
    return value if isinstance(value, int) else None


def succeeded(event: Event) -> bool:
    """Return whether the call's result is present and is no error."""
    value = result(event)
    return value is not None and value >= 0
