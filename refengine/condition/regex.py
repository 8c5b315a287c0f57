"""Regular expressions with the meaning of RE2's POSIX syntax, matched against the whole value.

The pattern is read by our own small parser, which refuses what that syntax lacks (back-references, look-around,
Perl's classes, lazy quantifiers, inline flags). What passes is matched by google-re2 where that is installed,
else by an automaton of our own; both take time linear in the value. They give the same answers, since a match of
the whole value does not depend on which alternative is preferred.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from refengine.condition.automaton import Automaton, Either, Expression, LineEdge, One, Repeated, Sequence
from refengine.condition.bytewise import to_bytes

MAX_REPEAT = 1000
"""Largest count in `{n,m}`, and largest product of nested counts."""

_CLASSES = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "ascii": "\\x00-\\x7f",
    "blank": "\\t ",
    "cntrl": "\\x00-\\x1f\\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": "!-/:-@\\[-`{-~",
    "space": "\\t\\n\\x0b\\x0c\\r ",
    "upper": "A-Z",
    "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}
_NAMED = {"a": "\x07", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_QUANTIFIERS: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
_COUNT = re.compile(r"\{([0-9]+)(,([0-9]*))?\}")
_ASIDE = "RE2's POSIX syntax, which conditions use, has no "


class RegexError(ValueError):
    """A pattern that RE2's POSIX syntax does not have; `offset` is where in the pattern."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


class Regex:
    """A pattern, ready to match."""

    __slots__ = ("_match", "pattern")

    def __init__(self, pattern: str) -> None:
        """Read the pattern.

        :raises RegexError: when it is not of the syntax.
        """
        self.pattern = pattern
        self._match = _engine(pattern, _Reader(pattern).expression())

    def matches(self, value: str) -> bool:
        """Return whether the pattern matches all of `value`; bytes that are no UTF-8 count as U+FFFD."""
        if not value.isascii():
            value = to_bytes(value).decode("utf-8", "replace")
        return self._match(value)

    def __repr__(self) -> str:
        return f"Regex({self.pattern!r})"


def _engine(pattern: str, expression: Expression) -> Callable[[str], bool]:
    try:
        import re2  # takes a while to load, and most rules have no expression
    except ImportError:
        return Automaton(expression).matches
    options = re2.Options()
    options.posix_syntax = True
    options.longest_match = True
    options.log_errors = False
    try:
        full = re2.compile(pattern, options).fullmatch
    except re2.error as error:
        raise RegexError(str(error), 0) from None
    return lambda value: full(value) is not None


class _Reader:
    """One reading of a pattern: checks the syntax and gives the expression."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0

    def expression(self) -> Expression:
        """Return the expression of the whole pattern."""
        found, _ = self._alternatives()
        if self._at < len(self._pattern):
            raise RegexError("this ')' closes nothing", self._at)
        return found

    def _peek(self) -> str:
        return self._pattern[self._at : self._at + 1]

    def _alternatives(self) -> tuple[Expression, int]:
        """Read branches; return what they are and the largest product of nested counts in them."""
        branch, repeats = self._sequence()
        branches = [branch]
        while self._peek() == "|":
            self._at += 1
            branch, more = self._sequence()
            branches.append(branch)
            repeats = max(repeats, more)
        return (branches[0] if len(branches) == 1 else Either(tuple(branches))), repeats

    def _sequence(self) -> tuple[Expression, int]:
        parts: list[Expression] = []
        most = 1
        while (character := self._peek()) and character not in "|)":
            part, repeats = self._atom()
            while (operator := self._peek()) and operator in "*+?{":
                quantifier = self._quantifier(repeats)
                if quantifier is None:
                    break
                (low, high), repeats = quantifier
                part = Repeated(part, low, high)
            parts.append(part)
            most = max(most, repeats)
        return Sequence(tuple(parts)), most

    def _quantifier(self, repeats: int) -> tuple[tuple[int, int | None], int] | None:
        operator = self._peek()
        if operator != "{":
            self._at += 1
            return _QUANTIFIERS[operator], repeats
        found = _COUNT.match(self._pattern, self._at)
        if found is None:
            return None  # a brace that counts nothing stands for itself
        low = int(found[1])
        high = low if not found[2] else int(found[3]) if found[3] else None
        product = repeats * max(low, high or 0, 1)
        if product > MAX_REPEAT or (high is not None and high < low):
            raise RegexError(f"invalid repetition {found[0]}: counts go up to {MAX_REPEAT}", self._at)
        self._at = found.end()
        return (low, high), product

    def _atom(self) -> tuple[Expression, int]:
        character = self._peek()
        start = self._at
        self._at += 1
        if character == "(":
            if self._peek() == "?":
                raise RegexError(f"{_ASIDE}(?...) groups", start)
            inner, repeats = self._alternatives()
            if self._peek() != ")":
                raise RegexError("this '(' is never closed", start)
            self._at += 1
            return inner, repeats
        if character == "[":
            return One(self._class(start)), 1
        if character in "*+?" or _COUNT.match(self._pattern, start):
            raise RegexError(f"'{character}' repeats nothing", start)
        if character == "\\":
            return One(re.escape(self._escape(start))), 1
        if character in "^$":
            return LineEdge(character == "^"), 1
        return One(character if character == "." else re.escape(character)), 1

    def _escape(self, start: int) -> str:
        character = self._peek()
        if not character:
            raise RegexError("a backslash at the end escapes nothing", start)
        self._at += 1
        if not character.isascii():
            raise RegexError(f"invalid escape \\{character}", start)
        if not character.isalnum():
            return character
        if character in _NAMED:
            return _NAMED[character]
        if character == "x":
            return self._hexadecimal(start)
        digits = "01234567"
        if character == "0" or (character in digits and self._peek() and self._peek() in digits):
            octal = character
            while len(octal) < 3 and self._peek() and self._peek() in digits:
                octal += self._peek()
                self._at += 1
            return chr(int(octal, 8))
        if character.isdigit():
            raise RegexError(f"{_ASIDE}back-references", start)
        if character in "dDsSwW":
            raise RegexError(f"{_ASIDE}\\{character}; write a class such as [0-9] or [[:space:]]", start)
        raise RegexError(f"invalid escape \\{character}", start)

    def _hexadecimal(self, start: int) -> str:
        found = re.compile(r"\{([0-9A-Fa-f]+)\}|([0-9A-Fa-f]{2})").match(self._pattern, self._at)
        if found is None or int(found[1] or found[2], 16) > 0x10FFFF:
            raise RegexError(
                "invalid \\x escape: two hexadecimal digits, or some in braces, are needed", start
            )
        self._at = found.end()
        return chr(int(found[1] or found[2], 16))

    def _class(self, start: int) -> str:
        negated = self._peek() == "^"
        if negated:
            self._at += 1
        parts: list[str] = []
        first = True
        while first or self._peek() != "]":
            if not self._peek():
                raise RegexError("this '[' is never closed", start)
            first_here, first = first, False
            if self._pattern.startswith("[:", self._at):
                close = self._pattern.find(":]", self._at + 2)
                if close >= 0:
                    parts.append(self._named_class(close))
                    continue
            at = self._at
            if self._peek() == "-" and not first_here and self._pattern[self._at + 1 : self._at + 2] != "]":
                raise RegexError("'-' in a class stands first, last, or between two ends", at)
            low = self._class_member()
            if self._peek() == "-" and self._pattern[self._at + 1 : self._at + 2] not in ("]", ""):
                self._at += 1
                high = self._class_member()
                if high < low:
                    raise RegexError(f"the range {low}-{high} is upside down", at)
                parts.append(f"{re.escape(low)}-{re.escape(high)}")
            else:
                parts.append(re.escape(low))
        self._at += 1
        return f"[{'^' if negated else ''}{''.join(parts)}]"

    def _named_class(self, close: int) -> str:
        name = self._pattern[self._at + 2 : close]
        negated = name.startswith("^")
        members = _CLASSES.get(name.removeprefix("^"))
        if members is None:
            raise RegexError(f"invalid class [:{name}:]", self._at)
        self._at = close + 2
        if not negated:
            return members
        return (
            "".join(re.escape(chr(code)) for code in range(128) if not re.match(f"[{members}]", chr(code)))
            + "\\x80-\U0010ffff"
        )

    def _class_member(self) -> str:
        start = self._at
        character = self._peek()
        if not character:
            raise RegexError("a class is never closed", start)
        self._at += 1
        return self._escape(start) if character == "\\" else character
