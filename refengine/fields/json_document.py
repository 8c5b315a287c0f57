"""The event as a JSON document (`json.*`, and `jevt.*`, which are older names of the same)."""

from __future__ import annotations

from collections.abc import Mapping

from refengine.event import Event
from refengine.fields.extractor import Extract, Extractor, plain
from refengine.fields.json_values import document_of, find, indented, text_of


def value(argument: str | None) -> Extract:
    """`json.value`: what a JSON pointer (RFC 6901) points at; its first slash may be left out."""
    path = pointer_path(argument or "")
    return lambda event: text_of(find(document_of(event), path))


def pointer_path(pointer: str) -> tuple[str, ...]:
    """Return the keys that a JSON pointer names; none for the empty one, which points at the whole document."""
    if not pointer:
        return ()
    keys = pointer.removeprefix("/").split("/")
    return tuple(key.replace("~1", "/").replace("~0", "~") for key in keys)


def whole(event: Event) -> str | None:
    """`json.obj`: the document, over several lines."""
    document = document_of(event)
    return indented(document) if document else None


def raw_time(event: Event) -> str:
    """`json.rawtime`: nanoseconds since the epoch, as text."""
    return str(event.time)


EXTRACTORS: Mapping[str, Extractor] = {
    f"{prefix}.{name}": extractor
    for prefix in ("json", "jevt")
    for name, extractor in (
        ("value", Extractor(value)),
        ("obj", plain(whole)),
        ("rawtime", plain(raw_time)),
    )
}
