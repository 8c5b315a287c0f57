"""How a file was opened, which the kernel does not say when it tells that one was.

What is known comes from three places, never from a guess: flags that a held open has shown; the descriptor, where
the opener still has it, with the flags that the kernel keeps of it; the close, which the kernel tells apart for
files that were open for writing and for those that were not.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final, NamedTuple

from refengine.backends.fanotify import binding
from refengine.backends.fanotify.watch import Seen
from refengine.state.open_files import read_descriptor
from refengine.tables.flags import FLAG_TABLES

_FILE = FLAG_TABLES["file_flags"]
_READ, _WRITTEN, _DIRECTORY, _CREATED = (
    _FILE[name] for name in ("O_RDONLY", "O_WRONLY", "O_DIRECTORY", "O_F_CREATED")
)

SOME_DESCRIPTOR: Final = 0x7FFFFFFF
"""Stands for the number of a descriptor that was closed before it could be looked at; none is as high."""

PATIENCE: Final = 0.5
"""Seconds after which an open is told of although nobody knows how the file was opened."""

_CLOSES: Final = binding.CLOSE_WRITE | binding.CLOSE_NOWRITE
_PENDING_LIMIT: Final = 1 << 14


class Exact(NamedTuple):
    """The flags and the mode of an open that was held, both in the capture format's form."""

    flags: int
    mode: int


class Opened(NamedTuple):
    """A file that was opened: by whom, which, as what number, with which flags (None where unknown), mode, identity."""

    tid: int
    path: str
    number: int = SOME_DESCRIPTOR
    flags: int | None = None
    mode: int | None = None
    dev: int | None = None
    ino: int | None = None


class Opens:
    """Finds out how files were opened.

    `exact` gives what held opens have shown of a thread and a path, oldest first.
    """

    def __init__(self, exact: Callable[[int, str], list[Exact]]) -> None:
        self._exact = exact
        self._pending: dict[tuple[int, str], float] = {}
        self._created: dict[tuple[int, str], None] = {}

    def take(self, seen: Seen, now: float) -> list[Opened]:
        """Return the opens that can be told of now that this has been seen."""
        mask, tid, path, _ = seen
        key = (tid, path)
        if mask & binding.CREATE and not mask & binding.ONDIR:
            if len(self._created) >= _PENDING_LIMIT:
                del self._created[next(iter(self._created))]
            self._created[key] = None
        found = []
        if mask & _CLOSES and key in self._pending:
            del self._pending[key]
            found += self._closed(seen)
            mask &= binding.OPEN | binding.ONDIR
        if mask & binding.OPEN and not seen.mask & binding.OPEN_EXEC:
            found += self._opened(Seen(mask, tid, path), now)
        return found

    def flush(self, tid: int) -> list[Opened]:
        """Return the opens of a thread that are waiting, as it is about to become another program, or has ended."""
        return [self._last_word(key) for key in [key for key in self._pending if key[0] == tid]]

    def overdue(self, now: float) -> list[Opened]:
        """Return the opens that have waited long enough."""
        found = []
        while self._pending:
            key = next(iter(self._pending))
            if self._pending[key] > now and len(self._pending) <= _PENDING_LIMIT:
                break
            found.append(self._last_word(key))
        return found

    @property
    def waiting(self) -> bool:
        """True while opens wait to be told of."""
        return bool(self._pending)

    def forget_created(self) -> None:
        """Forget the files that have been made and not been opened: they were made in another way."""
        self._created.clear()

    def _opened(self, seen: Seen, now: float) -> list[Opened]:
        mask, tid, path, _ = seen
        exact = self._exact(tid, path)
        if exact:
            made = self._made(tid, path)
            return [Opened(tid, path, flags=flags | made, mode=mode) for flags, mode in exact]
        if mask & _CLOSES:
            return self._closed(seen)
        held = self._held(tid, path) if tid else None
        if held is not None:
            return [held]
        self._pending.setdefault((tid, path), now + PATIENCE)
        return []

    def _closed(self, seen: Seen) -> list[Opened]:
        """Return what the close of a file says of its open, of one for each kind where both were closed."""
        mask, tid, path, _ = seen
        kind = _DIRECTORY if mask & binding.ONDIR else 0
        found = []
        if mask & binding.CLOSE_WRITE:
            found.append(Opened(tid, path, flags=_WRITTEN | kind | self._made(tid, path)))
        if mask & binding.CLOSE_NOWRITE:
            found.append(Opened(tid, path, flags=_READ | kind | self._made(tid, path)))
        return found

    def _last_word(self, key: tuple[int, str]) -> Opened:
        del self._pending[key]
        tid, path = key
        return (self._held(tid, path) if tid else None) or Opened(tid, path)

    def _held(self, tid: int, path: str) -> Opened | None:
        """Return what the opener's own descriptor says; None where it has none, or several that differ."""
        numbers = _numbers_of(tid, path)
        descriptors = [found for number in numbers if (found := read_descriptor(tid, number)) is not None]
        if not descriptors or len({found.open_flags for found in descriptors}) > 1:
            return None
        one = descriptors[-1]
        flags = one.open_flags | self._made(tid, path)
        number = numbers[-1] if len(numbers) == 1 else SOME_DESCRIPTOR
        return Opened(tid, path, number, flags, None, one.dev, one.ino)

    def _made(self, tid: int, path: str) -> int:
        """Return the flag that says that the open made the file, if it did."""
        key = (tid, path)
        if key in self._created:
            del self._created[key]
            return _CREATED
        return 0


def _numbers_of(tid: int, path: str) -> list[int]:
    """Return the descriptors that a thread has of a file, by its path."""
    folder = f"/proc/{tid}/fd"
    try:
        names = os.listdir(folder)  # noqa: PTH208  (names are all that is wanted)
    except OSError:
        return []
    return sorted(int(name) for name in names if _link(f"{folder}/{name}") == path)


def _link(path: str) -> str | None:
    try:
        return os.readlink(path)  # noqa: PTH115  (the text of the link is no path)
    except OSError:
        return None
