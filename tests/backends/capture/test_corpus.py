"""Public captures, beside the numbers, types and times of the events that another engine evaluated in them."""

from __future__ import annotations

import gzip
import json

import pytest

from benchmarks.field_parity import EXPLAINED, NOT_COUNTED, Report, compare, read_expected
from tests.backends.capture.opened import read_file
from tests.corpus import corpus

pytestmark = pytest.mark.corpus

NAMES = ("curl_google", "single_ipv6_conn", "test_ipv6_client")


@pytest.mark.parametrize("name", NAMES)
def test_exactly_the_evaluated_events_are_given(name: str) -> None:
    read = read_file(corpus(f"captures/{name}.scap"))
    with gzip.open(corpus(f"captures/{name}.expected.jsonl.gz"), "rt", encoding="utf-8") as lines:
        expected = [json.loads(line) for line in lines]
    found = {event.number: event for event in read.events}
    for row in expected:
        event = found.pop(row["evt.num"])
        assert (event.name, event.time, event.cpu, event.tid) == (
            row["evt.type"],
            row["evt.rawtime"],
            row["evt.cpu"],
            row["thread.tid"],
        )
    # The recorded values leave most events of this one type out.
    assert {event.name for event in found.values()} <= {"procinfo"}
    assert read.warnings == []
    assert read.statistics.dropped == {}


def test_fields_have_the_recorded_values() -> None:
    report = Report()
    for name in NAMES:
        recorded = read_expected(corpus(f"captures/{name}.expected.jsonl.gz"))
        compare(corpus(f"captures/{name}.scap"), recorded, report)
    agreed, compared = report.share()
    assert report.missing == []
    assert report.unexpected == []
    assert report.unreadable == {}
    assert agreed / compared > 0.998
    differing = {key for key, tally in report.fields.items() if tally.agreed < tally.compared}
    assert differing <= NOT_COUNTED.keys() | EXPLAINED.keys()
