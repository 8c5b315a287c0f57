"""Recordings that can be read again and again, since a field that nobody asked for yet has to be read anew.

What a field says of an event hangs on the state of its moment, which only reading from the beginning gives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TypeAlias

from refengine.authoring.observing import Observation
from refengine.backends.base import Interest
from refengine.backends.target import Target
from refengine.errors import UsageError
from refengine.event import Event, RecordedEvent

LIMIT = 1_000_000
"""Events that are looked at, where nobody says otherwise."""

_TOLD = 16_384
"""Events between two reports of how far reading has come."""

Progress: TypeAlias = "Callable[[int | None], None]"
"""Told now and then how many events of a recording have been read, and None when that has ended."""


@dataclass(slots=True)
class Recording:
    """A file with events, read by `backend`; of its events the first `length` count, all while that is None.

    `remarks` are what was found wrong with them when they were first read.
    """

    path: Path
    backend: str
    length: int | None = None
    remarks: list[str] = field(default_factory=list)
    _stamp: tuple[int, int] = (0, 0)

    @classmethod
    def of(cls, path: Path, backend: str) -> Recording:
        """Return the recording at `path`.

        :raises UsageError: when it is no file that can be read again.
        """
        if not path.is_file():
            what = "is no file that can be read again" if path.exists() else "is not there"
            raise UsageError(f"the recording '{path}' {what}")
        return cls(path, backend, _stamp=_stamp(path))

    def events(
        self, limit: int | None = None, progress: Progress | None = None
    ) -> Iterator[Event | RecordedEvent]:
        """Yield the events, at most `limit`, the state of each being that of its moment.

        :raises BackendError: when they cannot be read.
        :raises UsageError: when the file is another than before.
        """
        if _stamp(self.path) != self._stamp:
            raise UsageError(f"'{self.path}' has changed since it was loaded: load it in a new session")
        observation = Observation(self.backend, Target(files=(self.path,)))
        most = limit if self.length is None else self.length
        try:
            for number, event in enumerate(islice(observation.events(Interest(None)), most)):
                if progress is not None and number % _TOLD == 0:
                    progress(number)
                yield event
        finally:
            if progress is not None:
                progress(None)
        if self.length is None:
            self.remarks.extend((*observation.faults, *observation.remarks))


def _stamp(path: Path) -> tuple[int, int]:
    """Return what tells the present content of a file from a later one."""
    try:
        status = path.stat()
    except OSError as error:
        raise UsageError(f"cannot read '{path}': {error.strerror or error}") from None
    return status.st_mtime_ns, status.st_size
