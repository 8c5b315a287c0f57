"""Events as JSON lines, with the values of their fields, in the form that the events backend reads."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

from refengine.event import Event, RecordedEvent
from refengine.event.document import DocumentEvent
from refengine.event.written import Json, written_value
from refengine.fields.catalogue import CATALOGUE
from refengine.fields.readers import SystemReader
from refengine.fields.reading import ANCESTRAL, FieldRead, Many, read_field
from refengine.fields.registry import extractor_of
from refengine.values import ValueType

Read: TypeAlias = "Callable[[Event], Json]"

ALWAYS = ("evt.num", "evt.rawtime", "evt.source", "evt.type")
"""The fields that every line has: what an event is known by."""

_ADDRESSES = frozenset({ValueType.IPADDR, ValueType.IPNET, ValueType.IPV4ADDR, ValueType.IPV6ADDR})


class EventLines:
    """Writes events as lines.

    `fields` are the fields to write; None means all that the event has: every field without an argument, each
    parameter by name and by number, and each ancestor by number. An event that is a document is written as that.
    """

    def __init__(self, fields: Iterable[FieldRead] | None = None) -> None:
        self._reader = SystemReader()
        self._whole = fields is None
        wanted = _plain_fields() if fields is None else (*map(read_field, ALWAYS), *fields)
        self._reads: dict[str, Read] = {}
        for field in wanted:
            if field.key not in self._reads:
                self._reads[field.key] = self._bind(field)

    def line(self, event: Event | RecordedEvent) -> str:
        """Return the event as one line, without a line end."""
        written: dict[str, Json]
        if isinstance(event, RecordedEvent):
            written = {key: written_value(value) for key, value in event.values.items()}
            written.update(source=event.source, time=event.time, number=event.number)
        elif self._whole and isinstance(event, DocumentEvent):
            written = dict(event.document)
        else:
            written = {key: value for key, read in self._reads.items() if (value := read(event)) is not None}
            if self._whole:
                written.update(self._of_this_event(event))
        return json.dumps(written, sort_keys=True, separators=(",", ":"))

    def _of_this_event(self, event: Event) -> Iterator[tuple[str, Json]]:
        for position, param in enumerate(event.type.params):
            if position >= len(event.params):
                break
            for key in (f"evt.arg.{param.name}", f"evt.rawarg.{param.name}", f"evt.arg[{position}]"):
                yield from self._named(key, event)
        for name in sorted(ANCESTRAL):
            candidates = self._reads[name](event)
            for depth in range(1, 1 + len(candidates) if isinstance(candidates, list) else 1):
                yield from self._named(f"{name}[{depth}]", event)

    def _named(self, key: str, event: Event) -> Iterator[tuple[str, Json]]:
        read = self._reads.get(key)
        if read is None:
            name, _, argument = key.rstrip("]").partition("[")
            read = self._reads[key] = self._bind(read_field(name, argument or None))
        value = read(event)
        if value is not None:
            yield key, value

    def _bind(self, field: FieldRead) -> Read:
        read: Callable[[Any], Any] = self._reader.bind(field)
        is_address = field.type in _ADDRESSES

        def written(event: Event) -> Json:
            value = read(event)
            return None if value is None else written_value(value, is_address=is_address)

        return written


def _plain_fields() -> Iterator[FieldRead]:
    for field in CATALOGUE.values():
        if field.argument_required or "table_only" in field.flags or extractor_of(field.name) is None:
            continue
        if field.sources and "syscall" not in field.sources:
            continue
        read = read_field(field.name)
        if read.many is Many.ONE and "filter_only" in field.flags and "no_rhs" in field.flags:
            continue  # networks, which repeat the addresses
        yield read
