"""What the kernel side sees of a call, as Python has it for tests."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from refengine.backends.ebpf.layout import FileState

NAME_LIMIT: Final = 256
"""Names of this many bytes or more are unknown to the kernel side."""

AT_FDCWD: Final = -100
O_ACCESS_MODE, O_WRITE_ONLY, O_READ_WRITE, O_DIRECTORY = 3, 1, 2, 0o200000


class Level(IntEnum):
    """What has to be looked at for a fact: what costs least, or excludes most, first."""

    RESULT = 0
    ARGUMENTS = 1
    SOCKET = 2
    TEXT = 3
    NAME = 4
    THREAD = 5
    CONTAINER = 6


@dataclass(frozen=True, slots=True)
class Facts:
    """What the kernel side sees of a call. `raw` is the path as given, None where it cannot be read.

    `opened` is what the descriptor stands for that the call is about, None where that is nothing. `address` is the
    socket's address among the arguments, as much of it as the call says, None where there is none, empty where it
    cannot be read. `on_host` is true where the thread is certain to be outside of every container.
    """

    result: int
    comm: bytes = b""
    uid: int = 0
    flags: int | None = None
    raw: bytes | None = None
    directory: int = AT_FDCWD
    cwd: bytes | None = None
    args: tuple[int, ...] = ()
    opened: FileState | None = None
    address: bytes | None = None
    on_host: bool = False

    def plain_text(self) -> bytes | None:
        """Return the text of the path where the name is certain to have it as it is, None otherwise.

        A relative text, without a "./" in front of it, is the end of the name then, and an absolute one all of it.
        """
        raw = self.raw
        if raw is None or not 0 < len(raw) < NAME_LIMIT - 1 or not is_plain(raw):
            return None
        joined = raw[1:] if raw.startswith(b"./") else raw
        if any(pair in joined + b"/" for pair in (b"//", b"..", b"./")):
            return None
        return raw.removeprefix(b"./")

    def name(self) -> bytes | None:
        """Return the absolute path where it is certain, None where it is unknown."""
        text = self.plain_text()
        if text is None:
            return None
        if not text.startswith(b"/"):
            if self.directory != AT_FDCWD or self.cwd is None:
                return None
            text = self.cwd.rstrip(b"/") + b"/" + text
        return text if len(text) < NAME_LIMIT and is_plain(text) else None


def is_plain(text: bytes) -> bool:
    """Return whether a text is of printable ASCII characters only."""
    return all(0x20 <= byte < 0x7F for byte in text)
