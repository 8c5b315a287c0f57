"""Diagnostics as text: the message, the place, the source line and a caret below the fault."""

from __future__ import annotations

from refengine.errors import Diagnostic
from refengine.source import Place

WIDEST = 150
"""Characters of a source line that are shown at most; longer lines are cut around the fault."""

LONGEST_MESSAGE = 400
"""Characters of a message that are shown at most; what it quotes may be of any length."""


def render(diagnostic: Diagnostic) -> str:
    """Return the diagnostic over several lines, without a line end after the last.

    The form is stable, so that editors can parse it: `FILE:LINE:COLUMN: error: message [CODE]`.
    """
    severity = "error" if diagnostic.is_error else "warning"
    where = "" if diagnostic.place is None else f"{diagnostic.place}: "
    lines = [f"{where}{severity}: {_shortened(diagnostic.message)} [{diagnostic.code}]"]
    context = [f"{item.kind} '{item.name}'" for item in diagnostic.path if item.name]
    if context:
        lines.append(f"  in {', '.join(context)}")
    if diagnostic.place is not None:
        lines.extend(snippet(diagnostic.place))
    for note in diagnostic.notes:
        where = "" if note.place is None else f"{note.place}: "
        lines.append(f"  note: {where}{note.message}")
        if note.place is not None:
            lines.extend(snippet(note.place))
    if diagnostic.suggestion is not None:
        lines.append(f"  help: {diagnostic.suggestion}")
    return "\n".join(map(_printable, lines))


def snippet(place: Place) -> list[str]:
    """Return the line of `place` and a line of carets below it, cut to a readable width."""
    start, end = place.start, place.end
    line = place.source.line(start.line)
    last = end.column if end.line == start.line else len(line) + 1
    width = max(1, min(last, len(line) + 1) - start.column)
    column = start.column - 1
    left = max(0, column - WIDEST // 2) if len(line) > WIDEST else 0
    shown = line[left : left + WIDEST]
    prefix = "..." if left else ""
    suffix = "..." if left + WIDEST < len(line) else ""
    width = min(width, max(1, len(shown) - (column - left)))
    margin = f"  {start.line} | "
    before = "".join("\t" if character == "\t" else " " for character in shown[: column - left])
    return [
        f"{margin}{prefix}{shown}{suffix}",
        f"{' ' * (len(margin) - 2)}| {' ' * len(prefix)}{before}{'^' * width}",
    ]


def _shortened(message: str) -> str:
    """Return the message without its middle where it is too long to read."""
    if len(message) <= LONGEST_MESSAGE:
        return message
    half = LONGEST_MESSAGE // 2 - 2
    return f"{message[:half]}...{message[-half:]}"


def _printable(text: str) -> str:
    """Return `text` with every character that could disturb a terminal replaced by `?`, lengths kept."""
    return "".join(c if c.isprintable() or c == "\t" else "?" for c in text)
