"""Where the characters of a YAML scalar's value stand in the file.

A YAML parser gives the value and the place of the whole scalar; folding, indentation and escapes lie between
them. The pieces are found only when a message needs them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from refengine.source import Piece, Source, Span

_WORD = re.compile("[^ \t\r\n\x85\u2028\u2029]+")
"""Whitespace is all that differs between the value and what was written, save in quoted scalars."""

_PROPERTIES = re.compile("(?:[&!][^ \t\r\n]*[ \t\r\n]+)*")
"""An anchor and a tag may stand before a scalar and count as part of it."""

_FOLD = "[ \t]*(?:(?:\r\n|[\r\n\x85\u2028\u2029])[ \t]*)+"
_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
_DOUBLE_QUOTED = re.compile(
    r"(?P<joined>\\(?:\r\n|[\r\n\x85\u2028\u2029])[ \t]*)"
    r"|(?P<escape>\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.))"
    rf"|(?P<fold>{_FOLD})"
    "|(?P<plain>[^\\\\ \t\r\n\x85\u2028\u2029]+|[ \t]+)"
)
_SINGLE_QUOTED = re.compile(
    rf"(?P<escape>'')|(?P<fold>{_FOLD})|(?P<plain>[^' \t\r\n\x85\u2028\u2029]+|[ \t]+)"
)


def align(value: str, style: str | None, source: Source, span: Span) -> Sequence[Piece]:
    """Return the pieces of the value of the scalar that stands at `span`.

    A scalar that does not line up is one piece that is not verbatim: all of it maps to the whole scalar.
    """
    properties = _PROPERTIES.match(source.text, span.start, span.end)
    start = span.start if properties is None else properties.end()
    raw = source.text[start : span.end]
    if style in ('"', "'"):
        pattern = _DOUBLE_QUOTED if style == '"' else _SINGLE_QUOTED
        pieces = list(_quoted(raw, pattern, source, start))
        length = pieces[-1].start + pieces[-1].length if pieces else 0
        if length == len(value) and pieces:
            return pieces
    else:
        body = raw.find("\n") + 1 if style in ("|", ">") else 0
        words = list(zip(_WORD.finditer(value), _WORD.finditer(raw, body), strict=False))
        if words and all(word[0] == written[0] for word, written in words):
            return [
                Piece(word.start(), len(word[0]), source, start + written.start()) for word, written in words
            ]
    return (Piece(0, len(value), source, start, False, len(raw)),)


def _quoted(raw: str, pattern: re.Pattern[str], source: Source, offset: int) -> Iterator[Piece]:
    """Yield a piece for each stretch between the quotes of `raw`."""
    at = 0
    for token in pattern.finditer(raw, 1, len(raw) - 1):
        written = len(token[0])
        if token.lastgroup == "plain":
            yield Piece(at, written, source, offset + token.start())
            at += written
        elif token.lastgroup == "escape":
            yield Piece(at, 1, source, offset + token.start(), False, written)
            at += 1
        elif token.lastgroup == "fold":
            breaks = len(_BREAK.findall(token[0]))
            length = 1 if breaks == 1 else breaks - 1
            yield Piece(at, length, source, offset + token.start(), False, written)
            at += length
