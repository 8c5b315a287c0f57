"""Output templates: text with `%field` and `%transformer(...)` in it, parsed and checked.

The grammar is `grammar/template.ebnf`. What follows a `%` is the longest text that names something:
`%proc.names` is `%proc.name` followed by an `s`, and `%proc.name[%proc.pid]` has brackets of its own, since
`proc.name` takes no argument. There is no way to write a bare `%`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TypeAlias

from refengine.condition.nodes import FieldRef, Operand, TransformerCall
from refengine.condition.operand_parser import parse_operand
from refengine.condition.operands import OperandError, primary_field, type_operand
from refengine.condition.scanner import FIELD_NAME
from refengine.condition.typed import Transform
from refengine.errors import Code, ConditionError, Diagnostic, Phase, TemplateError
from refengine.fields.catalogue import CATALOGUE
from refengine.fields.reading import FieldRead, read_field
from refengine.fields.static import NO_STATIC_FIELDS, STATIC, StaticFields
from refengine.source import Span, Text

_WIDTH = re.compile("[0-9]+")
_WORD = re.compile(r"[A-Za-z0-9_.]+|.", re.DOTALL)

WIDEST = 10_000
"""The largest width that a field may be given: more is a slip, and would fill the log with blanks."""

LONGEST_NAME = 256
"""Characters of a name, an argument behind a dot included, up to which shorter readings of it are tried."""


@dataclass(frozen=True, slots=True)
class LiteralPart:
    """Text that stands for itself."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class FieldPart:
    """A value of the event.

    `key` is the text that names it, without `%` and width: the name that the value has among an alert's fields.
    `width` is the exact number of characters to print, None for as many as the value has. The span begins at
    the `%`.
    """

    operand: FieldRead | Transform
    key: str
    width: int | None
    span: Span


Part: TypeAlias = LiteralPart | FieldPart


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed template; `requires_all` is true where one absent field makes the whole output void."""

    text: Text
    parts: tuple[Part, ...]
    requires_all: bool

    @property
    def fields(self) -> tuple[FieldPart, ...]:
        """The parts that read the event, in order."""
        return tuple(part for part in self.parts if isinstance(part, FieldPart))


def parse_template(
    text: Text, source: str = "syscall", static_fields: StaticFields = NO_STATIC_FIELDS
) -> Template:
    """Return the template that `text` is, its fields those of the event source `source`.

    `static_fields` are the values of the fields `static.NAME`, by name: constants of the configuration.

    :raises TemplateError: with every fault of the text, each with its place.
    """
    value = text.value
    if not value:
        raise TemplateError([_fault(text, "the output is empty", Span(0, 0))])
    parts: list[Part] = []
    faults: list[Diagnostic] = []
    start = at = 1 if value[0] == "*" else 0
    while (percent := value.find("%", at)) >= 0:
        if percent > start:
            parts.append(LiteralPart(value[start:percent], Span(start, percent)))
        try:
            part = _field(text, percent, source, static_fields)
        except (TemplateError, ConditionError) as error:
            faults.extend(_as_output(diagnostic) for diagnostic in error.diagnostics)
            at = start = percent + 1
            continue
        parts.append(part)
        at = start = part.span.end
    if faults:
        raise TemplateError(faults)
    if start < len(value):
        parts.append(LiteralPart(value[start:], Span(start, len(value))))
    return Template(text, tuple(parts), value[0] != "*")


def _field(text: Text, percent: int, source: str, static_fields: StaticFields) -> FieldPart:
    value = text.value
    start = percent + 1
    width: int | None = None
    digits = _WIDTH.match(value, start)
    if digits is not None:
        start = digits.end()
        width = int(digits[0]) if len(digits[0]) < 6 else WIDEST + 1
        if width > WIDEST:
            raise TemplateError([_fault(text, f"the width is larger than {WIDEST}", Span(percent, start))])
    if start >= len(value):
        what = "a '%' with nothing behind it" if digits is None else "a width with no field behind it"
        raise TemplateError([_fault(text, f"the output ends with {what}", Span(percent, len(value)))])
    operand, end = _static(value, start, static_fields) or _longest(text, start, source, static_fields)
    return FieldPart(operand, value[start:end], width, Span(percent, end))


def _static(value: str, start: int, static_fields: StaticFields) -> tuple[FieldRead, int] | None:
    if not value.startswith(STATIC, start):
        return None
    begin = start + len(STATIC)
    named = [name for name in static_fields if value.startswith(name, begin)]
    if not named:
        return None
    name = max(named, key=len)
    return read_field(f"{STATIC}{name}", static_fields=static_fields), begin + len(name)


def _longest(
    text: Text, start: int, source: str, static_fields: StaticFields
) -> tuple[FieldRead | Transform, int]:
    """Return the longest operand at `start` that names something, and where it ends."""
    name = FIELD_NAME.match(text.value, start)
    try:
        written = parse_operand(text, start)
    except ConditionError:
        if name is None:
            raise
        written = None  # an unfinished bracket behind the name is text of its own
    if isinstance(written, TransformerCall):
        return _transformer(text, written, source, static_fields)
    if name is None:
        word = _WORD.match(text.value, start)
        assert word is not None
        message = f"expected a field or a transformer after '%', found '{word[0]}'"
        raise TemplateError([_fault(text, message, Span(start - 1, word.end()))])
    faults = []
    for candidate in chain(() if written is None else (written,), _names(text.value, start, name.end())):
        operand = _checked(candidate, text, source, static_fields)
        if not isinstance(operand, TemplateError):
            return operand, candidate.span.end
        faults.append(operand)
    raise faults[0]


def _checked(
    operand: Operand, text: Text, source: str, static_fields: StaticFields
) -> FieldRead | Transform | TemplateError:
    try:
        typed = type_operand(operand, source, static_fields)
    except OperandError as error:
        return TemplateError([_fault(text, str(error), error.span, error.suggestion)])
    field = primary_field(typed)
    if field is not None and "filter_only" in field.field.flags:
        message = f"field '{field.key}' can be compared in conditions but not printed"
        return TemplateError([_fault(text, message, operand.span)])
    return typed


def _transformer(
    text: Text, call: TransformerCall, source: str, static_fields: StaticFields
) -> tuple[FieldRead | Transform, int]:
    operand = _checked(call, text, source, static_fields)
    if not isinstance(operand, TemplateError):
        return operand, call.span.end
    if call.selector is None:
        raise operand
    end = text.value.rindex(")", call.span.start, call.span.end - len(call.selector)) + 1
    bare = TransformerCall(call.name, call.arguments, None, Span(call.span.start, end))
    operand = _checked(bare, text, source, static_fields)
    if isinstance(operand, TemplateError):
        raise operand
    return operand, end


def _names(value: str, start: int, end: int) -> Iterator[FieldRef]:
    """Yield the field names that begin at `start`: the one up to `end`, then those shorter ones that may exist."""
    yield FieldRef(value[start:end], None, Span(start, end))
    for stop in range(min(end, start + LONGEST_NAME), start, -1):
        if FIELD_NAME.fullmatch(value, start, stop) and _may_exist(value[start:stop]):
            yield FieldRef(value[start:stop], None, Span(start, stop))


def _may_exist(name: str) -> bool:
    """Return whether `name` is a field's, or a field's with an argument behind a dot."""
    return any(name[:at] in CATALOGUE for at in range(len(name), 0, -1) if name[at : at + 1] in ("", "."))


def _fault(text: Text, message: str, span: Span, suggestion: str | None = None) -> Diagnostic:
    return Diagnostic(Code.COMPILE_OUTPUT, Phase.OUTPUT, message, text.place(span), suggestion=suggestion)


def _as_output(found: Diagnostic) -> Diagnostic:
    return Diagnostic(
        Code.COMPILE_OUTPUT,
        Phase.OUTPUT,
        found.message,
        found.place,
        found.notes,
        found.suggestion,
        found.path,
    )
