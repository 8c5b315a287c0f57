"""Compare the fields of replayed captures with values that another engine recorded.

    python -m benchmarks.field_parity FOLDER [--field NAME] [--capture NAME] [--samples N]

FOLDER holds captures `NAME.scap` and beside each `NAME.expected.jsonl.gz`: one JSON object an event, the fields of
the event by their full text (`proc.aname[1]`). The conventions of those files:

- A field that is missing from an object was absent from the event. Only fields that some event of the
  file has are compared.
- Values have the form that JSON alerts give them: addresses and byte buffers as text, numbers that are printed in
  hexadecimal as text, lists as arrays. Times, those of the fields that are text in an output too, are in nanoseconds since the
  epoch.
- Events are found by `evt.num`. Some events may be left out; a `procinfo` event that is missing is no
  difference, any other is.

A few fields have recorded values that say nothing about the event (`NOT_COUNTED`); they are shown apart and
not counted. For each field the share of events that agree is printed, and at the end that of all values.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from refengine.backends.base import Interest
from refengine.backends.capture.reader import CaptureReader
from refengine.backends.capture.seed import seed
from refengine.event import Event
from refengine.fields.reading import FieldError, read_field
from refengine.fields.registry import extractor_of
from refengine.output.render import json_writer
from refengine.output.times import TIME_FIELDS
from refengine.state.system import SystemState

_OF_OUTPUTS = "the recorded values are those of outputs, where an event counts as the previous one already"

NOT_COUNTED: Mapping[str, str] = {
    "evt.hostname": "it is that of the replaying machine",
    "evt.deltatime": _OF_OUTPUTS,
    "evt.deltatime.s": _OF_OUTPUTS,
    "evt.deltatime.ns": _OF_OUTPUTS,
}
"""Fields that are compared and shown, but are no part of the sum, each with the reason."""

_UNSET_MEMORY = (
    "these processes are from the table in front of the events, which says nothing of the program's file nor of "
    "when the process began: the recorded number is the same on all of them and means nothing, here it is absent"
)

EXPLAINED: Mapping[str, str] = {
    "proc.exe_ino.ctime_duration_proc_start": _UNSET_MEMORY,
    "proc.exe_ino.ctime_duration_pidns_start": _UNSET_MEMORY,
    "evt.buffer": "the buffer is empty; the recorded text is the word NULL over what an earlier event had left",
}
"""Why fields differ, for those that do so for a known reason; they are part of the sum."""

OMITTED = frozenset({"procinfo"})
"""Types of events of which the recorded files leave some out."""

ABSENT = "(absent)"

Row: TypeAlias = "Mapping[str, Any]"
Read: TypeAlias = "Callable[[Event], Any]"

_KEY = re.compile(r"(?P<name>[^\[]+)(?:\[(?P<argument>.*)\])?\Z")


@dataclass(slots=True)
class Tally:
    """Agreement on one field, with samples of what differs: number and type of the event, wanted and got."""

    compared: int = 0
    agreed: int = 0
    kinds: Counter[tuple[str, str]] = field(default_factory=Counter)
    samples: list[tuple[str, int, str, Any, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Report:
    """Agreement on every field, the fields that cannot be read, and events that only one side has."""

    fields: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    unreadable: dict[str, str] = field(default_factory=dict)
    missing: list[tuple[str, int, str]] = field(default_factory=list)
    unexpected: list[tuple[str, int, str]] = field(default_factory=list)

    def share(self) -> tuple[int, int]:
        """Return how many values agree and how many were compared, `NOT_COUNTED` apart."""
        counted = [tally for name, tally in self.fields.items() if name not in NOT_COUNTED]
        return sum(tally.agreed for tally in counted), sum(tally.compared for tally in counted)


def reader_of(key: str) -> Read | str:
    """Return the function that gives the field `key` of an event the form it has in JSON, else why there is none."""
    match = _KEY.match(key)
    assert match is not None
    try:
        reading = read_field(match["name"], match["argument"])
    except FieldError as error:
        return str(error)
    extractor = extractor_of(reading.field.name)
    if extractor is None:
        return "it has no extractor"
    extract = extractor.bind(reading.argument)
    if key in TIME_FIELDS:
        return lambda event: None if extract(event) is None else event.time
    write = json_writer(reading.type, reading.field.format, is_list=reading.is_list)

    def read(event: Event) -> Any:
        value = extract(event)
        return None if value is None else write(value)

    return read


def replay(path: Path) -> Iterator[Event]:
    """Yield the events of a capture, each after the state has taken notice of it."""
    state = SystemState(hostname="")
    reader = CaptureReader(path, Interest(None), lambda tables: seed(state, tables))
    while (batch := reader.read()) is not None:
        for event in batch:
            state.apply(event)
            yield event


def read_expected(path: Path) -> dict[int, Row]:
    """Return the recorded fields by the event's number."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = map(json.loads, lines)
        return {row["evt.num"]: row for row in rows}


def compare(capture: Path, expected: Mapping[int, Row], report: Report) -> None:
    """Add the agreement on one capture to `report`."""
    keys = sorted({key for row in expected.values() for key in row})
    readers: dict[str, Read] = {}
    for key in keys:
        read = reader_of(key)
        if isinstance(read, str):
            report.unreadable[key] = read
        else:
            readers[key] = read
    left = set(expected)
    name = capture.name.removesuffix(".scap")
    for event in replay(capture):
        row = expected.get(event.number)
        if row is None:
            if event.name not in OMITTED:
                report.unexpected.append((name, event.number, event.name))
            continue
        left.discard(event.number)
        for key, read in readers.items():
            _count(report.fields[key], name, event, row.get(key), read(event))
    report.missing += [(name, number, expected[number]["evt.type"]) for number in sorted(left)]


def _count(tally: Tally, capture: str, event: Event, wanted: Any, got: Any) -> None:
    tally.compared += 1
    if wanted == got and isinstance(wanted, bool) == isinstance(got, bool):
        tally.agreed += 1
        return
    wanted = ABSENT if wanted is None else wanted
    got = ABSENT if got is None else got
    tally.kinds[event.name, event.type.enum] += 1
    tally.samples.append((capture, event.number, event.name, wanted, got))


def show(report: Report, only: str | None, samples: int) -> None:
    """Print the report; of the field `only` every difference, else a few of each."""
    for key, reason in sorted(report.unreadable.items()):
        print(f"{key:45} not read: {reason}")
    for place in report.missing:
        print("an event is missing:", *place)
    for place in report.unexpected:
        print("an event was not expected:", *place)
    for key, tally in sorted(report.fields.items(), key=lambda item: item[1].agreed / item[1].compared):
        if only is not None and key != only:
            continue
        differing = tally.compared - tally.agreed
        mark = f" (not counted: {NOT_COUNTED[key]})" if key in NOT_COUNTED else ""
        mark = f" ({EXPLAINED[key]})" if key in EXPLAINED and differing else mark
        if differing or only is not None:
            print(f"{key:45} {100 * tally.agreed / tally.compared:6.2f} %  {differing:5} differ{mark}")
            types = ", ".join(f"{name} {count}" for (name, _), count in tally.kinds.most_common(6))
            print(f"    {types}")
        for capture, number, name, wanted, got in tally.samples[: None if only else samples]:
            print(f"    {capture} {number} {name}: wanted {wanted!r:.300}, got {got!r:.300}")
    agreed, compared = report.share()
    exact = sum(tally.agreed == tally.compared for tally in report.fields.values())
    print(f"{exact} of {len(report.fields) + len(report.unreadable)} fields agree everywhere")
    if compared:
        print(f"{agreed} of {compared} values agree: {100 * agreed / compared:.3f} %")


def main() -> None:
    """Compare what the command line names."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--field", help="show every difference of this field, and of no other")
    parser.add_argument("--capture", help="compare only this capture, named without its ending")
    parser.add_argument("--samples", type=int, default=2, help="differences to show of each field")
    options = parser.parse_args()
    report = Report()
    for capture in sorted(options.folder.glob("*.scap")):
        recorded = capture.with_name(capture.name.removesuffix(".scap") + ".expected.jsonl.gz")
        if recorded.exists() and options.capture in (None, capture.name.removesuffix(".scap")):
            compare(capture, read_expected(recorded), report)
    show(report, options.field, options.samples)


if __name__ == "__main__":
    main()
