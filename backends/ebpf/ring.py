"""The reader's side of a BPF ring buffer, mapped into memory."""

from __future__ import annotations

import mmap
import select
from typing import Final

_PAGE: Final = mmap.PAGESIZE
_BUSY: Final = 1 << 31
_DISCARDED: Final = 1 << 30
_HEAD: Final = 8


class Ring:
    """Takes records out of the ring buffer with descriptor `map` and a capacity of `size` bytes.

    The kernel maps the buffer twice in a row, so that a record is never in two pieces.
    """

    def __init__(self, map: int, size: int) -> None:
        self._mask = size - 1
        self._consumer_map = mmap.mmap(map, _PAGE, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
        self._producer_map = mmap.mmap(map, _PAGE + 2 * size, mmap.MAP_SHARED, mmap.PROT_READ, offset=_PAGE)
        # Written in one piece as a 64-bit number, as the kernel's reading of it requires.
        self._consumer_view = memoryview(self._consumer_map)[:8]
        self._consumer = self._consumer_view.cast("Q")
        self._whole = memoryview(self._producer_map)
        self._producer_view = self._whole[:8]
        self._producer = self._producer_view.cast("Q")
        self._data = self._whole[_PAGE:]
        self._poll = select.epoll()
        self._poll.register(map, select.EPOLLIN)

    def wait(self, timeout: float) -> None:
        """Return when there are records, or after `timeout` seconds."""
        if self._producer[0] == self._consumer[0]:
            self._poll.poll(timeout)

    def take(self, limit: int) -> list[bytes]:
        """Return up to `limit` records that have been written, and give their room back."""
        at, end = self._consumer[0], self._producer[0]
        if at == end:
            return []
        data, mask = self._data, self._mask
        records: list[bytes] = []
        keep, from_bytes = records.append, int.from_bytes
        while at < end and len(records) < limit:
            start = at & mask
            head = from_bytes(data[start : start + 4], "little")
            if head & _BUSY:
                break
            length = head & ~_DISCARDED
            if not head & _DISCARDED:
                start += _HEAD
                keep(bytes(data[start : start + length]))
            at += (length + _HEAD + 7) & ~7
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
            self._data,
            self._whole,
        ):
            view.release()
        self._consumer_map.close()
        self._producer_map.close()
