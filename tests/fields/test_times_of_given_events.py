"""Events that are given by their fields have all fields of their time, whichever of them tells it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

import pytest

from refengine.event import RecordedEvent
from refengine.event.written import event_of
from refengine.fields.readers import RecordedReader
from refengine.fields.reading import read_field
from refengine.values import Value

TIME = 1_470_327_477_081_781_397
FIELDS: Mapping[str, Value] = {
    "evt.rawtime": TIME,
    "evt.rawtime.s": 1_470_327_477,
    "evt.rawtime.ns": 81_781_397,
    "evt.time": "16:17:57.081781397",
    "evt.time.s": "16:17:57",
    "evt.time.iso8601": "2016-08-04T16:17:57.081781397+0000",
    "evt.datetime": "2016-08-04 16:17:57.081781397",
    "evt.datetime.s": "2016-08-04 16:17:57",
}


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


def fields(event: RecordedEvent) -> dict[str, Value | None]:
    return {name: RecordedReader().bind(read_field(name))(event) for name in FIELDS}


@pytest.mark.parametrize(
    "names", [["evt.rawtime"], ["evt.rawtime.s", "evt.rawtime.ns"], ["evt.time.iso8601"]], ids=" ".join
)
def test_what_tells_the_time_tells_all_of_it(names: list[str]) -> None:
    event = RecordedEvent({name: FIELDS[name] for name in names})
    assert event.time == TIME
    assert fields(event) == FIELDS


def test_the_time_of_the_event_does_so_too() -> None:
    assert fields(event_of({"time": TIME}, 1)) == FIELDS
    assert fields(event_of({"evt.rawtime": TIME}, 1)) == FIELDS


def test_what_is_given_stays_as_it_is() -> None:
    found = fields(RecordedEvent({"evt.time": "noon"}, time=TIME))
    assert found == {**FIELDS, "evt.time": "noon"}


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"evt.time": "16:17:57.081781397"},
        {"evt.rawtime.s": 1_470_327_477},
        {"evt.time.iso8601": "2016-13-04T16:17:57.081781397+0000"},
        {"evt.time.iso8601": "noon"},
    ],
)
def test_what_does_not_tell_the_time_leaves_the_others_absent(given: Mapping[str, Value]) -> None:
    event = RecordedEvent(given)
    assert event.time == 0
    assert {name: value for name, value in fields(event).items() if value is not None} == given
