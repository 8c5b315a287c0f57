"""The layout of conditions: one line where it fits, else a line for each part that `and` or `or` joins.

Nothing but blanks and line ends changes, and none of those inside quotes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 120
"""Columns of a line, its indentation included, where it can be broken at all."""

_TOKEN = re.compile(
    r"""\s+|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\[(?:"(?:[^"\\]|\\.)*"|[^\]"])*\]|[(),]|[^\s()'",\[]+|.""",
    re.DOTALL,
)
_JOINING = frozenset({"and", "or"})
_BEFORE_LISTS = frozenset({"in", "intersects", "pmatch", "anyof", "oneof", "allof", "not", "and", "or"})
_INDENT = "  "


@dataclass(frozen=True, slots=True)
class _Word:
    """Something without blanks; `spaced` tells whether a blank stands before it."""

    text: str
    spaced: bool


@dataclass(frozen=True, slots=True)
class _Group:
    """What stands in brackets."""

    parts: tuple[_Part, ...]
    spaced: bool


_Part = _Word | _Group


def condition_lines(text: str, room: int, *, broken: bool) -> list[str] | None:
    """Return the lines of a condition, `room` columns being free on the first if it is the only one.

    `broken` asks for a line for each part even where one line would do. None where the brackets do not match.
    """
    found = _read(_TOKEN.findall(text))
    if found is None:
        return None
    flat = _flat(found)
    if len(flat) <= room and not (broken and len(_clauses(found)) > 1):
        return [flat]
    return _lines(found, WIDTH - 4)


def _read(words: Sequence[str]) -> tuple[_Part, ...] | None:
    """Return the tokens with what stands in brackets as groups, None where the brackets do not match."""
    stack: list[tuple[list[_Part], bool]] = [([], True)]
    spaced = False
    for word in words:
        if word.isspace():
            spaced = True
            continue
        if word == "(":
            before = stack[-1][0][-1] if stack[-1][0] else None
            wanted = isinstance(before, _Word) and before.text in _BEFORE_LISTS
            stack.append(([], spaced or wanted))
        elif word == ")":
            if len(stack) == 1:
                return None
            parts, was_spaced = stack.pop()
            stack[-1][0].append(_Group(tuple(parts), was_spaced))
        else:
            before = stack[-1][0][-1] if stack[-1][0] else None
            after_comma = isinstance(before, _Word) and before.text == ","
            stack[-1][0].append(_Word(word, word != "," and (spaced or after_comma)))
        spaced = False
    return tuple(stack[0][0]) if len(stack) == 1 else None


def _flat(parts: Sequence[_Part]) -> str:
    out = ""
    for number, part in enumerate(parts):
        text = part.text if isinstance(part, _Word) else f"({_flat(part.parts)})"
        out += f" {text}" if part.spaced and number else text
    return out


def _clauses(parts: Sequence[_Part]) -> list[tuple[_Part, ...]]:
    """Return the parts cut before each `and` and `or`."""
    clauses: list[list[_Part]] = [[]]
    for part in parts:
        if isinstance(part, _Word) and part.text in _JOINING and clauses[-1]:
            clauses.append([])
        clauses[-1].append(part)
    return [tuple(clause) for clause in clauses]


def _lines(parts: Sequence[_Part], width: int) -> list[str]:
    return [line for clause in _clauses(parts) for line in _clause_lines(clause, width)]


def _clause_lines(clause: Sequence[_Part], width: int) -> list[str]:
    flat = _flat(clause)
    last = clause[-1]
    if len(flat) <= width or not isinstance(last, _Group) or not last.parts:
        return [flat]
    head = _flat((*clause[:-1], _Group((), last.spaced)))[:-1]
    joined = any(isinstance(part, _Word) and part.text in _JOINING for part in last.parts)
    if joined or isinstance(last.parts[-1], _Group):
        inner = _lines(last.parts, width - len(_INDENT))
    else:
        inner = _filled(last.parts, width - len(_INDENT))
    return [head, *(f"{_INDENT}{line}" for line in inner), ")"]


def _filled(parts: Sequence[_Part], width: int) -> list[str]:
    """Return the items of a list, as many on a line as fit."""
    items: list[list[_Part]] = [[]]
    for part in parts:
        items[-1].append(part)
        if isinstance(part, _Word) and part.text == ",":
            items.append([])
    lines = [""]
    for item in items:
        text = _flat(item)
        if lines[-1] and len(lines[-1]) + 1 + len(text) > width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {text}" if lines[-1] else text
    return [line for line in lines if line]
