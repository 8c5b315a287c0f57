"""Reading of JSON answers that may be anything."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?Z", re.ASCII)


def below(value: Any, *keys: str) -> Any:
    """Return what stands below the keys, None where nothing does."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def text(value: Any, *keys: str) -> str:
    """Return the text below the keys, the empty one where there is none."""
    found = below(value, *keys)
    return found if isinstance(found, str) else ""


def truth(value: Any, *keys: str) -> bool | None:
    """Return the truth value below the keys, None where there is none."""
    found = below(value, *keys)
    return found if isinstance(found, bool) else None


def items(value: Any, *keys: str) -> list[Any]:
    """Return the items of the array below the keys, none where there is none."""
    found = below(value, *keys)
    return found if isinstance(found, list) else []


def texts(value: Any, *keys: str) -> tuple[str, ...]:
    """Return the texts in the array below the keys."""
    return tuple(item for item in items(value, *keys) if isinstance(item, str))


def labels(value: Any, *keys: str) -> Mapping[str, str]:
    """Return the texts by their keys in the object below the keys."""
    found = below(value, *keys)
    if not isinstance(found, dict):
        return {}
    return {key: item for key, item in found.items() if isinstance(item, str)}


def nanoseconds(written: str) -> int | None:
    """Return the time that a text says, in nanoseconds since the epoch; None where it says none, or the year 1."""
    found = _TIME.fullmatch(written)
    if found is None:
        return None
    try:
        moment = datetime.fromisoformat(found[1]).replace(tzinfo=timezone.utc)
    except ValueError:
        return None
    seconds = round(moment.timestamp())
    return seconds * 10**9 + int((found[2] or "").ljust(9, "0")) if seconds > 0 else None
