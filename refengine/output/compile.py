"""Templates as functions: what can be decided once is decided once, and each value is read once an event."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

from refengine.condition.typed import Transform
from refengine.event import Event, RecordedEvent
from refengine.fields.reading import FieldRead
from refengine.output.render import ABSENT, JsonValue, buffer_base64, buffer_text, json_writer, text_writer
from refengine.output.template import FieldPart, LiteralPart, Template
from refengine.output.times import TIME_FIELDS
from refengine.values import Format, Value

Observed: TypeAlias = Event | RecordedEvent
Read: TypeAlias = Callable[[Observed], "Value | None"]
"""Reads a value of an event, None where it is absent."""

Bind: TypeAlias = Callable[["FieldRead | Transform"], Read]
"""Gives the function that reads a field or a transformed field."""


class Filled(NamedTuple):
    """A template filled in for one event: its text, and the values of its fields by the text naming them."""

    text: str
    fields: Mapping[str, JsonValue]


Fill: TypeAlias = Callable[[Observed], "Filled | None"]
"""Fills a template in; None where it asks for values that are absent."""

_Text: TypeAlias = "Callable[[Value | None], str]"
_Json: TypeAlias = "Callable[[Observed, Value | None], JsonValue]"


def compile_template(template: Template, bind: Bind, *, base64_buffers: bool = False) -> Fill:
    """Return the function that fills `template` in.

    Values of transformers are written into the text but are not among the fields.
    """
    literals, parts = _alternate(template)
    reads: list[Read] = []
    slots: list[int] = []
    position: dict[str, int] = {}
    for part in parts:
        if part.key not in position:
            position[part.key] = len(reads)
            reads.append(bind(part.operand))
        slots.append(position[part.key])
    texts = [_text(part, base64_buffers) for part in parts]
    first = {part.key: part for part in reversed(parts)}
    fields = [
        (key, slot, _json(first[key], base64_buffers))
        for key, slot in position.items()
        if not isinstance(first[key].operand, Transform)
    ]
    pieces = list(zip(slots, texts, literals[1:], strict=True))
    beginning = literals[0]
    requires_all = template.requires_all

    def fill(event: Observed) -> Filled | None:
        values = [read(event) for read in reads]
        if requires_all and None in values:
            return None
        out = [beginning]
        for slot, text, literal in pieces:
            out.append(text(values[slot]))
            out.append(literal)
        return Filled("".join(out), {key: to_json(event, values[slot]) for key, slot, to_json in fields})

    return fill


def _alternate(template: Template) -> tuple[list[str], list[FieldPart]]:
    """Return the texts before, between and behind the fields, one more than there are fields, and the fields."""
    literals = [""]
    parts: list[FieldPart] = []
    for part in template.parts:
        if isinstance(part, LiteralPart):
            literals[-1] += part.text
        else:
            parts.append(part)
            literals.append("")
    return literals, parts


def _format(part: FieldPart) -> Format:
    """Return the print format: the field's, which a transformer that keeps the field's type keeps as well."""
    operand = part.operand
    return operand.field.format if isinstance(operand, FieldRead) else Format.NA


def _text(part: FieldPart, base64_buffers: bool) -> _Text:
    buffers = buffer_base64 if base64_buffers else buffer_text
    write = text_writer(part.operand.type, _format(part), is_list=part.operand.is_list, buffers=buffers)
    width = part.width
    if width is None:
        return lambda value: ABSENT if value is None else write(value)
    return lambda value: (ABSENT if value is None else write(value))[:width].ljust(width)


def _json(part: FieldPart, base64_buffers: bool) -> _Json:
    operand = part.operand
    if isinstance(operand, FieldRead) and operand.field.name in TIME_FIELDS:
        return lambda event, value: None if value is None else event.time
    buffers = buffer_base64 if base64_buffers else buffer_text
    write = json_writer(operand.type, _format(part), is_list=operand.is_list, buffers=buffers)
    return lambda _event, value: None if value is None else write(value)
