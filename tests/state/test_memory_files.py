"""Files that lie in a process's memory are read by a thread that is there only while it is asked."""

from __future__ import annotations

import hashlib
import threading
import time
from pathlib import Path

import pytest

from refengine.state import memory_files
from refengine.state.memory_files import MemoryFiles
from refengine.state.proc_file import read_file


def readers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "memory files"]


def test_threads_go_when_nobody_asks_and_come_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(memory_files, "_IDLE", 0.05)
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"1" * 200_000)
    other.write_bytes(b"\0")
    paths = [str(path) for path in (one, other, tmp_path / "none")]
    before = set(readers())
    kept = [MemoryFiles(patience=10) for _ in range(20)]
    for _ in range(3):
        for files in kept:
            assert files.read(paths) == [b"1" * 200_000, b"\0", b""]
            assert files.read(paths[1:]) == [b"\0", b""]
        limit = time.monotonic() + 10
        while set(readers()) - before:
            assert time.monotonic() < limit, "threads that nobody asks stay"
            time.sleep(0.01)
    assert not any(files.late for files in kept)


def test_one_thread_answers_many_questions(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    files = MemoryFiles(patience=10)
    before = set(readers())
    for _ in range(500):
        assert files.read([str(tmp_path / "file")]) == [b"x"]
    assert len(set(readers()) - before) <= 1


def test_who_only_wants_for_a_processor_gets_more_time(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = str(tmp_path / "file")

    def slow(asked: str) -> bytes:
        if asked == path:
            # As good as a reader that is kept waiting by others: it is ready to run, and holds no lock of the interpreter.
            hashlib.pbkdf2_hmac("sha256", b"", b"", 200_000)
            return b"late"
        return read_file(asked)

    monkeypatch.setattr(memory_files, "read_file", slow)
    files = MemoryFiles(patience=0.05)
    assert files.read([path]) == [b"late"]
    assert not files.late


def test_a_question_at_the_very_end_of_a_thread_is_answered(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"x")
    monkeypatch.setattr(memory_files, "_IDLE", 0.0005)
    files = MemoryFiles(patience=10)
    for number in range(400):
        assert files.read([str(tmp_path / "file")]) == [b"x"]
        time.sleep(number % 20 / 20_000)
    assert not files.late
