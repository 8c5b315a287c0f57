"""What the kernel side sees of a call, as Python has it for tests."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from refengine.backends.ebpf.layout import FileState
from refengine.event.paths import normalised

NAME_LIMIT: Final = 256
"""Names of this many bytes or more are unknown to the kernel side."""

AT_FDCWD: Final = -100
O_ACCESS_MODE, O_WRITE_ONLY, O_READ_WRITE, O_DIRECTORY = 3, 1, 2, 0o200000


class Level(IntEnum):
    """What has to be looked at for a fact: what costs least, or excludes most, first."""

    RESULT = 0
    ARGUMENTS = 1
    SOCKET = 2
    NAME = 3
    THREAD = 4
    CONTAINER = 5


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

    def name(self) -> bytes | None:
        """Return the absolute path where it is certain, None where it is unknown."""
        raw = self.raw
        if raw is None or not 0 < len(raw) < NAME_LIMIT - 1:
            return None
        if not raw.startswith(b"/"):
            if self.directory != AT_FDCWD or self.cwd is None:
                return None
            cwd = b"" if self.cwd == b"/" else self.cwd
            if raw.startswith(b"./"):
                if not cwd:
                    return None
                raw = raw[2:]
            raw = cwd + b"/" + raw
        if len(raw) >= NAME_LIMIT or raw.endswith(b"/") or not _is_plain(raw):
            return None
        text = raw.decode("ascii")
        return raw if normalised(text) == text else None

    def has_dots(self) -> bool | None:
        """Return False where the path as given is certain to have no two dots in a row, None otherwise."""
        raw = self.raw
        if raw is None or not 0 < len(raw) < NAME_LIMIT - 1 or not _is_plain(raw):
            return None
        return None if b".." in raw else False


def _is_plain(text: bytes) -> bool:
    return all(0x20 <= byte < 0x7F for byte in text)
