"""Times as text: local time and UTC, always to the nanosecond where a fraction is shown at all."""

from __future__ import annotations

import time

NANOSECONDS = 1_000_000_000

TIME_FIELDS = frozenset({"evt.time", "evt.time.s", "evt.time.iso8601", "evt.datetime", "evt.datetime.s"})
"""The fields that are text in a condition and in an output, but nanoseconds since the epoch in JSON."""


def clock(nanoseconds: int) -> str:
    """Return the local time of day of a time since the epoch, `HH:MM:SS.nnnnnnnnn`."""
    seconds, fraction = divmod(nanoseconds, NANOSECONDS)
    return f"{time.strftime('%H:%M:%S', time.localtime(seconds))}.{fraction:09d}"


def iso8601(nanoseconds: int) -> str:
    """Return the time in UTC with its offset written out, `YYYY-MM-DDTHH:MM:SS.nnnnnnnnn+0000`."""
    return f"{_utc(nanoseconds)}+0000"


def iso8601_zulu(nanoseconds: int) -> str:
    """Return the time in UTC as JSON alerts have it, `YYYY-MM-DDTHH:MM:SS.nnnnnnnnnZ`."""
    return f"{_utc(nanoseconds)}Z"


def _utc(nanoseconds: int) -> str:
    seconds, fraction = divmod(nanoseconds, NANOSECONDS)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{fraction:09d}"
