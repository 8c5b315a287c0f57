"""Reading the grammars: the W3C's EBNF as a tree, for the tests and for the diagrams of the documentation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Literal:
    """These characters."""

    text: str


@dataclass(frozen=True, slots=True)
class Characters:
    """One character of a set; `source` is the set as the grammar writes it, `pattern` as a regular expression."""

    source: str
    pattern: str


@dataclass(frozen=True, slots=True)
class Name:
    """Another production."""

    name: str


@dataclass(frozen=True, slots=True)
class Series:
    """All items, one after another."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the items."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """The item, as often as `?`, `*` or `+` says."""

    item: Expression
    times: str


Expression: TypeAlias = Literal | Characters | Name | Series | Choice | Repeat

_TOKEN = re.compile(
    r"""\s+
    | (?P<name>[A-Za-z]+)
    | (?P<literal>'[^']*' | "[^"]*")
    | (?P<set>\[[^\]]+\])
    | (?P<code>\#x[0-9A-F]+)
    | (?P<mark>[()|?*+])""",
    re.VERBOSE,
)
_CODE = re.compile("#x([0-9A-F]+)")


def productions(path: Path) -> dict[str, str]:
    """Return the right-hand side of every production of a grammar as text, blanks and comments evened out."""
    text = re.sub(r"/\*.*?\*/", " ", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    parts = re.split(r"^([A-Za-z]+)\s*::=", text, flags=re.MULTILINE)
    return {name: " ".join(body.split()) for name, body in zip(parts[1::2], parts[2::2], strict=True)}


def read_grammar(path: Path) -> dict[str, Expression]:
    """Return every production of a grammar as a tree, in the order of the file.

    :raises ValueError: where the text is not in the notation.
    """
    return {name: _Reader(body).whole() for name, body in productions(path).items()}


def names(expression: Expression) -> Iterator[str]:
    """Yield the names of the productions that `expression` uses."""
    if isinstance(expression, Name):
        yield expression.name
    elif isinstance(expression, Series | Choice):
        for item in expression.items:
            yield from names(item)
    elif isinstance(expression, Repeat):
        yield from names(expression.item)


class _Reader:
    """One right-hand side."""

    def __init__(self, body: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        at = 0
        while at < len(body):
            found = _TOKEN.match(body, at)
            if found is None:
                raise ValueError(f"not in the notation: {body[at : at + 30]!r}")
            if found.lastgroup is not None:
                self._tokens.append((found.lastgroup, found[0]))
            at = found.end()
        self._at = 0

    def whole(self) -> Expression:
        expression = self._choice()
        if self._at < len(self._tokens):
            raise ValueError(f"unexpected {self._tokens[self._at][1]!r}")
        return expression

    def _peek(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def _choice(self) -> Expression:
        items = [self._series()]
        while self._peek() == "|":
            self._at += 1
            items.append(self._series())
        return items[0] if len(items) == 1 else Choice(tuple(items))

    def _series(self) -> Expression:
        items: list[Expression] = []
        while self._peek() not in ("", "|", ")"):
            items.append(self._repeat())
        return items[0] if len(items) == 1 else Series(tuple(items))

    def _repeat(self) -> Expression:
        item = self._item()
        while self._peek() in ("?", "*", "+"):
            item = Repeat(item, self._peek())
            self._at += 1
        return item

    def _item(self) -> Expression:
        kind, text = self._tokens[self._at]
        self._at += 1
        if text == "(":
            item = self._choice()
            if self._peek() != ")":
                raise ValueError("a parenthesis is not closed")
            self._at += 1
            return item
        if kind == "literal":
            return Literal(text[1:-1])
        if kind == "code":
            return Literal(chr(int(text[2:], 16)))
        if kind == "set":
            inside = _CODE.sub(lambda code: re.escape(chr(int(code[1], 16))), text[1:-1])
            return Characters(text, f"[{inside}]")
        if kind == "name":
            return Name(text)
        raise ValueError(f"unexpected {text!r}")
