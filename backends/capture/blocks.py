"""The block structure of a capture: what kinds of blocks there are, and a walk over them.

A block is its type, its total length, a body, and the total length once more, all numbers in the byte order that
the section header's magic number shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct

from refengine.backends.capture.stream import CaptureError

SECTION_HEADER = 0x0A0D0D0A
MAGIC = 0x1A2B3C4D
MAJOR_VERSION = 1

MACHINE_INFO = frozenset({0x201, 0x8000ABCD})
PROCESS_LISTS = {
    0x202: 1,
    0x8000ABCE: 1,
    0x207: 2,
    0x8000ABD3: 2,
    0x209: 3,
    0x8000ABD5: 3,
    0x210: 4,
    0x211: 5,
    0x212: 6,
    0x213: 7,
    0x214: 8,
    0x215: 9,
}
"""The version of the entries by the type of a process list's block; each version has more fields."""
DESCRIPTOR_LISTS = {0x203: 1, 0x8000ABCF: 1, 0x218: 2}
INTERFACE_LISTS = {0x205: 1, 0x8000ABD1: 1, 0x219: 2}
USER_LISTS = {0x206: 1, 0x8000ABD2: 1, 0x220: 2}

EVENT, EVENT_WITH_FLAGS = 0x204, 0x208
EVENT_INTERNAL = 0x8000ABD0
EVENT_V2, EVENT_WITH_FLAGS_V2 = 0x216, 0x217
EVENT_V2_LARGE, EVENT_WITH_FLAGS_V2_LARGE = 0x221, 0x222

MAX_BLOCK = 1 << 26
"""A longer block is taken for corruption, so that a wrong length cannot ask for all the memory."""
_FRAME = 12  # type, length, and the length again
_SECTION_SIZE = 28


class BlockReader:
    """A walk over the blocks, with a window on the bytes not yet passed.

    `window[position:]` are those bytes and `base + position` is the offset of the first of them. `order` is the
    byte order for `struct`, known once the section header has been read. Readers of many small blocks look into
    the window themselves and move `position` on.
    """

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self.window = b""
        self.position = 0
        self.base = 0
        self.order = "<"
        self._head = Struct("<II")
        self._fault: CaptureError | None = None

    @property
    def offset(self) -> int:
        """The offset of the next unread byte in the decompressed file."""
        return self.base + self.position

    def require(self, size: int) -> bool:
        """Return whether `size` unread bytes are there, after reading on as far as needed."""
        missing = size - (len(self.window) - self.position)
        if missing <= 0:
            return True
        parts = [self.window[self.position :]]
        while missing > 0:
            chunk = self._next_chunk()
            if not chunk:
                break
            parts.append(chunk)
            missing -= len(chunk)
        self.base += self.position
        self.position = 0
        self.window = b"".join(parts)
        return missing <= 0

    def _next_chunk(self) -> bytes:
        if self._fault is not None:
            return b""
        try:
            return next(self._chunks, b"")
        except CaptureError as fault:
            self._fault = fault
        except OSError as error:
            self._fault = CaptureError(f"reading failed: {error.strerror}")
        return b""

    def section_header(self) -> None:
        """Read the header that begins a file, or a further section of it, and take its byte order over.

        :raises CaptureError: when there is none, or one of a version that is not understood.
        """
        if not self.require(_SECTION_SIZE):
            raise self.truncated("the section header is cut off" if self.require(1) else "the file is empty")
        for order in "<", ">":
            head = Struct(order + "IIIHH")
            kind, length, magic, major, minor = head.unpack_from(self.window, self.position)
            if kind == SECTION_HEADER and magic == MAGIC:
                break
        else:
            raise CaptureError("this is no capture file: it has no section header", self.offset)
        if major != MAJOR_VERSION:
            raise CaptureError(f"version {major}.{minor} of the format is not known", self.offset)
        self.order = order
        self._head = Struct(order + "II")
        self.check(length)
        self.position += length

    def next_header(self) -> tuple[int, int] | None:
        """Return type and total length of the next whole block, without passing it; None at the end.

        The type of a section header reads the same in both byte orders; its length is left to `section_header`.

        :raises CaptureError: when it is cut off or its lengths make no sense.
        """
        if not self.require(_FRAME):
            if self.require(1) or self._fault is not None:
                raise self.truncated("the last block is cut off")
            return None
        kind, length = self._head.unpack_from(self.window, self.position)
        if kind != SECTION_HEADER:
            self.check(length)
        return kind, length

    def check(self, length: int) -> None:
        """Make sure that the block at the position is whole and that both its lengths say `length`.

        :raises CaptureError: when it is not.
        """
        if not _FRAME <= length <= MAX_BLOCK:
            raise CaptureError(f"a block has the impossible length {length}", self.offset)
        if not self.require(length):
            there = len(self.window) - self.position
            raise self.truncated(f"a block of {length} bytes is cut off after {there}")
        start, stop = self.position, self.position + length
        if self.window[stop - 4 : stop] != self.window[start + 4 : start + 8]:
            raise CaptureError(
                f"the lengths at the two ends of a block differ (the first is {length})", self.offset
            )

    def body(self, length: int) -> bytes:
        """Pass the block of total `length` and return what is between its type, its lengths."""
        start = self.position
        self.position += length
        return self.window[start + 8 : start + length - 4]

    def truncated(self, message: str) -> CaptureError:
        """Return the fault of a file that ends too early; the reason of the stream itself comes first."""
        if self._fault is not None:
            return CaptureError(str(self._fault), self.offset)
        return CaptureError(message, self.offset)
