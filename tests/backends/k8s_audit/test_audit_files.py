from __future__ import annotations

import gzip
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from refengine.backends.k8s_audit.documents import BROKEN
from refengine.backends.k8s_audit.files import AuditFileBackend
from refengine.errors import BackendError
from refengine.event import Event
from tests.backends.k8s_audit.audit import EVERYTHING, audit, listed


def lines(*values: Any) -> bytes:
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


def read(path: Path) -> tuple[list[Event], AuditFileBackend]:
    backend = AuditFileBackend(path)
    backend.open(EVERYTHING)
    events: list[Event] = []
    while (batch := backend.read(0)) is not None:
        assert batch
        events.extend(batch)
    backend.close()
    backend.close()
    return events, backend


MANY = [audit(number) for number in range(1, 700)]


@pytest.mark.parametrize(
    ("content", "ids"),
    [
        (lines(audit(1), audit(2)), ["1", "2"]),
        (lines(*MANY), [str(number) for number in range(1, 700)]),
        (b"\n \n" + lines(audit(1)) + b"\n" + lines(audit(2)).rstrip(), ["1", "2"]),
        (lines(listed(audit(1), audit(2)), audit(3)), ["1", "2", "3"]),
        (json.dumps(audit(1), indent=2).encode(), ["1"]),
        (json.dumps([audit(1), audit(2)], indent=2).encode(), ["1", "2"]),
        (json.dumps(listed(audit(1), audit(2)), indent=1).encode(), ["1", "2"]),
        (b"", []),
        (b"\n\n", []),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_every_form_of_a_log(tmp_path: Path, content: bytes, ids: list[str], packed: bool) -> None:
    path = tmp_path / "log"
    path.write_bytes(gzip.compress(content) if packed else content)
    events, backend = read(path)
    assert [event.document["auditID"] for event in events] == ids  # type: ignore[attr-defined]
    assert [event.number for event in events] == list(range(1, len(ids) + 1))
    assert (backend.statistics().seen, backend.statistics().delivered) == (len(ids), len(ids))
    assert backend.warnings == []


@pytest.mark.parametrize(
    ("content", "ids", "warnings"),
    [
        (
            lines(audit(1)) + b"{\n" + lines(audit(2)),
            ["1", "2"],
            [":2: line 2, column 1: Expecting property"],
        ),
        (b"{\n" + lines(audit(2)), ["2"], [":1: line 2, column 1: Expecting property"]),
        (lines({"kind": "Pod"}, audit(1)), ["1"], [":1: the object is no audit event"]),
        (b'{\n"auditID"\n', [], [":1: line 3, column 1: Expecting ':'"]),
        (b"no json", [], [":1: line 1, column 1: Expecting value"]),
        (b"\x00\xff" * 5000, [], [":1: line 1, column 1: Expecting value"]),
    ],
)
def test_broken_texts_are_counted_and_the_rest_is_read(
    tmp_path: Path, content: bytes, ids: list[str], warnings: list[str]
) -> None:
    path = tmp_path / "log"
    path.write_bytes(content)
    events, backend = read(path)
    assert [event.document["auditID"] for event in events] == ids  # type: ignore[attr-defined]
    assert backend.statistics().dropped == {BROKEN: len(warnings)}
    for found, expected in zip(backend.warnings, warnings, strict=True):
        assert found.startswith(f"{path}{expected}")


def test_a_log_that_was_cut_off_while_compressed_is_read_so_far(tmp_path: Path) -> None:
    path = tmp_path / "log.gz"
    path.write_bytes(gzip.compress(lines(*MANY))[:-20])
    events, backend = read(path)
    assert 0 < len(events) < len(MANY)
    assert len(backend.warnings) <= 2
    assert any("the compressed file is broken" in warning for warning in backend.warnings)


def test_warnings_are_limited_and_counts_are_not(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(lines(audit(1)) + b"x\n" * 500)
    _, backend = read(path)
    assert len(backend.warnings) == 20
    assert backend.statistics().dropped == {BROKEN: 500}


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BufferedReader(io.BytesIO(lines(audit(1), audit(2)))))
    monkeypatch.setattr(sys, "stdin", stream)
    events, backend = read(Path("-"))
    assert len(events) == 2
    assert backend.progress == (0, 0)
    assert not stream.buffer.closed


def test_how_far_reading_is(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(lines(*MANY))
    backend = AuditFileBackend(path)
    assert backend.progress == (0, 0)
    backend.open(EVERYTHING)
    backend.read(0)
    done, size = backend.progress
    assert 0 < done <= size == path.stat().st_size
    backend.close()


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match=r"cannot read .*: No such file"):
        read(tmp_path / "none")
    with pytest.raises(BackendError, match="has not been opened"):
        AuditFileBackend(tmp_path).read(0)
    with pytest.raises(BackendError, match=r"cannot read .*: Is a directory"):
        read(tmp_path)
