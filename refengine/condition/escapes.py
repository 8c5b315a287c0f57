"""Quoted strings: reading their escapes, and writing a value so that it reads back as itself."""

from __future__ import annotations

import re

SIMPLE = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "\\": "\\", "/": "/", " ": "\\"}
"""Escapes of one character. A backslash before a blank stands for itself: an old habit of rule files."""

_ESCAPED = {
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\\": "\\\\",
    '"': '\\"',
    "\0": "\\x00",
}
_NEEDS_QUOTES = re.compile("[\b\f\n\r\t =\"'\0\\\\(),]|^$")
_HEX = re.compile("[0-9a-fA-F]{2}")
_SPECIAL = re.compile('[\b\f\n\r\t\\\\"\0]')


class EscapeError(Exception):
    """An escape that means nothing; `offset` counts from the first character inside the quotes."""

    def __init__(self, message: str, offset: int, length: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.length = length


def unescape(body: str, quote: str) -> str:
    r"""Return the value of the characters between two quotes.

    `\xHH` gives one byte; bytes that form UTF-8 join into characters.

    :raises EscapeError: for an escape that the language does not have.
    """
    if "\\" not in body:
        return body
    out: list[str] = []
    has_bytes = False
    at, end = 0, len(body)
    while at < end:
        character = body[at]
        if character != "\\":
            out.append(character)
            at += 1
            continue
        if at + 1 >= end:
            raise EscapeError("a backslash at the end escapes nothing", at, 1)
        code = body[at + 1]
        if code == "x":
            digits = body[at + 2 : at + 4]
            if len(digits) < 2:
                raise EscapeError("truncated \\x escape: two hexadecimal digits are needed", at, end - at)
            if not _HEX.fullmatch(digits):
                raise EscapeError(f"invalid \\x escape: '{digits}' are not two hexadecimal digits", at, 4)
            byte = int(digits, 16)
            out.append(bytes((byte,)).decode("utf-8", "surrogateescape"))
            has_bytes = has_bytes or byte > 127
            at += 4
            continue
        if code in "\"'":
            if code != quote:
                raise EscapeError(f"\\{code} is an escape only between {code} quotes", at, 2)
            out.append(code)
        elif code in SIMPLE:
            out.append(SIMPLE[code])
        else:
            raise EscapeError(f"unknown escape \\{code}", at, 2)
        at += 2
    value = "".join(out)
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape") if has_bytes else value


def quoted_if_needed(value: str) -> str:
    """Return the value in double quotes when it cannot stand bare, else as it is."""
    if not _NEEDS_QUOTES.search(value):
        return value
    text = _SPECIAL.sub(lambda found: _ESCAPED[found[0]], value)
    if value.endswith("\\"):
        text = f"{text[:-2]}\\x5c"  # no quote can end a string behind a backslash, not even behind an escaped one
    return f'"{text}"'
