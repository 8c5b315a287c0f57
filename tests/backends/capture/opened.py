"""Reading of captures in tests."""

from __future__ import annotations

from pathlib import Path

from refengine.backends.base import Interest
from refengine.backends.capture.reader import CaptureReader
from refengine.backends.capture.tables import SystemTables
from refengine.event import Event

EVERYTHING = Interest(None)


class Read:
    """A capture that has been read to its end."""

    def __init__(self, reader: CaptureReader, events: list[Event], sections: list[SystemTables]) -> None:
        self.events = events
        self.sections = sections
        self.warnings = reader.warnings
        self.statistics = reader.statistics

    @property
    def tables(self) -> SystemTables:
        (tables,) = self.sections
        return tables


def read_capture(folder: Path, data: bytes, interest: Interest = EVERYTHING, limit: int = 4096) -> Read:
    path = folder / "test.scap"
    path.write_bytes(data)
    return read_file(path, interest, limit)


def read_file(path: Path, interest: Interest = EVERYTHING, limit: int = 4096) -> Read:
    sections: list[SystemTables] = []
    reader = CaptureReader(path, interest, sections.append)
    events: list[Event] = []
    while (batch := reader.read(limit)) is not None:
        assert 0 < len(batch) <= limit
        events += batch
    return Read(reader, events, sections)
