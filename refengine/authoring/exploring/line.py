"""A line that was typed: the command in front and what comes behind it, with their places for messages."""

from __future__ import annotations

import re
from dataclasses import dataclass

from refengine.errors import Code, ConditionError, Diagnostic, Phase
from refengine.report import snippet
from refengine.source import Piece, Place, Source, Span, Text

TYPED = "typed"
"""What messages call the place of a line that was typed."""

_NUMBER = re.compile(r"[0-9]+(?=\s|$)")


class LineError(ConditionError):
    """A line that makes no sense as a command."""


@dataclass(frozen=True, slots=True)
class Argument:
    """A part of a line: its text, which knows where it stands in the line, without blanks around it."""

    text: Text
    source: Source
    start: int

    @classmethod
    def of(cls, source: Source, start: int, end: int) -> Argument:
        """Return the part of a line from `start` to `end`."""
        while start < end and source.text[start].isspace():
            start += 1
        while end > start and source.text[end - 1].isspace():
            end -= 1
        value = source.text[start:end]
        return cls(Text(value, lambda: (Piece(0, len(value), source, start),)), source, start)

    def before(self, offset: int) -> Argument:
        """Return what stands before an offset in the text."""
        return Argument.of(self.source, self.start, self.start + offset)

    def behind(self, offset: int) -> Argument:
        """Return what stands from an offset in the text on."""
        return Argument.of(self.source, self.start + offset, self.start + len(self.text.value))

    def fault(self, message: str, suggestion: str | None = None) -> LineError:
        """Return the error that says what is wrong with this part of the line."""
        span = Span(self.start, self.start + max(1, len(self.text.value)))
        place = Place(self.source, span)
        return LineError([Diagnostic(Code.VALIDATE, Phase.READ, message, place, suggestion=suggestion)])

    def require_none(self) -> None:
        """Return when nothing stands here.

        :raises LineError: otherwise.
        """
        if self.text.value:
            raise self.fault("nothing is expected here")

    def number(self, command: str) -> tuple[int, Argument]:
        """Return the number that stands here, and what comes behind it.

        :raises LineError: where there is none.
        """
        found = _NUMBER.match(self.text.value)
        if found is None:
            raise self.fault(f"'{command}' takes the number of an event, as in: {command} 1")
        return int(found[0]), self.behind(found.end())


def rendered(found: Diagnostic) -> str:
    """Return what was found in a line that was typed: the message, and the line with a caret below the place."""
    where = "" if found.place is None or found.place.source.name == TYPED else f"{found.place}: "
    lines = [f"{'error' if found.is_error else 'warning'}: {where}{found.message}"]
    lines += () if found.place is None else snippet(found.place)
    for note in found.notes:
        lines.append(f"  note: {'' if note.place is None else f'{note.place}: '}{note.message}")
    if found.suggestion is not None:
        lines.append(f"  help: {found.suggestion}")
    return "\n".join(lines)
