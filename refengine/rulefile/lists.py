"""Lists: what their items are, and their substitution into conditions.

Substitution is textual: wherever a list's name stands between blanks, brackets, commas, `=` or the text's ends,
inside quoted strings too, its items are put in its place. Lists are taken in the order of definition, each once
for a text, so that a name which an earlier list put in is replaced by a later one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from refengine.rulefile.definitions import ListDefinition
from refengine.source import Text

SIZE_LIMIT = 1_000_000
"""Characters that a condition may grow to."""

_BLANKS = " \t\n\r"
_DELIMITERS = _BLANKS + "(),="
_LAYERS = 64
"""Substitutions after which the places are worked out, so that the chain back to the file stays short."""


class TooLongError(Exception):
    """A condition that grows beyond `SIZE_LIMIT`, by lists of lists."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the items of list '{name}' make the condition longer than {SIZE_LIMIT} characters")


class ListTable:
    """The lists at one point of a load; `used` grows by the names that are put in somewhere."""

    def __init__(self, definitions: Mapping[str, ListDefinition]) -> None:
        self.used: set[str] = set()
        self._definitions = definitions
        own = {
            name: ", ".join(_written(item.value) for item in definition.items)
            for name, definition in definitions.items()
        }
        self._joined: dict[str, tuple[str, ...]] = {}
        for definition in definitions.values():
            parts = []
            for item in definition.items:
                other = definitions.get(item.value)
                if other is not None and other.index < definition.visibility:
                    self.used.add(other.name)
                    if other.items:
                        parts.append(own[other.name])
                else:
                    parts.append(_written(item.value))
            self._joined[definition.name] = tuple(parts)

    def items(self, name: str) -> tuple[str, ...]:
        """Return the items of a list as conditions get them: lists in it that it sees are one level expanded."""
        definition = self._definitions[name]
        items: list[str] = []
        for item in definition.items:
            other = self._definitions.get(item.value)
            if other is not None and other.index < definition.visibility:
                items += [_written(value.value) for value in other.items]
            else:
                items.append(_written(item.value))
        return tuple(items)

    def substitute(self, text: Text) -> Text:
        """Return the text of a condition with every list in it replaced.

        :raises TooLongError: where that is too long.
        """
        layers = 0
        for name, parts in self._joined.items():
            if name not in text.value:
                continue
            found = _occurrences(text.value, name)
            if not found:
                continue
            self.used.add(name)
            length = sum(map(len, parts)) + 2 * len(parts)
            if length * len(found) + len(text.value) > SIZE_LIMIT:
                raise TooLongError(name)
            text = text.substituted(_edits(text.value, name, ", ".join(parts), found))
            layers += 1
            if layers % _LAYERS == 0:
                _ = text.pieces
        return text


def needs_quotes(value: str) -> bool:
    """Return whether a list's or an exception's value gets double quotes: it has a blank and no quote yet."""
    return " " in value and value[0] not in "\"'"


def _written(item: str) -> str:
    return f'"{item}"' if needs_quotes(item) else item


def _occurrences(value: str, name: str) -> list[int]:
    """Return where `name` stands by itself in `value`."""
    found = []
    at = value.find(name)
    while at >= 0:
        end = at + len(name)
        if (at == 0 or value[at - 1] in _DELIMITERS) and (end == len(value) or value[end] in _DELIMITERS):
            found.append(at)
        at = value.find(name, at + 1)
    return found


def _edits(value: str, name: str, items: str, found: Iterable[int]) -> list[tuple[int, int, str]]:
    """Return the edits that put `items` in place of `name` at the offsets `found`.

    The blanks around the name become one on each side. Where there are no items, a comma on the left goes
    with the name, else one on the right.
    """
    edits: list[tuple[int, int, str]] = []
    done = 0
    for at in found:
        if at < done:
            continue
        start, end = at, at + len(name)
        while start > done and value[start - 1] in _BLANKS:
            start -= 1
        while end < len(value) and value[end] in _BLANKS:
            end += 1
        if not items:
            if start > done and value[start - 1] == ",":
                start -= 1
            elif end < len(value) and value[end] == ",":
                end += 1
        before = " " if start > done or (start > 0 and not edits) else ""
        edits += [
            (start, at, before),
            (at, at + len(name), items),
            (at + len(name), end, " "),
        ]
        done = end
    return edits
