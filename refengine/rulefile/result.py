"""The outcome of validating rules files, as text and as JSON in the shape that Falco prints.

In the JSON, lines and columns count from 0.
"""

from __future__ import annotations

import json

from refengine.errors import Diagnostic, Item
from refengine.report import render
from refengine.rulefile.loader import FileResult, LoadResult
from refengine.source import Place, Source, Span

SNIPPET_WIDTH = 160
"""Characters of a line that the JSON shows at most."""


def validation_text(result: LoadResult) -> str:
    """Return, for each file, its verdict, and every error and warning with its place."""
    return "\n".join(_file_text(file) for file in result.files)


def validation_summary(file: FileResult) -> str:
    """Return the verdict on a file and the codes of what was found, in at most three lines."""
    lines = [f"{file.name}: {_verdict(file)}"]
    for found, what in ((file.errors, "errors"), (file.warnings, "warnings")):
        if found:
            codes = " ".join(f"{diagnostic.code} ({diagnostic.code.summary})" for diagnostic in found)
            lines.append(f" {len(found)} {what}: [{codes}]")
    return "\n".join(lines)


def validation_json(result: LoadResult) -> str:
    """Return the outcome as one line of JSON."""
    files = [
        {
            "name": file.name,
            "successful": file.successful,
            "errors": [_json(found, file.name) for found in file.errors],
            "warnings": [_json(found, file.name) for found in file.warnings],
        }
        for file in result.files
    ]
    return json.dumps({"falco_load_results": files}, sort_keys=True, separators=(",", ":"))


def _verdict(file: FileResult) -> str:
    if not file.successful:
        return "Invalid"
    return "Ok, with warnings" if file.warnings else "Ok"


def _file_text(file: FileResult) -> str:
    lines = [f"{file.name}: {_verdict(file)}"]
    for found, what in ((file.errors, "Errors"), (file.warnings, "Warnings")):
        if found:
            lines.append(f"{len(found)} {what}:")
            lines += [render(diagnostic) for diagnostic in found]
    return "\n".join(lines)


def _json(found: Diagnostic, file: str) -> dict[str, object]:
    return {
        "code": str(found.code),
        "codedesc": found.code.summary,
        "message": _message(found),
        "context": {
            "locations": [_location(item) for item in _path(found, file)],
            "snippet": _snippet(found.place),
        },
    }


def _message(found: Diagnostic) -> str:
    """Return the message with its notes and the suggestion, for which the shape has no room of their own."""
    parts = [found.message]
    for note in found.notes:
        where = "" if note.place is None else f" ({note.place})"
        parts.append(f"{note.message}{where}")
    if found.suggestion is not None:
        parts.append(found.suggestion)
    return "; ".join(parts)


def _path(found: Diagnostic, file: str) -> tuple[Item, ...]:
    """Return the way to the fault, its own place last; a fault of the file itself has none and gets one."""
    if found.path:
        last = found.path[-1].place
        if found.place is None or (last is not None and last.span.start == found.place.span.start):
            return found.path
        return (*found.path, Item("value for", "", found.place))
    if found.place is None:
        return (Item("rules content", "", Place(Source(file, ""), Span(0, 0))),)
    start = Place(found.place.source, Span(0, 0))
    return (Item("rules content", "", start), Item("value for", "", found.place))


def _location(item: Item) -> dict[str, object]:
    assert item.place is not None  # every context has places
    start = item.place.start
    is_expression = item.kind == "condition expression"
    return {
        "item_type": item.kind,
        "item_name": "" if is_expression else item.name,
        "position": {
            "name": f'"{item.name}"' if is_expression else item.place.source.name,
            "line": start.line - 1,
            "column": start.column - 1,
            "offset": start.offset,
        },
    }


def _snippet(place: Place | None) -> str:
    """Return the line of `place` around it and a caret below, each with its line end."""
    if place is None or not place.source.text:
        return "<No context available>\n"
    start = place.start
    line = place.source.line(start.line)
    column = start.column - 1
    left = max(0, column - SNIPPET_WIDTH // 2)
    shown = line[left : column + SNIPPET_WIDTH // 2]
    if left > 0:
        shown = f"...{shown[3:]}"
    if column + SNIPPET_WIDTH // 2 < len(line):
        shown = f"{shown[:-3]}..."
    return f"{shown}\n{' ' * (column - left)}^\n"
