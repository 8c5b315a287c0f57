"""Audit events out of JSON texts: one event, an array of events, or the lists that the API server posts."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, Final

from refengine.event.document import DocumentEvent

SOURCE: Final = "k8s_audit"
PLUGIN: Final = "k8saudit"
"""The plugin of Falco that brings such events."""

BROKEN: Final = "no audit events"
"""The cause under which texts and objects that are no audit events are counted."""

_TIMES = ("stageTimestamp", "requestReceivedTimestamp", "timestamp")
"""Where the time of an event may stand, the best first."""

_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9})\d*)?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII
)
_HALF_PAIR = re.compile(r"\\u[dD][89a-fA-F]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


class DocumentError(ValueError):
    """A text that is no JSON; the message says where and why."""


def parse(data: bytes) -> Any:
    """Return the value of a JSON text. Bytes that are no UTF-8 are kept.

    Halves of surrogate pairs, which no text may have, are replaced, and such bytes with them.

    :raises DocumentError: when it is no JSON.
    """
    text = data.decode("utf-8", "surrogateescape")
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise DocumentError(f"line {error.lineno}, column {error.colno}: {error.msg}") from None
    except RecursionError:
        raise DocumentError("it nests too deeply") from None
    except ValueError as error:
        raise DocumentError(str(error)) from None
    if _HALF_PAIR.search(text) is not None:
        value = _whole_characters(value)
    return value


def documents(value: Any) -> tuple[list[Mapping[str, Any]], list[str]]:
    """Return the audit events that a JSON value holds, in order, and what is wrong with whatever else it holds."""
    found: list[Mapping[str, Any]] = []
    faults: list[str] = []
    pending = [value]
    while pending:
        at = pending.pop()
        if isinstance(at, list):
            pending.extend(reversed(at))
        elif not isinstance(at, dict):
            faults.append("an audit event is an object")
        elif at.get("kind") == "EventList":
            listed = at.get("items")
            if isinstance(listed, list):
                pending.extend(reversed(listed))
            else:
                faults.append("the list of events has no items")
        elif not isinstance(at.get("auditID"), str):
            faults.append("the object is no audit event: it has no auditID")
        else:
            found.append(at)
    return found, faults


def event_of(document: Mapping[str, Any], number: int) -> DocumentEvent:
    """Return the event of a document; its time is that of its stage, or now where it tells none."""
    return DocumentEvent(document, _time(document), source=SOURCE, plugin=PLUGIN, number=number)


def nanoseconds(text: str) -> int | None:
    """Return the time that an RFC 3339 text says, in nanoseconds since the epoch; None where it says none."""
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = map(int, found.group(1, 2, 3, 4, 5, 6))
    try:
        moment = datetime(year, month, day, hour, minute, 59 if second == 60 else second, tzinfo=timezone.utc)
    except ValueError:
        return None
    if found[8] is not None:
        offset = timedelta(hours=int(found[9]), minutes=int(found[10]))
        moment += -offset if found[8] == "+" else offset
    seconds = (moment - _EPOCH) // timedelta(seconds=1)
    return seconds * 10**9 + int((found[7] or "").ljust(9, "0"))


_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def _time(document: Mapping[str, Any]) -> int:
    for key in _TIMES:
        written = document.get(key)
        if isinstance(written, str):
            found = nanoseconds(written)
            if found is not None:
                return found
    return time.time_ns()


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number in JSON")


_DECODER = json.JSONDecoder(parse_constant=_no_number)


def _whole_characters(value: Any) -> Any:
    """Return the value with a replacement for each half of a surrogate pair, which no text may have."""
    if isinstance(value, str):
        return _SURROGATES.sub(_REPLACEMENT, value)
    if isinstance(value, list):
        return [_whole_characters(item) for item in value]
    if isinstance(value, dict):
        return {_whole_characters(key): _whole_characters(item) for key, item in value.items()}
    return value
