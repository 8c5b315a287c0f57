"""A limit on how often something may happen."""

from __future__ import annotations

import time
from collections.abc import Callable


class Rate:
    """A bucket that holds as many tokens as may be used in a second, and fills evenly; None means no limit."""

    def __init__(self, per_second: float | None, now: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._now = now
        self._size = max(per_second or 0.0, 1.0)
        self._tokens = self._size
        self._filled = now()

    def allows(self) -> bool:
        """Use a token up and return True; return False where there is none."""
        if self._per_second is None:
            return True
        now = self._now()
        self._tokens = min(self._size, self._tokens + (now - self._filled) * self._per_second)
        self._filled = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
