"""Events that are given by the values of their fields, for tests, teaching and the conformance suite."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timezone

from refengine.values import Value


class RecordedEvent:
    """An event known only by field values, each under the field's full text (`proc.aname[2]`).

    A field without a key is absent. A value that is a sequence stands, for a list field, for the list, and
    for a field that a comparison tries on several candidates (`fd.ip`, `proc.aname`) for the candidates.

    `time` is in nanoseconds since the epoch; where it is 0, the time is that which the fields tell (`evt.rawtime`, its
    seconds and nanoseconds together, or `evt.time.iso8601`), and 0 where none does. The other fields of the time
    follow from it: they are absent only where it is 0.
    """

    __slots__ = ("number", "source", "time", "values")

    def __init__(
        self, values: Mapping[str, Value], *, source: str = "syscall", time: int = 0, number: int = 0
    ) -> None:
        self.values = values
        self.source = source
        self.time = time or _time_of(values)
        self.number = number

    @property
    def name(self) -> str:
        """The value of `evt.type`, the empty string where it is absent."""
        name = self.values.get("evt.type", "")
        return name if isinstance(name, str) else ""

    def __repr__(self) -> str:
        return f"<RecordedEvent {self.number} {self.name}>"


_SECOND = 1_000_000_000
_ISO8601 = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{9})\+0000", re.ASCII)


def _time_of(values: Mapping[str, Value]) -> int:
    """Return the time that fields tell, in nanoseconds since the epoch; 0 where they do not."""
    raw, seconds, rest = (values.get(f"evt.rawtime{part}") for part in ("", ".s", ".ns"))
    if isinstance(raw, int):
        return raw
    if isinstance(seconds, int) and isinstance(rest, int):
        return seconds * _SECOND + rest
    text = values.get("evt.time.iso8601")
    found = _ISO8601.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return 0
    try:
        moment = datetime.fromisoformat(found[1]).replace(tzinfo=timezone.utc)
    except ValueError:
        return 0
    return int(moment.timestamp()) * _SECOND + int(found[2])
