"""Events as text for people: tables of them, counts of their values, and one of them with all that it has."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from refengine.authoring.exploring.scope import Question
from refengine.authoring.exploring.table import Heading, cells, cut, table
from refengine.authoring.exploring.workspace import Workspace
from refengine.condition.event_types import event_types
from refengine.errors import UnsupportedFieldError
from refengine.event import Event, RecordedEvent
from refengine.event.document import DocumentEvent
from refengine.event.written import event_of
from refengine.fields.catalogue import CATALOGUE, K8S_AUDIT
from refengine.fields.readers import RecordedReader, SystemReader
from refengine.fields.reading import FieldError, FieldRead, read_field, read_key
from refengine.output.event_lines import EventLines
from refengine.output.render import text_writer
from refengine.output.times import clock
from refengine.values import Value

PAGE = 20
"""Rows of a table that are shown at once."""

_MICROSECONDS = len("HH:MM:SS.mmmuuu")
_NOT_SHOWN = ("evt.arg[", "evt.rawarg", "evt.plugininfo", "evt.outputtime", "util.")
"""Beginnings of fields that say again what others say, or nothing of the event."""


def selection_lines(at: Workspace) -> Iterator[str]:
    """Yield the next page of what is selected, and how many there are."""
    chosen = at.selection
    rows = chosen.rows[chosen.told : chosen.told + PAGE]
    if rows:
        fields = at.shown_fields(rows)
        at.columns.read(fields)
        timed = any(at.columns.times[row] for row in rows)
        headings = [Heading("number", True), *((Heading("time"),) if timed else ())]
        headings += (Heading(field.key) for field in fields)
        cells_of = [(_writer(field), at.columns.bind(field)) for field in fields]
        lines, shown = table(
            headings,
            [
                [
                    str(at.columns.numbers[row]),
                    *((_time(at.columns.times[row]),) if timed else ()),
                    *(write(read(row)) for write, read in cells_of),
                ]
                for row in rows
            ],
            at.width(),
            at.style,
        )
        yield from lines
        if shown < len(headings):
            yield at.style.dim(f"no room for {', '.join(heading.text for heading in headings[shown:])}")
    chosen.told += len(rows)
    yield at.style.dim(_told(at))


def _told(at: Workspace) -> str:
    chosen, total = at.selection, len(at.columns)
    left = len(chosen.rows) - chosen.told
    if not total:
        return "no events are loaded: load FILE brings some"
    if chosen.question is None:
        said = f"{counted(total)}"
    elif not chosen.rows:
        said = f"it holds for none of {counted(total)}{_why_none(at, chosen.question)}"
    else:
        said = f"it holds for {len(chosen.rows):,} of {counted(total)}"
    return f"… and {left:,} more (more shows them); {said}" if left else said


def _why_none(at: Workspace, question: Question) -> str:
    """Return what is the matter where no event is of the types that the condition asks for."""
    types = frozenset[str]().union(*map(event_types, question.conditions.values()))
    there = {name for _, name in at.columns.groups}
    if types & there or not types or "" in there:
        return ""
    named = ", ".join(sorted(types)[:4]) + (", …" if len(types) > 4 else "")
    return f", of which none has the type {named}: count evt.type tells which there are"


def count_lines(at: Workspace, fields: Sequence[FieldRead]) -> Iterator[str]:
    """Yield how many of the selected events have each value of a field, or each combination of several fields'."""
    at.columns.read(fields)
    reads = [at.columns.bind(field) for field in fields]
    rows = at.selection.rows
    counts: Counter[tuple[Value | None, ...]] = Counter(tuple(read(row) for read in reads) for row in rows)
    writes = [_writer(field) for field in fields]
    ranked = sorted(counts.items(), key=lambda item: -item[1])
    shown = [
        [f"{count:,}", *(write(value) or "-" for write, value in zip(writes, values, strict=True))]
        for values, count in ranked[:PAGE]
    ]
    headings = [Heading("events", True), *(Heading(field.key) for field in fields)]
    if shown:
        yield from table(headings, shown, at.width(), at.style)[0]
    what = "value" if len(fields) == 1 else "combination"
    left = len(ranked) - len(shown)
    told = f"{len(ranked):,} {what}{'' if len(ranked) == 1 else 's'} in {counted(len(rows))}"
    if at.selection.question is not None:
        told += f" for which {_shortened(at.selection.question.text.value)} holds"
    yield at.style.dim(f"… and {left:,} more; {told}" if left else told)


def event_lines(event: Event | RecordedEvent, pattern: str, at: Workspace) -> Iterator[str]:
    """Yield the fields that an event has, with their values; of them those with `pattern` in their name."""
    found = [(field.key, _writer(field)(value)) for field, value in _values(event)]
    pairs = [(key, text) for key, text in found if pattern in key]
    if not pairs:
        yield f"the event has no field with '{pattern}' in its name" if found else "the event has no fields"
        return
    name_width = min(max(cells(key) for key, _ in pairs), max(20, at.width() // 2))
    for key, text in pairs:
        name = cut(key, name_width)
        blanks = " " * (name_width - cells(name))
        yield f"{at.style.bold(name)}{blanks}  {cut(text, max(20, at.width() - name_width - 2))}"
    shown = "" if len(pairs) == len(found) else f"{len(pairs)} of "
    yield at.style.dim(f"{shown}{len(found)} fields; all others are absent")


def _values(event: Event | RecordedEvent) -> Iterator[tuple[FieldRead, Value]]:
    if isinstance(event, DocumentEvent):
        yield from _document_values(event)
        return
    # Events are written out for the backend that reads them by their fields: the same here.
    given = event if isinstance(event, RecordedEvent) else event_of(json.loads(EventLines().line(event)), 0)
    reader = RecordedReader()
    for key in sorted(given.values):
        base = key.partition("[")[0]
        if key.startswith(_NOT_SHOWN) or (base != key and base in given.values):
            continue
        try:
            field = read_key(key, given.source)
            value = reader.bind(field)(given)
        except (FieldError, ValueError):
            continue  # told of when it was loaded
        if value is not None:
            yield field, value


def _document_values(event: DocumentEvent) -> Iterator[tuple[FieldRead, Value]]:
    reader = SystemReader()
    for field in CATALOGUE.values():
        if field.argument_required or (field.sources and K8S_AUDIT not in field.sources):
            continue
        read = read_field(field.name, source=K8S_AUDIT)
        try:
            value = reader.bind(read)(event)
        except UnsupportedFieldError:
            continue
        if value is not None and field.name not in ("evt.plugininfo", "jevt.obj"):
            yield read, value


def _writer(field: FieldRead) -> Callable[[Value | None], str]:
    """Return the function that writes a value of a field, nothing where it is absent."""
    write = text_writer(field.type, field.field.format, is_list=field.is_list)
    return lambda value: "" if value is None else write(value)


def _time(nanoseconds: int) -> str:
    return clock(nanoseconds)[:_MICROSECONDS] if nanoseconds else ""


def counted(count: int) -> str:
    """Return so many events in words."""
    return f"{count:,} event{'' if count == 1 else 's'}"


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return f"'{text}'" if len(text) <= 60 else f"'{text[:59]}…'"
