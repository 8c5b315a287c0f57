"""Shell patterns as `fnmatch(3)` reads them with no flags: `*` crosses `/`, and a backslash escapes."""

from __future__ import annotations

import re

from refengine.condition.bytewise import byte_text

_CLASSES = {
    "alnum": "a-zA-Z0-9",
    "alpha": "a-zA-Z",
    "blank": " \\t",
    "cntrl": "\\x00-\\x1f\\x7f",
    "digit": "0-9",
    "graph": "\\x21-\\x7e",
    "lower": "a-z",
    "print": "\\x20-\\x7e",
    "punct": "!-/:-@\\[-`{-~",
    "space": " \\t\\n\\r\\f\\v",
    "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}


class Glob:
    """A pattern, ready to match; `folding` makes the letters of ASCII equal to their other case."""

    __slots__ = ("_match", "folding", "pattern")

    def __init__(self, pattern: str, *, folding: bool = False) -> None:
        self.pattern = pattern
        self.folding = folding
        flags = re.DOTALL | re.ASCII | (re.IGNORECASE if folding else 0)
        self._match = re.compile(_translate(byte_text(pattern)), flags).fullmatch

    def matches(self, value: str) -> bool:
        """Return whether the whole of `value` fits the pattern."""
        return self._match(byte_text(value)) is not None

    def __repr__(self) -> str:
        return f"Glob({self.pattern!r})"


def _translate(pattern: str) -> str:
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
            bracket = _bracket(pattern, at)
            if bracket is None:
                stretches[-1] += "\\["
            else:
                text, at = bracket
                stretches[-1] += text
        elif character == "\\":
            if at == end:
                return "(?!)"  # a backslash at the end escapes nothing, and fnmatch(3) then never matches
            stretches[-1] += re.escape(pattern[at])
            at += 1
        else:
            stretches[-1] += re.escape(character)
    if len(stretches) == 1:
        return stretches[0]
    first, *middle, last = stretches
    atoms = "".join(
        f"(?=(?P<g{number}>.*?{stretch}))(?P=g{number})" for number, stretch in enumerate(middle) if stretch
    )
    return f"{first}{atoms}.*{last}"


def _bracket(pattern: str, at: int) -> tuple[str, int] | None:
    """Return the character class that begins at `at` (after its `[`) and where it ends, None if it never does."""
    negated = pattern[at : at + 1] in ("!", "^") and bool(pattern[at : at + 1])
    if negated:
        at += 1
    parts: list[str] = []
    first = True
    while True:
        if at >= len(pattern):
            return None
        if pattern[at] == "]" and not first:
            break
        first = False
        if pattern.startswith("[:", at):
            close = pattern.find(":]", at + 2)
            name = pattern[at + 2 : close] if close >= 0 else ""
            if name in _CLASSES:
                parts.append(_CLASSES[name])
                at = close + 2
                continue
        low, at = _member(pattern, at)
        if low is None:
            return None
        if pattern.startswith("-", at) and pattern[at + 1 : at + 2] not in ("]", ""):
            high, at = _member(pattern, at + 1)
            if high is None:
                return None
            if low <= high:
                parts.append(f"{re.escape(low)}-{re.escape(high)}")
        else:
            parts.append(re.escape(low))
    at += 1
    if not parts:
        return ("." if negated else "(?!)"), at
    return f"[{'^' if negated else ''}{''.join(parts)}]", at


def _member(pattern: str, at: int) -> tuple[str | None, int]:
    if pattern[at] == "\\":
        at += 1
        if at >= len(pattern):
            return None, at
    return pattern[at], at + 1
