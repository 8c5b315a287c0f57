"""The transformers: what each does to values, and which types it takes and gives."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from refengine.condition.bytewise import byte_text, from_bytes, has_loose_bytes, lower, to_bytes, upper
from refengine.values import Value, ValueType

Apply: TypeAlias = "Callable[[tuple[Value, ...], str | None], Value | None]"
"""Takes the present arguments and the selector; gives None where the result is absent."""

_TEXT = frozenset({ValueType.CHARBUF, ValueType.FSPATH, ValueType.FSRELPATH})


class Transformer(NamedTuple):
    """One transformer.

    Those of one argument (`is_unary`) take the types in `takes`, on single values and, applied to each item, on
    lists; `gives` is the result's type, None for the argument's own. `len` measures a list as a whole.
    """

    name: str
    apply: Apply
    is_unary: bool
    takes: frozenset[ValueType]
    gives: ValueType | None = None
    measures_lists: bool = False
    takes_selector: bool = False


def _each(change: Callable[[str], Value | None]) -> Apply:
    """Return the transformer that changes text, and every item of a list of texts."""

    def apply(arguments: tuple[Value, ...], _selector: str | None) -> Value | None:
        value = arguments[0]
        if not isinstance(value, tuple):
            return change(_as_text(value))
        items = [change(_as_text(item)) for item in value]
        present = tuple(item for item in items if item is not None)
        return present if len(present) == len(items) else None

    return apply


def _as_text(value: Value) -> str:
    return from_bytes(value) if isinstance(value, bytes) else str(value)


def _basename(text: str) -> str:
    return text.rpartition("/")[2]


def _b64(arguments: tuple[Value, ...], _selector: str | None) -> Value | None:
    value = arguments[0]
    if isinstance(value, tuple):
        items = [_b64((item,), None) for item in value]
        present = tuple(item for item in items if item is not None)
        return present if len(present) == len(items) else None
    data = value if isinstance(value, bytes) else to_bytes(str(value))
    stripped = data.rstrip(b"=") if len(data) % 4 == 0 else data
    try:
        decoded = base64.b64decode(stripped + b"=" * (-len(stripped) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    return decoded if isinstance(value, bytes) else from_bytes(decoded)


def _length(arguments: tuple[Value, ...], _selector: str | None) -> Value | None:
    value = arguments[0]
    if isinstance(value, str):
        return len(value) if value.isascii() else len(to_bytes(value))
    return len(value) if isinstance(value, bytes | tuple) else None


def _join(arguments: tuple[Value, ...], _selector: str | None) -> Value | None:
    separator, items = arguments
    assert isinstance(items, tuple)
    return _rejoined(_as_text(separator).join(map(_as_text, items)))


def _concat(arguments: tuple[Value, ...], _selector: str | None) -> Value | None:
    return _rejoined("".join(map(_as_text, arguments)))


def _rejoined(text: str) -> str:
    """Return `text` with bytes that only together are a character made into that character."""
    return from_bytes(to_bytes(text)) if has_loose_bytes(text) else text


def getopt(words: tuple[str, ...], options: str) -> list[tuple[str, str | None]]:
    """Return the short options among `words`, each with its value, in the way of the C library.

    Reading ends at `--` or at the first word that is no option; long options are passed over. An unknown
    option gives `?` without a value; one whose value is missing gives itself with the empty value. Every
    character of the words is taken for one byte.
    """
    found: list[tuple[str, str | None]] = []
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        if word == "--" or not word.startswith("-") or word == "-":
            break
        if word.startswith("--"):
            continue
        for position in range(1, len(word)):
            option = word[position]
            known = options.find(option) if option != ":" else -1
            if known < 0:
                found.append(("?", None))
                continue
            if options[known + 1 : known + 2] != ":":
                found.append((option, None))
                continue
            rest = word[position + 1 :]
            if rest:
                found.append((option, rest))
            elif at < len(words):
                found.append((option, words[at]))
                at += 1
            else:
                found.append((option, ""))
            break
    return found


def _getopt(arguments: tuple[Value, ...], selector: str | None) -> Value | None:
    words, options = arguments
    assert isinstance(words, tuple)
    found = getopt(tuple(byte_text(_as_text(word)) for word in words), byte_text(_as_text(options)))
    if selector is not None:
        values = [value or "" for option, value in found if option == selector]
        return _from_byte_text(values[-1]) if values else None
    out: list[str] = []
    for option, value in found:
        if value == "":
            out.append("")
        else:
            out.extend((option,) if value is None else (option, value))
    return tuple(map(_from_byte_text, out)) or None


def _from_byte_text(text: str) -> str:
    return text if text.isascii() else from_bytes(text.encode("latin-1"))


TRANSFORMERS: Mapping[str, Transformer] = MappingProxyType(
    {
        row.name: row
        for row in (
            Transformer("tolower", _each(lower), True, _TEXT),
            Transformer("toupper", _each(upper), True, _TEXT),
            Transformer("b64", _b64, True, frozenset({ValueType.CHARBUF, ValueType.BYTEBUF})),
            Transformer("basename", _each(_basename), True, _TEXT),
            Transformer(
                "len", _length, True, _TEXT | {ValueType.BYTEBUF}, ValueType.UINT64, measures_lists=True
            ),
            Transformer("join", _join, False, _TEXT, ValueType.CHARBUF),
            Transformer("concat", _concat, False, _TEXT, ValueType.CHARBUF),
            Transformer("getopt", _getopt, False, _TEXT, ValueType.CHARBUF, takes_selector=True),
        )
    }
)
"""The transformers by their names."""
