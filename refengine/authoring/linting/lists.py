"""Checks of lists: items that are there twice, and values that look like a list that does not exist."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from refengine.authoring.explaining.provenance import items_of
from refengine.authoring.finding import Edit, Finding, Severity
from refengine.authoring.linting.subject import Subject
from refengine.condition.nodes import Comparison, Literal, LiteralList, walk
from refengine.errors import Note
from refengine.rulefile.yaml import Scalar, Sequence
from refengine.source import Place, Span


def duplicate_item(subject: Subject) -> Iterator[Finding]:
    """Yield items that a list has already."""
    for definition in subject.result.list_definitions:
        seen: dict[str, Place] = {}
        for item in definition.items:
            value = item.value
            place = item.place(Span(0, len(value)))
            first = seen.setdefault(value, place)
            if first is not place:
                yield Finding(
                    "duplicate-item",
                    Severity.WARNING,
                    f"list '{definition.name}' has '{value}' twice",
                    place,
                    (Note("it is here already", first),),
                    fix=_without(place),
                )


def misspelt_list(subject: Subject) -> Iterator[Finding]:
    """Yield values that look like the name of a list, where there is only one of nearly the same name."""
    names = {definition.name for definition in subject.result.list_definitions}
    for _, text, tree in subject.written_conditions():
        for node in walk(tree):
            if not isinstance(node, Comparison) or not isinstance(node.right, LiteralList):
                continue
            for item in node.right.items:
                near = _near(item, names)
                if near is not None:
                    yield Finding(
                        "misspelt-list",
                        Severity.WARNING,
                        f"'{item.value}' is a value here, since there is no list of that name",
                        text.place(item.span),
                        suggestion=f"did you mean '{near}'? Quotes say that it is a value",
                    )


def _near(item: Literal, names: set[str]) -> str | None:
    if item.quoted or "_" not in item.value or item.value in names:
        return None
    near = get_close_matches(item.value, names, 1, 0.9)
    return near[0] if near else None


def _without(place: Place) -> tuple[Edit, ...]:
    """Return the edit that takes an item of a list away."""
    source = place.source
    for mapping in items_of(source).values():
        items = mapping.by_key.get("items")
        if not isinstance(items, Sequence):
            continue
        for at, item in enumerate(items.items):
            if isinstance(item, Scalar) and item.span.start <= place.span.start < item.span.end:
                return _taken_out(items, at)
    return ()


def _taken_out(items: Sequence, at: int) -> tuple[Edit, ...]:
    source = items.source
    text = source.text
    span = items.items[at].span
    if text[items.span.start] == "[":
        if at == 0:
            return ()  # the first of a list is never its second
        return (Edit(source, Span(items.items[at - 1].span.end, span.end), ""),)
    start = text.rfind("\n", 0, span.start) + 1
    end = text.find("\n", span.end)
    end = len(text) if end < 0 else end + 1
    if text[start : span.start].strip() != "-":
        return ()
    return (Edit(source, Span(start, end), ""),)
