"""`--list`: the fields that rules may use."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable

from refengine.cli.field_classes import SOURCES, FieldClass, field_classes
from refengine.cli.request import Request
from refengine.errors import UsageError
from refengine.fields.catalogue import Field
from refengine.fields.registry import extractor_of
from refengine.fields.static import NO_STATIC_FIELDS

_COLUMN = 30
_WIDTH = 110
_RULER = "-" * 31

_TAGS = {
    "filter_only": "FILTER ONLY",
    "print_only": "OUTPUT ONLY",
    "is_list": "LIST",
    "deprecated": "DEPRECATED",
    "no_rhs": "NO VAL()",
    "no_transformer": "NO TRANSFORMERS",
    "arg_required": "ARGUMENT REQUIRED",
    "arg_allowed": "ARGUMENT ALLOWED",
}
"""Flags of fields that a rule's author must know, as listings show them."""


def run(request: Request) -> int:
    """Print the fields in the form asked for.

    :raises UsageError: for an event source that is not known.
    """
    options = request.options
    source = options.list_source or ""
    if source and source not in SOURCES:
        raise UsageError(f"unknown event source '{source}': there are {', '.join(SOURCES)}")
    static_fields = request.configuration.static_fields if request.is_configured else NO_STATIC_FIELDS
    classes = field_classes(source, static_fields)
    if options.format == "json":
        print(as_json(classes, names_only=options.names_only))
    elif options.names_only:
        print("\n".join(names(classes)))
    elif options.format == "markdown":
        print(as_markdown(classes))
    else:
        print(as_text(classes))
    return 0


def names(classes: Iterable[FieldClass]) -> list[str]:
    """Return the names of all fields of the classes, each once."""
    return list(dict.fromkeys(field.name for each in classes for field in each.fields))


def as_text(classes: Iterable[FieldClass]) -> str:
    """Return the classes as blocks, each field on a line of its own or several."""
    lines: list[str] = []
    for each in classes:
        lines.append(_RULER)
        lines.extend(_entry("Field Class:", each.name))
        lines.extend(_entry("Description:", each.description))
        lines.extend(_entry("Event Sources:", ", ".join(each.sources)))
        lines.append("")
        for field in each.fields:
            tags = ", ".join(tags_of(field))
            about = f"(Type: {field.type.value.upper()})"
            about += f" (Tags: {tags})" if tags else ""
            about += f" {field.description}" if field.description else ""
            lines.extend(_entry(field.name, about))
        lines.append("")
    return "\n".join(lines).rstrip("\n")


def as_markdown(classes: Iterable[FieldClass]) -> str:
    """Return the classes as sections with a table each."""
    lines: list[str] = []
    for each in classes:
        lines += [f"## Field Class: {each.name}", "", each.description, ""]
        lines += [f"Event Sources: {', '.join(each.sources)}", ""]
        lines += ["Name | Type | Tags | Description", ":----|:-----|:-----|:-----------"]
        lines += [
            f"`{field.name}` | {field.type.value.upper()} | {', '.join(tags_of(field))} | "
            f"{field.description.replace('|', '&#124;')}".rstrip()
            for field in each.fields
        ]
        lines.append("")
    return "\n".join(lines).rstrip("\n")


def as_json(classes: Iterable[FieldClass], *, names_only: bool) -> str:
    """Return the classes, or the names alone, as one JSON document."""
    document: dict[str, object]
    if names_only:
        document = {"fieldnames": names(classes)}
    else:
        document = {
            "fieldclasses": [
                {
                    "name": each.name,
                    "desc": each.description,
                    "event_sources": list(each.sources),
                    "fields": [_field_record(field) for field in each.fields],
                }
                for each in classes
            ]
        }
    return json.dumps(document, indent=2)


def tags_of(field: Field) -> list[str]:
    """Return what an author must know of a field beside its type, as the words that listings use."""
    tags = [word for flag, word in _TAGS.items() if flag in field.flags]
    readable = field.field_class == "static" or extractor_of(field.name) is not None
    return tags if readable else [*tags, "NOT READ FROM EVENTS YET"]


def _field_record(field: Field) -> dict[str, object]:
    record: dict[str, object] = {
        "name": field.name,
        "type": field.type.value.upper(),
        "desc": field.description,
        "is_list": field.is_list,
        "argument": None,
    }
    if field.is_deprecated:
        record["is_deprecated"] = True
    if field.argument_allowed:
        kinds = [kind for flag, kind in (("arg_index", "INDEX"), ("arg_key", "KEY")) if flag in field.flags]
        record["argument"] = {"required": field.argument_required, "type": kinds}
    return record


def _entry(name: str, about: str) -> list[str]:
    """Return the name in the left column and the text in the right one, over as many lines as it needs."""
    lines = textwrap.wrap(about, _WIDTH - _COLUMN) or [""]
    indented = [f"{'':<{_COLUMN}}{line}".rstrip() for line in lines]
    if len(name) >= _COLUMN:
        return [name, *indented]
    return [f"{name}{indented[0][len(name) :]}", *indented[1:]]
