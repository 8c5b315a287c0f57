"""Reading the keys of one mapping, each with the type that it must have.

Every fault is reported and reading goes on, so that one run shows all of them; `faulty` tells at the end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

from refengine.errors import Code, Diagnostic, Note
from refengine.rulefile.context import Context
from refengine.rulefile.yaml import Mapping, Node, Scalar, Sequence

_TRUE = frozenset({"y", "yes", "true", "on"})
_FALSE = frozenset({"n", "no", "false", "off"})
_INTEGER = re.compile(r"[ \t]*\+?(0[xX][0-9a-fA-F]+|[0-9]+)[ \t]*")
_UNSIGNED_LIMIT = 2**32


class KeyReader:
    """The keys of `mapping`; faults go to `report` under `context`."""

    def __init__(self, mapping: Mapping, context: Context, report: list[Diagnostic]) -> None:
        self.mapping = mapping
        self.context = context
        self.faulty = False
        self._report = report

    def __contains__(self, key: str) -> bool:
        return key in self.mapping.by_key

    def error(
        self,
        message: str,
        context: Context | None = None,
        *,
        code: Code = Code.YAML_VALIDATE,
        notes: Iterable[Note] = (),
        suggestion: str | None = None,
    ) -> None:
        """Report a fault of the mapping, or of what `context` names inside it."""
        self.faulty = True
        self._add(code, message, context, notes, suggestion)

    def warn(
        self, code: Code, message: str, context: Context | None = None, suggestion: str | None = None
    ) -> None:
        """Report a doubt."""
        self._add(code, message, context, (), suggestion)

    def of(self, mapping: Mapping, context: Context) -> KeyReader:
        """Return a reader of another mapping that reports to the same place."""
        return KeyReader(mapping, context, self._report)

    def within(self, key: str, node: Node) -> Context:
        """Return the context of the value of `key`."""
        return self.context.child("value for", key, node)

    # Values

    def scalar(self, key: str, *, required: bool = True) -> Scalar | None:
        """Return the scalar of `key`, which must not be empty; None where it is missing or faulty."""
        node = self.mapping.by_key.get(key)
        if node is None:
            if required:
                self._missing(key)
            return None
        where = self.within(key, node)
        if isinstance(node, Scalar) and not node.is_null:
            if node.value:
                return node
            self.error(f"'{key}' must not be empty", where)
        elif isinstance(node, Scalar):
            self.error(f"'{key}' has no value", self.context.child("value for", key, self._key(key)))
        else:
            self.error(f"'{key}' must be a single value, not {describe(node)}", where)
        return None

    def boolean(self, key: str, *, required: bool = False) -> bool | None:
        """Return the truth value of `key`; None where it is missing or faulty."""
        node = self.scalar(key, required=required)
        if node is None:
            return None
        text = node.value
        if text in {text.lower(), text.upper(), text.capitalize()}:
            if text.lower() in _TRUE:
                return True
            if text.lower() in _FALSE:
                return False
        self.error(f"'{key}' must be true or false, not '{text}'", self.within(key, node))
        return None

    def unsigned(self, key: str) -> int | None:
        """Return the number of `key`, from 0 to 2^32 - 1; None where it is missing or faulty."""
        node = self.scalar(key, required=False)
        if node is None:
            return None
        number = parse_unsigned(node.value)
        if number is None:
            self.error(
                f"'{key}' must be a whole number from 0 to {_UNSIGNED_LIMIT - 1}, not '{node.value}'",
                self.within(key, node),
            )
        return number

    def scalars(self, key: str, *, required: bool = True) -> tuple[Scalar, ...] | None:
        """Return the items of the sequence of scalars at `key`; None where it is missing or faulty."""
        node = self.mapping.by_key.get(key)
        if node is None:
            if required:
                self._missing(key)
            return None
        where = self.within(key, node)
        if not isinstance(node, Sequence):
            found = describe(node)
            if isinstance(node, Scalar) and node.is_null:
                where = self.context.child("value for", key, self._key(key))
            self.error(f"'{key}' must be a list such as [a, b], not {found}", where)
            return None
        items = []
        for item in node.items:
            if isinstance(item, Scalar) and not item.is_null:
                items.append(item)
            else:
                self.error(
                    f"an item of '{key}' must be a single value, not {describe(item)}",
                    where.child("list item", "", item),
                )
        return tuple(items)

    # Keys

    def check_keys(self, known: Iterable[str]) -> None:
        """Warn of keys that are not `known` and of keys that are given twice."""
        names = tuple(known)
        seen: dict[str, Scalar] = {}
        for key, _ in self.mapping.pairs:
            if not isinstance(key, Scalar):
                self.error(
                    f"a key must be a word, not {describe(key)}",
                    self.context.child("value for", "", key),
                    code=Code.VALIDATE,
                )
            elif key.value in seen:
                self._add(
                    Code.UNKNOWN_KEY,
                    f"key '{key.value}' is given twice; only the first one counts",
                    self.context.child("value for", key.value, key),
                    (Note("the first one is here", seen[key.value].place),),
                    None,
                )
            else:
                seen[key.value] = key
                if key.value not in names:
                    self.warn(
                        Code.UNKNOWN_KEY,
                        f"unknown key '{key.value}', which is ignored",
                        self.context.child("value for", key.value, key),
                        _did_you_mean(key.value, names),
                    )

    def _key(self, name: str) -> Scalar:
        for key, _ in self.mapping.pairs:
            if isinstance(key, Scalar) and key.value == name:
                return key
        raise KeyError(name)

    def _missing(self, key: str) -> None:
        written = [name for name in self.mapping.by_key if get_close_matches(name, [key], 1)]
        suggestion = f"did you write '{written[0]}' for '{key}'?" if written else None
        kind = self.context.path[-1].kind
        self.error(f"this {kind} has no '{key}'", suggestion=suggestion)

    def _add(
        self,
        code: Code,
        message: str,
        context: Context | None,
        notes: Iterable[Note],
        suggestion: str | None,
    ) -> None:
        where = context or self.context
        self._report.append(where.diagnostic(code, message, notes=notes, suggestion=suggestion))


def describe(node: Node) -> str:
    """Return in words what kind of node it is."""
    if isinstance(node, Scalar):
        return "nothing" if node.is_null else f"'{node.value}'"
    return "a list" if isinstance(node, Sequence) else "a mapping"


def parse_unsigned(text: str) -> int | None:
    """Return the number that `text` writes (decimal, `0x…` or octal `0…`), None where it is none or too big."""
    found = _INTEGER.fullmatch(text)
    if found is None:
        return None
    digits = found[1]
    try:
        if digits[:2] in ("0x", "0X"):
            number = int(digits, 16)
        else:
            number = int(digits, 8 if len(digits) > 1 and digits[0] == "0" else 10)
    except ValueError:
        return None
    return number if number < _UNSIGNED_LIMIT else None


def _did_you_mean(word: str, known: Iterable[str]) -> str | None:
    near = get_close_matches(word, list(known), 1)
    return f"did you mean '{near[0]}'?" if near else None
