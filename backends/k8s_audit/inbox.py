"""What has been received and not been evaluated yet, between the thread that listens and the one that evaluates."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from threading import Condition
from typing import Any, TypeAlias

Document: TypeAlias = "Mapping[str, Any]"


class Inbox:
    """Holds at most `events` documents, whose texts have at most `size` bytes together; any thread may use it.

    What comes together is taken in together or not at all; a delivery that is larger than the inbox is taken in
    when the inbox is empty.
    """

    def __init__(self, events: int, size: int) -> None:
        self._events = events
        self._size = size
        self._held_events = 0
        self._held_size = 0
        self._deliveries: deque[tuple[Sequence[Document], int]] = deque()
        self._changed = Condition()

    def offer(self, documents: Sequence[Document], size: int) -> bool:
        """Take in what came in one text of `size` bytes, and return True; return False where there is no room."""
        with self._changed:
            if self._held_events and (
                self._held_events + len(documents) > self._events or self._held_size + size > self._size
            ):
                return False
            self._deliveries.append((documents, size))
            self._held_events += len(documents)
            self._held_size += size
            self._changed.notify()
            return True

    def take(self, timeout: float) -> Sequence[Document]:
        """Return the documents of the oldest delivery; none after `timeout` seconds without any."""
        with self._changed:
            if not self._deliveries and not self._changed.wait_for(lambda: bool(self._deliveries), timeout):
                return ()
            documents, size = self._deliveries.popleft()
            self._held_events -= len(documents)
            self._held_size -= size
            return documents

    def __len__(self) -> int:
        return self._held_events
