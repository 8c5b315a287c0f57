"""Values in JSON documents: found by the keys on the way to them, and given as text.

A value that is not there is `MISSING`; `None` is the document's own null.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Any, Final, TypeAlias

from refengine.event import Event
from refengine.event.document import DocumentEvent

Json: TypeAlias = Any
"""What the `json` module makes of a JSON text, or `MISSING`."""


class Missing(Enum):
    """The type of `MISSING`."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING
"""Stands for a value that the document does not have."""

_NOTHING: Mapping[str, Json] = {}
_WRITER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_INDENTED = json.JSONEncoder(ensure_ascii=False, indent=2)


def document_of(event: Event) -> Mapping[str, Json]:
    """Return the document that the event is; an empty one where it is none."""
    return event.document if isinstance(event, DocumentEvent) else _NOTHING


def member(value: Json, key: str) -> Json:
    """Return what stands below `key`, which for an array is the decimal number of an item."""
    if isinstance(value, dict):
        return value.get(key, MISSING)
    if isinstance(value, list) and key.isascii() and key.isdecimal() and len(key) < 10:
        position = int(key)
        if position < len(value) and (key == "0" or key[0] != "0"):
            return value[position]
    return MISSING


def find(value: Json, path: Iterable[str]) -> Json:
    """Return what stands at the end of `path`."""
    for key in path:
        value = member(value, key)
        if value is MISSING:
            return MISSING
    return value


def spread(value: Json, path: tuple[str, ...], index: int | None) -> Iterator[Json]:
    """Yield what stands at the ends of `path`, whose ways go through every item of the arrays that it meets.

    With `index` they go through that item only. A way that leads nowhere yields `MISSING`.
    """
    for depth, key in enumerate(path):
        if isinstance(value, list):
            for item in items(value, index):
                yield from spread(item, path[depth:], index)
            return
        value = member(value, key)
        if value is MISSING:
            yield MISSING
            return
    yield value


def items(value: Json, index: int | None) -> list[Json]:
    """Return the items of an array, or the one at `index`; none where `value` is no array or has none there."""
    if not isinstance(value, list):
        return []
    return value if index is None else value[index : index + 1]


def text_of(value: Json) -> str | None:
    """Return a string as it is and anything else as compact JSON; None for what is missing."""
    if isinstance(value, str):
        return value
    return None if value is MISSING else _WRITER.encode(value)


def texts_of(values: Iterable[Json]) -> tuple[str, ...]:
    """Return the texts of the values that there are."""
    return tuple(text for value in values if (text := text_of(value)) is not None)


def indented(value: Json) -> str:
    """Return a value as JSON over several lines."""
    return _INDENTED.encode(value)
