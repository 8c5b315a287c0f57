"""The reader's side of a BPF ring buffer, mapped into memory."""

from __future__ import annotations

import mmap
import select
from time import monotonic, sleep
from typing import Final

PAGE_SIZE: Final = mmap.PAGESIZE
_BUSY: Final = 1 << 31
_DISCARDED: Final = 1 << 30
_HEAD: Final = 8
_GATHERING: Final = 0.005
"""Seconds that records are given to come together."""


class Ring:
    """Takes records out of the ring buffer with descriptor `map` and a capacity of `size` bytes.

    The kernel maps the buffer twice in a row, so that a record is never in two pieces.
    """

    def __init__(self, map: int, size: int) -> None:
        self._mask = size - 1
        self._consumer_map = mmap.mmap(map, PAGE_SIZE, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
        self._producer_map = mmap.mmap(
            map, PAGE_SIZE + 2 * size, mmap.MAP_SHARED, mmap.PROT_READ, offset=PAGE_SIZE
        )
        # Written in one piece as a 64-bit number, as the kernel's reading of it requires.
        self._consumer_view = memoryview(self._consumer_map)[:8]
        self._consumer = self._consumer_view.cast("Q")
        self._whole = memoryview(self._producer_map)
        self._producer_view = self._whole[:8]
        self._producer = self._producer_view.cast("Q")
        self._words = self._whole.cast("I")
        self._poll = select.epoll()
        self._poll.register(map, select.EPOLLIN)
        self._woken = 0.0

    def wait(self, timeout: float) -> None:
        """Return when there are records, or after `timeout` seconds.

        Where the last ones are but a moment ago, others are given the time to come together, so that a stream of
        them does not wake the reader, nor makes their makers wake it, one by one.
        """
        at = self._consumer[0]
        if self._producer[0] != at:
            if self._words[PAGE_SIZE + (at & self._mask) >> 2] & _BUSY:
                # Who writes it has been interrupted, and all others are behind it.
                sleep(min(_GATHERING, timeout))
            return
        rest = self._woken + _GATHERING - monotonic()
        if rest > 0:
            sleep(min(rest, timeout))
            if self._producer[0] != self._consumer[0]:
                self._woken = monotonic()
                return
            timeout -= rest
        if timeout > 0:
            self._poll.poll(timeout)
            self._woken = monotonic()

    def take(self, limit: int) -> list[bytes]:
        """Return up to `limit` records that have been written, and give their room back."""
        at, end = self._consumer[0], self._producer[0]
        if at == end:
            return []
        data, words = self._producer_map, self._words
        records: list[bytes] = []
        keep = records.append
        # The buffer is mapped twice in a row: from a place in the first, all that is written is without a break.
        start = PAGE_SIZE + (at & self._mask)
        to_place = at - start
        last = end - to_place
        while start < last and len(records) < limit:
            head = words[start >> 2]
            start += _HEAD
            if head < _DISCARDED:
                keep(data[start : start + head])
            elif head & _BUSY:
                start -= _HEAD
                break
            else:
                head &= ~_DISCARDED
            start += head + 7 & ~7
        at = start + to_place
        self._consumer[0] = at
        return records

    def close(self) -> None:
        """Unmap the buffer."""
        self._poll.close()
        for view in (
            self._consumer,
            self._consumer_view,
            self._producer,
            self._producer_view,
            self._words,
            self._whole,
        ):
            view.release()
        self._consumer_map.close()
        self._producer_map.close()
