"""The capture backend as the rest of the program uses it."""

from __future__ import annotations

import os
import threading
import tracemalloc
from pathlib import Path

import pytest

from benchmarks.make_capture import make_capture
from refengine.backends.base import Backend, Interest
from refengine.backends.capture.backend import CaptureBackend
from refengine.backends.capture.connect import connect
from refengine.backends.target import Target
from refengine.errors import BackendError
from refengine.event import Event
from tests.backends.capture.opened import read_file
from tests.backends.capture.raw import capture, event, i64

EVERYTHING = Interest(None)


def test_it_is_a_backend(tmp_path: Path) -> None:
    path = tmp_path / "x.scap"
    path.write_bytes(capture(event("SYSCALL_CLOSE_X", i64(0), i64(3))))
    backend: Backend = CaptureBackend(path)
    assert backend.statistics().seen == 0
    backend.close()
    backend.open(EVERYTHING)
    events = backend.read(0.0)
    assert events is not None
    assert [found.name for found in events] == ["close"]
    assert backend.read(0.0) is None
    assert backend.read(0.0) is None
    assert (backend.statistics().seen, backend.statistics().delivered) == (1, 1)
    assert backend.exit_code is None
    backend.close()
    backend.close()
    assert backend.statistics().seen == 1


def test_reading_before_opening_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match="has not been opened"):
        CaptureBackend(tmp_path / "x.scap").read(0.0)


def test_the_tables_and_the_events_make_the_state(tmp_path: Path) -> None:
    path = tmp_path / "made.scap"
    made = make_capture(path, 300)
    connection = connect(Target(files=(path,)))
    connection.backend.open(EVERYTHING)
    seen: list[tuple[str, str, str | None]] = []

    def look(found: Event) -> None:
        connection.observe(found)
        thread = found.thread
        assert thread is not None
        parent = thread.parent
        assert parent is not None
        seen.append((found.name, thread.comm, parent.comm))
        if found.name == "read":
            assert found.descriptor is not None
            assert found.descriptor.name.startswith("/")
        if found.name == "execve":
            assert thread.cwd == "/home/user/"

    while (events := connection.backend.read(0.0)) is not None:
        for found in events:
            assert isinstance(found, Event)
            look(found)
    assert connection.backend.statistics().seen == made
    assert ("clone", "bash", "systemd") in seen
    programs = {(comm, parent) for name, comm, parent in seen if name == "execve"}
    assert programs <= {(name, "bash") for name in ("ls", "cat", "grep", "curl", "python3", "tar")}
    assert list(connection.warnings()) == []


def test_progress_is_told_in_bytes_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "made.scap.gz"
    make_capture(path, 50_000, compress=True)
    backend = CaptureBackend(path)
    assert backend.progress == (0, 0)
    backend.open(EVERYTHING)
    places = []
    while backend.read(0.0) is not None:
        position, size = backend.progress
        assert size == path.stat().st_size
        places.append(position)
    assert places == sorted(places)
    assert 0 < places[0] < places[len(places) // 2] <= size


def test_a_capture_may_come_through_a_pipe(tmp_path: Path) -> None:
    data = capture(*(event("SYSCALL_CLOSE_X", i64(0), i64(number)) for number in range(5000)))
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writing = threading.Thread(target=pipe.write_bytes, args=(data,))
    writing.start()
    try:
        read = read_file(pipe)
    finally:
        writing.join(timeout=60)
    assert [found.param("fd") for found in read.events] == list(range(5000))
    assert read.warnings == []


def test_a_file_that_grows_is_read_to_the_end_that_it_has_then(tmp_path: Path) -> None:
    path = tmp_path / "grows.scap"
    one = event("SYSCALL_CLOSE_X", i64(0), i64(3))
    path.write_bytes(capture(one))
    backend = CaptureBackend(path)
    backend.open(EVERYTHING)
    with path.open("ab") as file:
        file.write(one * 10_000 + one[:-3])
    count = 0
    while (events := backend.read(0.0)) is not None:
        count += len(events)
    assert count == 10_001
    (said,) = backend.warnings
    assert "is cut off" in said


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "made.scap"
    peaks = []
    for count in (2_000, 20_000):
        make_capture(path, count)
        backend = CaptureBackend(path)
        tracemalloc.start()
        backend.open(EVERYTHING)
        while backend.read(0.0) is not None:
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + (2 << 20)
