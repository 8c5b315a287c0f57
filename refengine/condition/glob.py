"""Shell patterns as `fnmatch(3)` reads them with no flags: `*` crosses `/`, and a backslash escapes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from refengine.condition.bytewise import byte_text, lower


def _ascii(of_class: Callable[[str], bool]) -> frozenset[str]:
    return frozenset(filter(of_class, map(chr, range(128))))


_CLASSES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "alnum": _ascii(str.isalnum),
        "alpha": _ascii(str.isalpha),
        "blank": frozenset(" \t"),
        "cntrl": _ascii(lambda c: not c.isprintable()),
        "digit": _ascii(str.isdigit),
        "graph": _ascii(lambda c: c.isprintable() and c != " "),
        "lower": _ascii(str.islower),
        "print": _ascii(str.isprintable),
        "punct": _ascii(lambda c: c.isprintable() and c != " " and not c.isalnum()),
        "space": frozenset(" \t\n\v\f\r"),
        "upper": _ascii(str.isupper),
        "xdigit": frozenset("0123456789abcdefABCDEF"),
    }
)
_CLASS = re.compile(r"\[:([a-z]*):\]|\[=(.)=\]", re.DOTALL)
_BYTES = tuple(map(chr, range(256)))
_NEVER = "(?!)"


class Glob:
    """A pattern, ready to match; `folding` makes the letters of ASCII equal to their other case."""

    __slots__ = ("_match", "folding", "pattern")

    def __init__(self, pattern: str, *, folding: bool = False) -> None:
        self.pattern = pattern
        self.folding = folding
        self._match = re.compile(_translate(byte_text(pattern), folding), re.DOTALL).fullmatch

    def matches(self, value: str) -> bool:
        """Return whether the whole of `value` fits the pattern."""
        return self._match(byte_text(value)) is not None

    def __repr__(self) -> str:
        return f"Glob({self.pattern!r})"


def _translate(pattern: str, folding: bool) -> str:
    """Return the regular expression of `pattern`.

    Between two stars the leftmost fit is always good enough, so each stretch is matched without going back:
    time stays linear in the value however many stars there are. (The look-ahead with a back-reference does what
    an atomic group would, which Python 3.10 lacks.)
    """
    stretches: list[str] = [""]
    at, end = 0, len(pattern)
    while at < end:
        character = pattern[at]
        at += 1
        if character == "*":
            if len(stretches) == 1 or stretches[-1]:
                stretches.append("")
            continue
        if character == "?":
            stretches[-1] += "."
        elif character == "[":
            bracket = _Bracket(pattern, at, folding).read()
            if bracket is None:
                stretches[-1] += "\\["
            else:
                text, at = bracket
                stretches[-1] += text
        elif character == "\\":
            if at == end:
                return _NEVER  # a backslash at the end escapes nothing, and fnmatch(3) then never matches
            stretches[-1] += _one(pattern[at], folding)
            at += 1
        else:
            stretches[-1] += _one(character, folding)
    if len(stretches) == 1:
        return stretches[0]
    first, *middle, last = stretches
    atoms = "".join(
        f"(?=(?P<g{number}>.*?{stretch}))(?P=g{number})" for number, stretch in enumerate(middle) if stretch
    )
    return f"{first}{atoms}.*{last}"


def _one(character: str, folding: bool) -> str:
    if folding and character.isascii() and character.isalpha():
        return f"[{character.lower()}{character.upper()}]"
    return re.escape(character)


class _Bracket:
    """One reading of `[...]`, as the set of the characters that it stands for.

    What folding does to it is peculiar: the ends of a range are folded, named classes are not. A class that
    does not exist, or a range that the end of the pattern cuts off, ends the matching when it is reached: what
    stands before it still counts. Behind what fits, the rest is passed over, and there it is `[=` or `[.` without
    their end that end the matching: then only what stands behind them counts.
    """

    def __init__(self, pattern: str, at: int, folding: bool) -> None:
        self._pattern = pattern
        self._at = at
        self._folding = folding
        self._members: set[str] = set()
        self._lost: set[str] = set()
        self._broken = False

    def read(self) -> tuple[str, int] | None:
        """Return the expression and where the bracket ends, None where it never does."""
        negated = self._pattern.startswith(("!", "^"), self._at)
        if negated:
            self._at += 1
        start = self._at
        while self._at == start or not self._pattern.startswith("]", self._at):
            if not self._item():
                return self._unclosed()
        if negated:
            fitting = self._members | self._lost
            members = () if self._broken else [c for c in _BYTES if c not in fitting]
            return _set(members), self._at + 1
        return _set(self._members), self._at + 1

    def _unclosed(self) -> tuple[str, int] | None:
        """Return what a bracket without end stands for, None where that is itself."""
        ends = self._broken and "[" not in self._members
        return (_NEVER, len(self._pattern)) if ends or "[" in self._lost else None

    def _item(self) -> bool:
        """Read a class, a range or a character; return false at the end of the pattern."""
        found = _CLASS.match(self._pattern, self._at)
        if found is not None:
            self._at = found.end()
            same = found[2]
            self._add(_CLASSES.get(found[1]) if same is None else same)
            return True
        if self._pattern.startswith("[=", self._at):
            self._lose()
        low, folds = self._character()
        if low is None:
            return False
        following = self._pattern[self._at : self._at + 2]
        if following == "-":
            self._add(low)
            self._broken = True  # a range without an end, at the end of the pattern, fits nothing
            return False
        if following.startswith("-") and following[1:] != "]":
            self._at += 1
            high, _ = self._character()
            if high is None:
                return False
            self._add(c for c in _BYTES if low <= self._folded(c) <= high)
        elif folds:
            self._add(c for c in _BYTES if self._folded(c) == low)
        else:
            self._add(low)
        return True

    def _character(self) -> tuple[str | None, bool]:
        """Read a character; return it, and whether it stands for both of its cases where they are folded."""
        pattern = self._pattern
        if pattern.startswith("[.", self._at):
            close = pattern.find(".]", self._at + 2)
            name = pattern[self._at + 2 : close] if close >= 0 else ""
            if close < 0:
                self._lose()
            self._broken |= len(name) != 1
            self._at = close + 2 if close >= 0 else len(pattern)
            return name[:1] or (None if close < 0 else "\0"), False
        if pattern.startswith("\\", self._at):
            self._at += 1
        character = pattern[self._at : self._at + 1]
        self._at += 1
        return self._folded(character) or None, True

    def _folded(self, character: str) -> str:
        return lower(character) if self._folding else character

    def _lose(self) -> None:
        self._lost |= self._members
        self._members.clear()

    def _add(self, members: Iterable[str] | None) -> None:
        if members is None:
            self._broken = True
        elif not self._broken:
            self._members.update(member for member in members if member not in self._lost)


def _set(members: Iterable[str]) -> str:
    text = "".join(map(re.escape, sorted(members)))
    return f"[{text}]" if text else _NEVER
