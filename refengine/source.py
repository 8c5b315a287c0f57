"""Texts, places in them, and spans.

Every value that the language reads is a piece of some file. A `Source` is a whole file; a `Text` is a string
that was taken out of one or more sources (a YAML scalar, an appended condition, a condition after list
substitution) and still knows, character by character, where each part came from. Messages are always
shown against the source, never against the intermediate text.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple


class Position(NamedTuple):
    """A line and a column, both counted from 1, and the offset in characters, counted from 0."""

    line: int
    column: int
    offset: int


@dataclass(frozen=True, slots=True)
class Span:
    """The half-open range of character offsets `[start, end)` in a text."""

    start: int
    end: int

    def to(self, other: Span) -> Span:
        """Return the span from the start of this one to the end of `other`."""
        return Span(self.start, other.end)


@dataclass(frozen=True, eq=False)
class Source:
    """A whole text that somebody wrote, with the name to show for it (a path, or `<condition>`)."""

    name: str
    text: str

    @cached_property
    def _line_starts(self) -> list[int]:
        starts = [0]
        find = self.text.find
        at = find("\n")
        while at >= 0:
            starts.append(at + 1)
            at = find("\n", at + 1)
        return starts

    def position(self, offset: int) -> Position:
        """Return the line and column of a character offset; an offset past the end is the end."""
        offset = max(0, min(offset, len(self.text)))
        line = bisect_right(self._line_starts, offset)
        return Position(line, offset - self._line_starts[line - 1] + 1, offset)

    def line(self, number: int) -> str:
        """Return line `number` (from 1) without its line end."""
        start = self._line_starts[number - 1]
        end = self._line_starts[number] - 1 if number < len(self._line_starts) else len(self.text)
        return self.text[start:end].rstrip("\r")


@dataclass(frozen=True, slots=True)
class Place:
    """A span of characters of one source."""

    source: Source
    span: Span

    @property
    def start(self) -> Position:
        """The position of the first character."""
        return self.source.position(self.span.start)

    @property
    def end(self) -> Position:
        """The position after the last character."""
        return self.source.position(self.span.end)

    def __str__(self) -> str:
        start = self.start
        return f"{self.source.name}:{start.line}:{start.column}"


class Piece(NamedTuple):
    """`length` characters of a text, from `start`, that stand in `source` from `offset` on.

    A piece that is not `verbatim` was put in place of a single stretch of the source (a list name that was
    replaced by its items, say): all of it maps to that stretch.
    """

    start: int
    length: int
    source: Source
    offset: int
    verbatim: bool = True
    origin_length: int = 1


@dataclass(frozen=True, eq=False)
class Text:
    """A string that knows where its characters came from.

    The pieces are found when a message first needs them (`trace`), since nearly no text is ever complained of.
    """

    value: str
    trace: Callable[[], Sequence[Piece]] = field(repr=False)

    @classmethod
    def whole(cls, source: Source) -> Text:
        """Return the text that is all of `source`."""
        return cls(source.text, lambda: (Piece(0, len(source.text), source, 0),))

    @classmethod
    def of(cls, value: str, name: str = "<condition>") -> Text:
        """Return a text that stands for itself, under a name to show in messages."""
        return cls.whole(Source(name, value))

    @classmethod
    def joined(cls, parts: Iterable[Text], separator: str = " ") -> Text:
        """Return the texts one after another with `separator` between them, each keeping its origin."""
        parts = tuple(parts)
        value = separator.join(part.value for part in parts)

        def trace() -> Sequence[Piece]:
            pieces: list[Piece] = []
            start = 0
            for part in parts:
                pieces.extend(_shifted(piece, start) for piece in part.pieces)
                start += len(part.value) + len(separator)
            return pieces

        return cls(value, trace)

    @cached_property
    def pieces(self) -> Sequence[Piece]:
        """The pieces in order; characters between two pieces belong to the end of the former."""
        return self.trace()

    def substituted(self, edits: Sequence[tuple[int, int, str]]) -> Text:
        """Return this text with each `(start, end, replacement)` applied; edits are ordered and disjoint.

        A replacement maps to the characters that it replaced.
        """
        out: list[str] = []
        at = 0
        for start, end, replacement in edits:
            out += (self.value[at:start], replacement)
            at = end
        out.append(self.value[at:])

        def trace() -> Sequence[Piece]:
            pieces: list[Piece] = []
            source_at = target_at = 0
            for start, end, replacement in edits:
                pieces.extend(_shifted(piece, target_at - source_at) for piece in self._cut(source_at, start))
                target_at += start - source_at
                place = self.place(Span(start, end))
                pieces.append(
                    Piece(
                        target_at,
                        len(replacement),
                        place.source,
                        place.span.start,
                        False,
                        place.span.end - place.span.start,
                    )
                )
                target_at += len(replacement)
                source_at = end
            pieces.extend(
                _shifted(piece, target_at - source_at) for piece in self._cut(source_at, len(self.value))
            )
            return pieces

        return Text("".join(out), trace)

    def place(self, span: Span) -> Place:
        """Return where the characters of `span` stand in the source of the first of them."""
        source, start, _ = self._origin(span.start)
        last_source, last, stretch = self._origin(max(span.end - 1, span.start))
        end = last + (stretch if span.end > span.start else 0)
        if last_source is not source or end < start:
            end = start + 1
        return Place(source, Span(start, end))

    def _origin(self, offset: int) -> tuple[Source, int, int]:
        """Return the source, the offset in it and the length of the stretch that character `offset` maps to."""
        pieces = self.pieces
        at = max(0, bisect_right(pieces, offset, key=lambda piece: piece.start) - 1)
        piece = pieces[at]
        within = offset - piece.start
        if not piece.verbatim and within < piece.length:
            return piece.source, piece.offset, piece.origin_length
        extent = piece.length if piece.verbatim else piece.origin_length
        return piece.source, piece.offset + min(within, extent), 1

    def _cut(self, start: int, end: int) -> Iterable[Piece]:
        for piece in self.pieces:
            low, high = max(start, piece.start), min(end, piece.start + piece.length)
            if low < high:
                skipped = low - piece.start if piece.verbatim else 0
                yield Piece(
                    low, high - low, piece.source, piece.offset + skipped, piece.verbatim, piece.origin_length
                )


def _shifted(piece: Piece, by: int) -> Piece:
    return Piece(
        piece.start + by, piece.length, piece.source, piece.offset, piece.verbatim, piece.origin_length
    )
