"""How fields are read: of events of the system by extractors, of recorded events by their keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from refengine.errors import UnsupportedFieldError
from refengine.event import Event, RecordedEvent
from refengine.event.addresses import packed_address
from refengine.fields.extractor import Candidates
from refengine.fields.reading import FieldRead, Many
from refengine.fields.registry import extractor_of
from refengine.values import Value, ValueType

Read: TypeAlias = "Callable[[Any], Value | None]"


class SystemReader:
    """Reads the fields of `Event`s through the extractors."""

    def bind(self, field: FieldRead) -> Read:
        """Return the function that reads `field`.

        :raises UnsupportedFieldError: when the field has no extractor.
        """
        extractor = extractor_of(field.field.name)
        if extractor is None:
            raise UnsupportedFieldError(
                f"field '{field.key}' cannot be read from events yet: rules that use it cannot run"
            )
        if field.many is not Many.ONE:
            if extractor.candidates is None:
                raise UnsupportedFieldError(f"field '{field.key}' has no values to compare with")
            return _all(extractor.candidates)
        read = extractor.bind(field.argument)
        return _present(read) if field.is_list else read


class RecordedReader:
    """Reads the fields of `RecordedEvent`s out of their values, each made into its field's type.

    Fields of the time that are not among the values follow from the event's time, where that is known.
    """

    def bind(self, field: FieldRead) -> Read:
        """Return the function that reads `field`."""
        key, type = field.key, field.type
        several = field.is_list or field.many is not Many.ONE

        def read(event: RecordedEvent) -> Value | None:
            value = event.values.get(key)
            if value is None:
                return None
            if not several:
                return typed_value(key, type, value)
            items = value if isinstance(value, list | tuple) else (value,)
            return tuple(typed_value(key, type, item) for item in items) or None

        return _timed(key, read) if key in _TIMES else read


def _timed(key: str, read: Read) -> Read:
    """Return the function that reads a field of the time."""
    extractor = extractor_of(key)
    assert extractor is not None
    derive: Read = extractor.bind(None)

    def read_or_derive(event: RecordedEvent) -> Value | None:
        value = read(event)
        return derive(event) if value is None and event.time else value

    return read_or_derive


def typed_value(key: str, type: ValueType, value: object) -> Value:
    """Return `value`, which somebody wrote down, as the Python value of `type`.

    :raises ValueError: when it cannot be of that type.
    """
    if type in _TEXT:
        if isinstance(value, str):
            return value
        if isinstance(value, bytes):
            return value.decode("utf-8", "surrogateescape")
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int | float):
            return str(value)
    elif type is ValueType.BOOL:
        if isinstance(value, bool):
            return value
        if value in ("true", "false"):
            return value == "true"
    elif type is ValueType.BYTEBUF:
        if isinstance(value, bytes):
            return value
        if isinstance(value, str):
            return value.encode("utf-8", "surrogateescape")
    elif type in _ADDRESSES:
        if isinstance(value, bytes) and len(value) in (4, 16):
            return value
        if isinstance(value, str):
            return packed_address(value)
    elif type is ValueType.DOUBLE:
        if isinstance(value, int | float):
            return float(value)
    elif isinstance(value, int) or (isinstance(value, str) and value.lstrip("-").isdigit()):
        return int(value)
    raise ValueError(f"{value!r} is no value of type {type}, which '{key}' has")


_TIMES = frozenset(
    {
        "evt.rawtime",
        "evt.rawtime.s",
        "evt.rawtime.ns",
        "evt.time",
        "evt.time.s",
        "evt.time.iso8601",
        "evt.datetime",
        "evt.datetime.s",
    }
)
"""The fields that tell when an event was."""

_TEXT = frozenset({ValueType.CHARBUF, ValueType.FSPATH, ValueType.FSRELPATH})
_ADDRESSES = frozenset(
    {
        ValueType.IPV4ADDR,
        ValueType.IPV6ADDR,
        ValueType.IPADDR,
        ValueType.IPV4NET,
        ValueType.IPV6NET,
        ValueType.IPNET,
    }
)


def _all(candidates: Candidates) -> Read:
    def read(event: Event) -> Value | None:
        values: Iterable[Value] | None = candidates(event)
        return None if values is None else tuple(values) or None

    return read


def _present(read: Read) -> Read:
    return lambda event: read(event) or None
