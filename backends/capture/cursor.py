"""Reading of the packed records in a block's body, field by field."""

from __future__ import annotations

from struct import Struct

from refengine.backends.capture.stream import CaptureError

_SIZES = {"B": 1, "H": 2, "I": 4, "i": 4, "Q": 8, "q": 8}


class Cursor:
    """A position in a block's body; `offset` is where that body begins in the file.

    Every reading method raises `CaptureError` where the body ends too early.
    """

    def __init__(self, body: bytes, order: str, offset: int) -> None:
        self._body = body
        self._offset = offset
        self._layouts = {code: Struct(order + code) for code in _SIZES}
        self.position = 0

    @property
    def left(self) -> int:
        """The number of bytes not read yet."""
        return len(self._body) - self.position

    def number(self, code: str) -> int:
        """Return the next number, of the size and sign that the `struct` code names."""
        layout = self._layouts[code]
        value: int = layout.unpack_from(self._body, self._advance(layout.size))[0]
        return value

    def take(self, size: int) -> bytes:
        """Return the next `size` bytes."""
        start = self._advance(size)
        return self._body[start : start + size]

    def block(self) -> bytes:
        """Return the bytes that follow their number, a 16-bit one."""
        return self.take(self.number("H"))

    def text(self) -> str:
        """Return the text that follows its length, a 16-bit one."""
        return self.block().decode("utf-8", "surrogateescape")

    def seek(self, position: int) -> None:
        """Go on at `position`, which must not lie before the present one or behind the end."""
        if position < self.position:
            raise self.fault(f"an entry is longer than it says, by {self.position - position} bytes")
        self._advance(position - self.position)

    def fault(self, message: str) -> CaptureError:
        """Return a fault at the present position."""
        return CaptureError(message, self._offset + self.position)

    def _advance(self, size: int) -> int:
        start = self.position
        if start + size > len(self._body):
            raise self.fault(f"an entry of a list is cut off: {size} bytes wanted, {self.left} left")
        self.position = start + size
        return start
