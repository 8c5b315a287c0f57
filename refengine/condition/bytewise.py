"""Text compared byte by byte.

Values are `str`, but the language compares bytes. Most operations give the same answer on both; these are the
ones that do not once a value has characters outside ASCII.
"""

from __future__ import annotations

_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_UPPER = {code: code - 32 for code in range(ord("a"), ord("z") + 1)}


def to_bytes(text: str) -> bytes:
    """Return the bytes that `text` was decoded from."""
    return text.encode("utf-8", "surrogateescape")


def from_bytes(data: bytes) -> str:
    """Return `data` as text; `to_bytes` gives it back exactly."""
    return data.decode("utf-8", "surrogateescape")


def byte_text(text: str) -> str:
    """Return a text with one character for each byte, which pattern matching by bytes works on."""
    return text if text.isascii() else to_bytes(text).decode("latin-1")


def lower(text: str) -> str:
    """Return `text` with the letters A to Z in lower case and nothing else changed."""
    return text.lower() if text.isascii() else text.translate(_LOWER)


def upper(text: str) -> str:
    """Return `text` with the letters a to z in upper case and nothing else changed."""
    return text.upper() if text.isascii() else text.translate(_UPPER)


def has_loose_bytes(text: str) -> bool:
    """Return whether `text` has bytes that are no UTF-8 on their own, so that it may match inside a character."""
    return not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text)
