from __future__ import annotations

import json
import time
from typing import Any

import pytest

from refengine.backends.k8s_audit.documents import DocumentError, documents, event_of, nanoseconds, parse
from tests.backends.k8s_audit.audit import audit, listed


@pytest.mark.parametrize(
    ("value", "ids"),
    [
        (audit(1), ["1"]),
        ([audit(1), audit(2)], ["1", "2"]),
        (listed(audit(1), audit(2)), ["1", "2"]),
        ([listed(audit(1)), audit(2), listed(audit(3), audit(4))], ["1", "2", "3", "4"]),
        ({"auditID": "7"}, ["7"]),
        ([], []),
        (listed(), []),
    ],
)
def test_events_stand_alone_or_in_lists(value: Any, ids: list[str]) -> None:
    found, faults = documents(value)
    assert [each["auditID"] for each in found] == ids
    assert faults == []


def test_what_is_no_event_is_told_and_the_rest_is_kept() -> None:
    found, faults = documents(
        [audit(1), 7, {"kind": "EventList"}, {"kind": "Event"}, {"auditID": 3}, audit(2)]
    )
    assert [each["auditID"] for each in found] == ["1", "2"]
    assert faults == [
        "an audit event is an object",
        "the list of events has no items",
        "the object is no audit event: it has no auditID",
        "the object is no audit event: it has no auditID",
    ]


def test_lists_may_nest_as_deep_as_the_text_could() -> None:
    value: Any = audit(1)
    for _ in range(100_000):
        value = [value]
    assert documents(value)[0] == [audit(1)]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (b"{", "line 1, column 2: Expecting property name"),
        (b'{"a":\n]', "line 2, column 1: Expecting value"),
        (b"", "line 1, column 1: Expecting value"),
        (b"{} {}", "line 1, column 4: Extra data"),
        (b'{"a": NaN}', "NaN is no number in JSON"),
        (b"[" * 200_000, "it nests too deeply"),
        (b'{"a": ' + b"9" * 100_000 + b"}", "Exceeds the limit"),
    ],
)
def test_what_is_no_json_is_refused(text: bytes, fault: str) -> None:
    with pytest.raises(DocumentError, match=fault):
        parse(text)


def test_bytes_that_are_no_utf8_are_kept_and_halves_of_pairs_are_not() -> None:
    assert parse(b'{"a": "\xff"}') == {"a": "\udcff"}
    assert parse(rb'{"a\ud800": ["\udc80x", "\ud83d\ude00"]}') == {"a\ufffd": ["\ufffdx", "\U0001f600"]}
    assert parse(b'"\xff' + rb'\ud800"') == "\ufffd\ufffd"


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("1970-01-01T00:00:01Z", 10**9),
        ("2024-05-06T07:08:09.123456Z", 1714979289123456000),
        ("2024-05-06T07:08:09.1234567899Z", 1714979289123456789),
        ("2024-05-06T09:08:09.5+02:00", 1714979289500000000),
        ("2024-05-06t05:38:09-01:30", 1714979289000000000),
        ("2016-12-31T23:59:60Z", 1483228799000000000),
        ("2024-13-06T07:08:09Z", None),
        ("2024-05-06T07:08:61Z", None),
        ("2024-05-06T07:08:09", None),
        ("٢024-05-06T07:08:09Z", None),
        ("yesterday", None),
    ],
)
def test_times(text: str, time: int | None) -> None:
    assert nanoseconds(text) == time


def test_an_event_has_the_time_of_its_stage_and_else_the_best_there_is() -> None:
    second = {"requestReceivedTimestamp": "1970-01-01T00:00:02Z"}
    assert event_of(audit(1, **second), 3).time == 1714979289123456000
    assert event_of({"auditID": "1", "stageTimestamp": 5, **second}, 3).time == 2 * 10**9
    before = time.time_ns()
    event = event_of({"auditID": "1"}, 3)
    assert before <= event.time <= time.time_ns()
    assert (event.number, event.source, event.name, event.tid) == (3, "k8s_audit", "pluginevent", -1)
    assert json.loads(json.dumps(event.document)) == {"auditID": "1"}
