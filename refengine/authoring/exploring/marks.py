"""What the words of an unfinished condition are: for colours, and for what may come next.

The parser gives up at the first thing that does not fit; while somebody types, nearly nothing fits yet. This
reader never fails: it tells of every word what it would be where it stands.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from refengine.condition.scanner import BARE_STRING
from refengine.condition.vocabulary import FIELD_VALUE, LIST_OPERATORS, MODIFIERS, OPERATORS, TRANSFORMERS


class Expected(Enum):
    """What may come next."""

    OPERAND = "a comparison, a macro or a bracket"
    OPERATOR = "an operator"
    VALUE = "a value"
    OPENING = "the bracket of a list"
    ITEM = "an item of a list"
    ARGUMENT = "an argument of a transformer"
    JOINT = "and, or, or the end"


class Kind(str, Enum):
    """What a word is."""

    FIELD = "field"
    MACRO = "macro"
    TRANSFORMER = "transformer"
    OPERATOR = "operator"
    JOINT = "joint"
    VALUE = "value"
    BRACKET = "bracket"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Situation:
    """What may come next, and what it would belong to: the left operand as it was written, and the operator."""

    expected: Expected = Expected.OPERAND
    left: str = ""
    operator: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A word from `start` to `end`, and the situation that it met."""

    kind: Kind
    start: int
    end: int
    met: Situation


_BLANKS = re.compile(r"\s*")
_OPERAND = re.compile(r"[A-Za-z][\w.]*(?:\[[^\]]*\]?)?")
_OPERATOR = re.compile(r"[<>=!]+|[A-Za-z]+")
_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*(?:\"|\\?$)|'(?:[^'\\]|\\.)*(?:'|\\?$)", re.DOTALL)
_ANYTHING = re.compile(r"[()]|[^()\s]+")

_PATTERNS: Mapping[Expected, tuple[re.Pattern[str], ...]] = MappingProxyType(
    {
        Expected.OPERAND: (_OPERAND,),
        Expected.OPERATOR: (_OPERATOR,),
        Expected.VALUE: (_QUOTED, BARE_STRING),
        Expected.OPENING: (_QUOTED, BARE_STRING),
        Expected.ITEM: (_QUOTED, BARE_STRING),
        Expected.ARGUMENT: (_QUOTED, _OPERAND, BARE_STRING),
        Expected.JOINT: (_OPERAND,),
    }
)


def marks(text: str, start: int = 0) -> tuple[tuple[Mark, ...], Situation]:
    """Return the words of the condition that begins at `start`, and what may come behind the last."""
    reader = _Reader(text, start)
    reader.run()
    return tuple(reader.found), reader.now


class _Reader:
    def __init__(self, text: str, start: int) -> None:
        self.found: list[Mark] = []
        self.now = Situation()
        self._text = text
        self._at = start
        self._open: list[tuple[str, int, Situation]] = []
        """The open brackets: what each is, where that began, and the situation behind its end."""

    def run(self) -> None:
        while True:
            blanks = _BLANKS.match(self._text, self._at)
            assert blanks is not None, "it matches the empty text"
            self._at = blanks.end()
            if self._at >= len(self._text):
                return
            self._take()

    def _take(self) -> None:
        character = self._text[self._at]
        if character == "(":
            self._bracket()
        elif character == ")":
            self._mark(Kind.BRACKET, self._at + 1)
            self.now = self._closed()
        elif character == ",":
            self._mark(Kind.OTHER, self._at + 1)
        else:
            for pattern in _PATTERNS[self.now.expected]:
                found = pattern.match(self._text, self._at)
                if found is not None and found.end() > self._at:
                    self._word(found[0], found.end())
                    return
            other = _ANYTHING.match(self._text, self._at)
            assert other is not None, "no blank stands here"
            self._mark(Kind.OTHER, other.end())

    def _mark(self, kind: Kind, end: int) -> None:
        self.found.append(Mark(kind, self._at, end, self.now))
        self._at = end

    def _bracket(self) -> None:
        start, now = self._at, self.now
        self._mark(Kind.BRACKET, start + 1)
        if now.expected in (Expected.OPENING, Expected.VALUE):
            self._open.append(("list", start, Situation(Expected.JOINT)))
            self.now = Situation(Expected.ITEM, now.left, now.operator)
        elif now.expected is Expected.ARGUMENT:
            self._open.append(("items", start, now))
        else:
            self._open.append(("group", start, Situation(Expected.JOINT)))
            self.now = Situation()

    def _closed(self) -> Situation:
        if not self._open:
            return Situation(Expected.JOINT)
        what, start, behind = self._open.pop()
        if what == "left":
            return Situation(Expected.OPERATOR, self._text[start : self._at])
        return behind

    def _word(self, word: str, end: int) -> None:
        expected = self.now.expected
        opens = self._text.startswith("(", end)
        if expected in (Expected.OPERAND, Expected.ARGUMENT) and word in TRANSFORMERS and opens:
            self._call("left" if expected is Expected.OPERAND else "inner", end)
        elif expected is Expected.OPERAND:
            self._operand(word, end)
        elif expected is Expected.ARGUMENT:
            self._mark(Kind.FIELD if "." in word and word[0].isalpha() else Kind.VALUE, end)
        elif expected is Expected.OPERATOR:
            self._mark(Kind.OPERATOR if word in OPERATORS else Kind.OTHER, end)
            self.now = _behind_operator(word, self.now)
        elif expected is Expected.JOINT:
            self._mark(Kind.JOINT if word in ("and", "or") else Kind.OTHER, end)
            self.now = Situation()
        elif expected is Expected.VALUE and opens and word in (FIELD_VALUE, *TRANSFORMERS):
            self._call("right", end)
        elif expected is Expected.VALUE and word in MODIFIERS:
            self._mark(Kind.OPERATOR, end)
            self.now = Situation(Expected.OPENING, self.now.left, self.now.operator)
        else:
            self._mark(Kind.VALUE, end)
            if expected is not Expected.ITEM:
                self.now = Situation(Expected.JOINT)

    def _operand(self, word: str, end: int) -> None:
        if word == "not":
            self._mark(Kind.JOINT, end)
        elif "." in word:
            self._mark(Kind.FIELD, end)
            self.now = Situation(Expected.OPERATOR, word)
        else:
            self._mark(Kind.MACRO, end)
            self.now = Situation(Expected.JOINT)

    def _call(self, what: str, end: int) -> None:
        start, now = self._at, self.now
        self._mark(Kind.TRANSFORMER, end)
        self._mark(Kind.BRACKET, end + 1)
        behind = now if what == "inner" else Situation(Expected.JOINT)
        self._open.append((what, start, behind))
        self.now = Situation(Expected.ARGUMENT)


def _behind_operator(word: str, now: Situation) -> Situation:
    if word == "exists":
        return Situation(Expected.JOINT)
    expected = Expected.OPENING if word in LIST_OPERATORS else Expected.VALUE
    return Situation(expected, now.left, word)
