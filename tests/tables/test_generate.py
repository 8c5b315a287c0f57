"""The generator of the tables: slips of its input are put right, contradictions refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from refengine.tables import generate

SHIFTED = {
    "file_flags": [{"name": "O_RDONLY", "value": 1}],
    # Each of these three has the rows of the name after it; the first has been put too early.
    "close_range_flags": [{"name": "LOCK_SH", "value": 1}],
    "flock_flags": [{"name": "IPC_NOWAIT", "value": 1}],
    "semop_flags": [{"name": "CLOSE_RANGE_UNSHARE", "value": 2}],
    "keyctl_operations": [{"name": "KEYCTL_UPDATE", "value": 2}],
}
RIGHT = {
    "file_flags": "file_flags",
    "close_range_flags": "flock_flags",
    "flock_flags": "semop_flags",
    "semop_flags": "close_range_flags",
    "keyctl_operations": "keyctl_operations",
}


def event(code: int, enum: str, table: str | None = None) -> dict[str, Any]:
    param: dict[str, Any] = {"name": "flags", "type": "flags32", "format": "hex"}
    if table is not None:
        param["flag_table"] = table
    direction = "exit" if code % 2 else "enter"
    return {
        "code": code,
        "enum": enum,
        "name": "flock",
        "direction": direction,
        "flags": [],
        "params": [param],
    }


EVENTS = [event(0, "FLOCK_E"), event(1, "FLOCK_X", "close_range_flags")]
CALLS = [{"name": "flock", "sc_code": 5, "x86_64": 73, "enter": "FLOCK_E", "exit": "FLOCK_X"}]
FIELDS = [{"name": "evt.num", "class": "evt", "source": "any", "type": "uint64", "format": "id", "flags": []}]


def test_names_that_slipped_are_moved_back() -> None:
    assert generate.realigned_names(SHIFTED) == RIGHT


def test_names_in_their_places_stay() -> None:
    straight = {RIGHT[name]: rows for name, rows in SHIFTED.items()}
    assert generate.realigned_names(straight) == {name: name for name in straight}


@pytest.mark.parametrize(
    ("events", "calls", "complaint"),
    [
        ([EVENTS[1]], [], "event FLOCK_X has code 1 at row 0"),
        ([event(0, "FLOCK_E", "no_such_flags")], [], "the unknown flag table no_such_flags"),
        ([EVENTS[0]], CALLS, "system call flock names an unknown event type"),
    ],
)
def test_a_contradiction_is_refused(events: list[Any], calls: list[Any], complaint: str) -> None:
    with pytest.raises(SystemExit, match=complaint):
        generate.check(events, {"flock_flags": []}, calls)


@pytest.fixture
def reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a small reference; the generator writes beside it, into `data`."""
    folder = tmp_path / "reference"
    folder.mkdir()
    tables = {"events": EVENTS, "syscalls": CALLS, "flag_tables": SHIFTED, "fields": FIELDS}
    for name, content in tables.items():
        folder.joinpath(f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    data = tmp_path / "data"
    data.mkdir()
    monkeypatch.setattr(generate, "DATA", data)
    return folder


def test_the_tables_are_written_a_row_a_line(reference: Path) -> None:
    names = ["evt.num", *(row["name"] for row in generate.ADDED_FIELDS)]
    described = dict.fromkeys(names, "What the field is.")
    data = generate.DATA
    data.joinpath("field_descriptions.json").write_text(json.dumps(described), encoding="utf-8")
    generate.main([str(reference)])

    written = data.joinpath("events.json").read_text(encoding="utf-8")
    assert len(written.splitlines()) == len(EVENTS) + 2
    assert json.loads(written)[1]["params"][0]["flag_table"] == "flock_flags"
    assert list(json.loads(data.joinpath("flag_tables.json").read_bytes())) == list(RIGHT.values())
    assert [row["name"] for row in json.loads(data.joinpath("fields.json").read_bytes())] == names
    assert json.loads(data.joinpath("syscalls.json").read_bytes()) == CALLS


def test_a_field_without_a_description_stops_the_generator(reference: Path) -> None:
    generate.DATA.joinpath("field_descriptions.json").write_text(
        json.dumps({row["name"]: "" for row in generate.ADDED_FIELDS}), encoding="utf-8"
    )
    with pytest.raises(SystemExit, match=r"without a description: evt\.num"):
        generate.main([str(reference)])
    assert not generate.DATA.joinpath("events.json").exists()


@pytest.mark.parametrize("arguments", [[], ["one", "two"]])
def test_the_generator_needs_one_folder(arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match="REFERENCE_FOLDER"):
        generate.main(arguments)
