"""Exceptions: what they must look like, and what they add to a rule's condition.

Each exception becomes a text behind the condition, ` and not (...)`. Its parts keep their places, so that a
message points at the field, the operator or the value that is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from refengine.condition.vocabulary import LIST_OPERATORS, MODIFIERS, OPERATORS, STRING_OPERATORS
from refengine.errors import Code, Diagnostic
from refengine.rulefile.definitions import Entry, ExceptionDefinition
from refengine.rulefile.lists import SIZE_LIMIT, needs_quotes
from refengine.source import Piece, Place, Span, Text

_BLANKS = " \t\n\r\f\v"


def with_defaults(
    exception: ExceptionDefinition, is_field: Callable[[str], bool], report: list[Diagnostic]
) -> ExceptionDefinition:
    """Return the exception with its operators filled in and trimmed; faults of its shape go to `report`."""

    def fault(message: str, entry: Entry | None = None, suggestion: str | None = None) -> None:
        place = None if entry is None or not entry.text.value else _whole(entry.text)
        report.append(
            exception.context.diagnostic(Code.VALIDATE, message, place=place, suggestion=suggestion)
        )

    fields, comps = exception.fields, _trimmed(exception.comps)
    if not fields.is_given:
        fault("this exception has no 'fields': give a field, or a list of fields")
        return exception
    glue = _Glue(exception.context.place)
    if fields.is_list:
        if not comps.is_given:
            comps = Entry(comps.text, tuple(Entry(glue("=")) for _ in fields.items), is_list=True)
        if len(fields.items) != len(comps.items):
            fault(f"'fields' has {_count(fields.items)}, but 'comps' has {_count(comps.items)}")
        for comp in comps.items:
            if comp.text.value not in OPERATORS and not _is_modified(comp.text.value):
                fault(
                    f"'{comp.text.value}' is no comparison operator",
                    comp,
                    f"the operators are: {', '.join(OPERATORS)}",
                )
    else:
        if not comps.is_given:
            comps = Entry(glue("in"))
        if comps.is_list:
            fault("'fields' is a single field, so 'comps' must be a single operator, not a list")
        elif not _takes_list(comps):
            fault(
                f"'{comps.text.value}' cannot compare a single field with a list of values",
                comps,
                f"use {', '.join(LIST_OPERATORS)} or an operator with a modifier, as in 'startswith anyof'",
            )
    for field in fields.items if fields.is_list else (fields,):
        if not is_field(field.text.value):
            fault(f"there is no field '{field.text.value}'", field)
    return replace(exception, comps=comps)


def with_exceptions(
    condition: Text, exceptions: Iterable[ExceptionDefinition], report: list[Diagnostic]
) -> Text:
    """Return the condition with what the exceptions add; values that do not fit go to `report`."""
    parts: list[Text] = []
    length = len(condition.value)
    for exception in exceptions:
        if exception.values:
            glue = _Glue(exception.context.place)
            write = _tuples if exception.fields.is_list else _flat
            parts.append(glue(" and not ("))
            for part in write(exception, glue, report):
                parts.append(part)
                length += len(part.value)
                if length > SIZE_LIMIT:
                    message = f"the values make the condition longer than {SIZE_LIMIT} characters"
                    report.append(exception.context.diagnostic(Code.VALIDATE, message))
                    return condition
            parts.append(glue(")"))
    if not parts:
        return condition
    glue = _Glue(condition.place(Span(0, 1)))
    return Text.joined((glue("("), condition, glue(")"), *parts), separator="")


class _Writer(Protocol):
    def __call__(self, value: str) -> Text: ...


@dataclass(frozen=True, slots=True)
class _Glue:
    """Makes texts that nobody wrote; a message on them shows what they were made for."""

    place: Place

    def __call__(self, value: str) -> Text:
        span = self.place.span
        piece = Piece(0, len(value), self.place.source, span.start, False, span.end - span.start)
        return Text(value, lambda: (piece,))


def _flat(exception: ExceptionDefinition, glue: _Writer, report: list[Diagnostic]) -> Iterator[Text]:
    """Yield the parts of `field operator (value, ...)`."""
    yield from (exception.fields.text, glue(" "), exception.comps.text, glue(" ("))
    comma = glue(", ")
    for number, value in enumerate(exception.values):
        if value.is_list:
            report.append(
                exception.context.diagnostic(
                    Code.VALIDATE,
                    "'fields' is a single field, so each of 'values' must be a single value, not a list",
                )
            )
        if number:
            yield comma
        yield from _quoted(value, glue)
    yield glue(")")


def _tuples(exception: ExceptionDefinition, glue: _Writer, report: list[Diagnostic]) -> Iterator[Text]:
    """Yield the parts of `(field operator value and ...) or (...)`."""
    fields, comps = exception.fields.items, exception.comps.items
    for number, values in enumerate(exception.values):
        if len(values.items) != len(fields):
            place = _first_place(values)
            report.append(
                exception.context.diagnostic(
                    Code.VALIDATE,
                    f"'fields' has {_count(fields)}, but this entry of 'values' has {_count(values.items)}",
                    place=place,
                )
            )
            continue
        yield glue(" or (" if number else "(")
        for at, (field, comp, value) in enumerate(zip(fields, comps, values.items, strict=False)):
            yield from (glue(" and " if at else " "), field.text, glue(" "), comp.text, glue(" "))
            place = _first_place(value)
            yield from _value(value, comp, glue if place is None else _Glue(place))
        yield glue(")")


def _value(value: Entry, comp: Entry, glue: _Writer) -> Iterator[Text]:
    """Yield the parts of what stands right of one operator."""
    if value.is_list:
        yield glue("(")
        comma = glue(", ")
        written = False
        for item in value.items:
            if written:
                yield comma
            yield from _quoted(item, glue)
            written = written or item.text.value != ""
        yield glue(")")
    elif _takes_list(comp):
        bracketed = value.text.value.startswith("(")
        yield from (value.text,) if bracketed else (glue("("), value.text, glue(")"))
    else:
        yield from _quoted(value, glue)


def _quoted(entry: Entry, glue: _Writer) -> Iterator[Text]:
    if needs_quotes(entry.text.value):
        yield from (glue('"'), entry.text, glue('"'))
    elif entry.text.value:
        yield entry.text


def _takes_list(comp: Entry) -> bool:
    return comp.text.value in LIST_OPERATORS or _is_modified(comp.text.value)


def _is_modified(comp: str) -> bool:
    """Return whether `comp` is an operator with a modifier, as in `startswith anyof`."""
    words = comp.split()
    return len(words) == 2 and words[0] in STRING_OPERATORS and words[1] in MODIFIERS


def _trimmed(entry: Entry) -> Entry:
    """Return the entry without blanks at the ends of its texts."""
    value = entry.text.value
    start = len(value) - len(value.lstrip(_BLANKS))
    end = max(start, len(value.rstrip(_BLANKS)))
    text = entry.text
    if start or end < len(value):
        text = text.substituted([(0, start, ""), (end, len(value), "")])
    return replace(entry, text=text, items=tuple(_trimmed(item) for item in entry.items))


def _whole(text: Text) -> Place:
    return text.place(Span(0, len(text.value)))


def _first_place(entry: Entry) -> Place | None:
    """Return where the first text in the entry stands."""
    if entry.text.value:
        return _whole(entry.text)
    return next((place for item in entry.items if (place := _first_place(item)) is not None), None)


def _count(entries: tuple[Entry, ...]) -> str:
    return f"{len(entries)} item{'' if len(entries) == 1 else 's'}"
