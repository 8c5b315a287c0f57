"""Make the tables in `data/` out of reference tables of the engine's facts.

    python -m refengine.tables.generate REFERENCE_FOLDER

The folder holds `events.json`, `flag_tables.json`, `syscalls.json` and `fields.json`. They are checked against
each other, known slips are put right (each with its reason below), and one row a line is written, so that a
later generation shows up as a readable difference. Descriptions of fields are our own and live in
`data/field_descriptions.json`; the generator leaves them alone and fails when a field has none.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

Row = dict[str, Any]

DATA = Path(__file__).with_name("data")

ADDED_FIELDS: list[Row] = [
    # Declared through a cast of its flags upstream, which is why extraction from the source misses it.
    {
        "name": "evt.around",
        "class": "evt",
        "source": "syscall",
        "type": "uint64",
        "format": "id",
        "flags": ["filter_only", "arg_required", "no_rhs", "no_transformer"],
    },
    # Ours: the labels of the object that a request is about, so that rules may ask for one by its key.
    {
        "name": "ka.target.labels",
        "class": "ka",
        "source": "k8s_audit",
        "type": "charbuf",
        "format": "na",
        "flags": ["arg_required", "arg_key", "table_only", "extension"],
    },
]

CORRECTED_FIELDS: dict[str, Row] = {
    # Flagged as needing an argument, yet `evt.abspath` alone is accepted and means the event's first path.
    "evt.abspath": {"flags": ["arg_allowed"]},
}


def realigned_names(tables: dict[str, list[Row]]) -> dict[str, str]:
    """Return the right name of each flag table by the name that the reference gives it.

    In the reference table `close_range_flags` stands too early among the names, so that every later table
    has the values of its neighbour. The values are in the right order, and the events refer to the tables by
    the wrong names, so the names have to move in both.
    """
    names, values = list(tables), list(tables.values())
    if not any(row["name"] == "LOCK_SH" for row in tables.get("close_range_flags", ())):
        return {name: name for name in names}
    start = names.index("close_range_flags")
    end = next(i for i, rows in enumerate(values) if rows[0]["name"].startswith("CLOSE_RANGE_"))
    moved = [*names[:start], *names[start + 1 : end + 1], "close_range_flags", *names[end + 1 :]]
    return dict(zip(names, moved, strict=True))


def check(events: list[Row], flags: dict[str, list[Row]], syscalls: list[Row]) -> None:
    """Fail on a reference from one table to a row that another does not have."""
    for number, event in enumerate(events):
        if event["code"] != number:
            raise SystemExit(f"event {event['enum']} has code {event['code']} at row {number}")
        for param in event["params"]:
            table = param.get("flag_table")
            if table is not None and table not in flags:
                raise SystemExit(f"event {event['enum']} uses the unknown flag table {table}")
    enums = {event["enum"] for event in events}
    for call in syscalls:
        if not {call["enter"], call["exit"]} <= enums:
            raise SystemExit(f"system call {call['name']} names an unknown event type")


def write_rows(name: str, rows: list[Row]) -> None:
    """Write a table as a JSON array with one row a line."""
    body = ",\n".join(json.dumps(row) for row in rows)
    DATA.joinpath(f"{name}.json").write_text(f"[\n{body}\n]\n", encoding="utf-8")


def main(arguments: list[str]) -> None:
    """Generate every table from the folder that `arguments` names."""
    if len(arguments) != 1:
        raise SystemExit(__doc__)
    folder = Path(arguments[0])

    def read(name: str) -> Any:
        return json.loads(folder.joinpath(f"{name}.json").read_bytes())

    events, syscalls, tables = read("events"), read("syscalls"), read("flag_tables")
    right_name = realigned_names(tables)
    flags = {right_name[name]: rows for name, rows in tables.items()}
    for event in events:
        for param in event["params"]:
            if "flag_table" in param:
                param["flag_table"] = right_name[param["flag_table"]]
    fields = [{**row, **CORRECTED_FIELDS.get(row["name"], {})} for row in read("fields")]
    fields.extend(ADDED_FIELDS)
    check(events, flags, syscalls)
    described = json.loads(DATA.joinpath("field_descriptions.json").read_bytes())
    missing = [row["name"] for row in fields if row["name"] not in described]
    if missing:
        raise SystemExit(f"fields without a description: {', '.join(missing)}")
    write_rows("events", events)
    write_rows("syscalls", syscalls)
    write_rows("fields", fields)
    body = ",\n".join(f"{json.dumps(name)}: {json.dumps(rows)}" for name, rows in flags.items())
    DATA.joinpath("flag_tables.json").write_text(f"{{\n{body}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
