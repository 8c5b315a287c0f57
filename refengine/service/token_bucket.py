"""A token bucket: what may happen so often at once, and so often in the long run."""

from __future__ import annotations


class TokenBucket:
    """Holds at most `burst` tokens and gains `rate` a second; it begins full.

    Times are in seconds of any one clock; one that goes backwards gains nothing.
    """

    __slots__ = ("_at", "_burst", "_rate", "_tokens")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._at = now

    def take(self, now: float) -> bool:
        """Take one token and return true, or return false where there is none."""
        if now > self._at:
            self._tokens = min(self._burst, self._tokens + self._rate * (now - self._at))
            self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
