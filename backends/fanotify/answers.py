"""Answers to held opens: each is allowed, by its deadline at the latest."""

from __future__ import annotations

import os
import struct
import threading
import time
from contextlib import suppress
from typing import Final

from refengine.backends.fanotify import binding

DEADLINE: Final = 0.2
"""Seconds that an open may be held."""

_RESPONSE: Final = struct.Struct("=iI")


class Answers:
    """Answers the opens of one group, one at a time.

    A second thread lets an open go when `allow` is not called within `deadline` seconds after `hold`, whatever the
    first thread is waiting for; `late` counts these.
    """

    def __init__(self, group: int, deadline: float = DEADLINE) -> None:
        self.late = 0
        self._group = group
        self._deadline = deadline
        self._descriptor = -1
        self._until = 0.0
        self._changed = threading.Condition()
        self._ended = False
        self._watchdog = threading.Thread(target=self._watch, daemon=True)
        self._watchdog.start()

    def hold(self, descriptor: int) -> None:
        """Begin the time of an open, which is known by the descriptor of its record."""
        with self._changed:
            self._descriptor = descriptor
            self._until = time.monotonic() + self._deadline
            self._changed.notify()

    def allow(self) -> None:
        """Let the open go on, unless that has been done already, and give its descriptor back."""
        with self._changed:
            if self._descriptor >= 0:
                self._let_go()

    def close(self) -> None:
        """End the watchdog."""
        with self._changed:
            self._ended = True
            self._changed.notify()
        self._watchdog.join()

    def _let_go(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        with suppress(OSError):  # the opener may have been killed meanwhile
            os.write(self._group, _RESPONSE.pack(descriptor, binding.ALLOW))
        os.close(descriptor)

    def _watch(self) -> None:
        with self._changed:
            while not self._ended:
                if self._descriptor < 0:
                    self._changed.wait()
                    continue
                left = self._until - time.monotonic()
                if left > 0:
                    self._changed.wait(left)
                else:
                    self.late += 1
                    self._let_go()
