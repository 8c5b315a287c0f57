"""Alerts of which too many are alike are held back, and counted."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Sequence
from threading import Lock
from typing import NamedTuple, TypeAlias

from refengine.output.alert import Alert
from refengine.service.token_bucket import TokenBucket

BUCKETS = 10_000
"""Kinds of alerts that are told apart; the one not seen for the longest time is forgotten then."""

_NANOSECONDS = 1_000_000_000

Kind: TypeAlias = tuple[object, ...]


class ThrottleSettings(NamedTuple):
    """How many alerts of a rule may pass: `burst` at once, and `rate` a second in the long run.

    `rule` is the name, None for every rule each by itself. With `fields` only alerts whose fields of these names
    have the same values count as alike; those that an alert has not got are absent.
    """

    rate: float
    burst: int = 1
    rule: str | None = None
    fields: tuple[str, ...] = ()


class Throttle:
    """Decides which alerts pass; the first setting that fits an alert's rule decides. Any thread may ask.

    Time is that of the events, so that a recording gives the same alerts whenever it is read.
    """

    def __init__(self, settings: Sequence[ThrottleSettings]) -> None:
        self._settings = tuple(settings)
        self._buckets: OrderedDict[Kind, TokenBucket] = OrderedDict()
        self._lock = Lock()
        self.held_back: Counter[str] = Counter()

    def passes(self, alert: Alert) -> bool:
        """Return whether the alert is to be written."""
        settings = next((each for each in self._settings if each.rule in (None, alert.rule)), None)
        if settings is None:
            return True
        kind = (alert.rule, *(str(alert.fields.get(name)) for name in settings.fields))
        now = alert.time / _NANOSECONDS
        with self._lock:
            bucket = self._buckets.get(kind)
            if bucket is None:
                bucket = self._buckets[kind] = TokenBucket(settings.rate, settings.burst, now)
                if len(self._buckets) > BUCKETS:
                    self._buckets.popitem(last=False)
            else:
                self._buckets.move_to_end(kind)
            if bucket.take(now):
                return True
            self.held_back[alert.rule] += 1
            return False
