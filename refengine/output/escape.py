"""Text that is safe to print: one line, valid UTF-8, no control characters."""

from __future__ import annotations

import re

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_SURROGATE = re.compile("[\ud800-\udc7f\udd00-\udfff]")
_SHORT = {"\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def valid_unicode(text: str) -> str:
    """Return `text` with what was not UTF-8 in the system's bytes replaced by U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raw = _SURROGATE.sub("\ufffd", text).encode("utf-8", "surrogateescape")
        return raw.decode("utf-8", "replace")
    return text


def single_line(text: str) -> str:
    """Return `text` on one line: control characters as JSON escapes, and no bytes that are not UTF-8.

    Quotes and backslashes stay as they are. The control characters above 0x7f are escaped as well, since
    terminals obey them.
    """
    if text.isprintable():
        return text
    return _CONTROL.sub(_escaped, valid_unicode(text))


def _escaped(found: re.Match[str]) -> str:
    character = found[0]
    return _SHORT.get(character) or f"\\u{ord(character):04x}"
