"""Public captures, beside the values that another engine gave their fields."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.field_parity import Report, compare, read_expected
from tests.corpus import corpus

pytestmark = pytest.mark.corpus

NAMES = ("curl_google", "single_ipv6_conn", "test_ipv6_client")

DIFFERENT = {
    "evt.hostname": "it is that of the replaying machine",
    "evt.deltatime": "recorded in outputs, where an event counts as the previous one already",
    "evt.deltatime.s": "recorded in outputs, where an event counts as the previous one already",
    "evt.deltatime.ns": "recorded in outputs, where an event counts as the previous one already",
    "evt.buffer": "for no data at all, recorded as NULL and what stood in the memory behind it",
    "proc.exe_ino.ctime_duration_proc_start": "recorded from memory that nobody had set",
    "proc.exe_ino.ctime_duration_pidns_start": "recorded from memory that nobody had set",
}
"""The fields that may differ, and why."""


@pytest.mark.parametrize("name", NAMES)
def test_fields_have_their_recorded_values(name: str) -> None:
    report = Report()
    capture: Path = corpus(f"captures/{name}.scap")
    compare(capture, read_expected(corpus(f"captures/{name}.expected.jsonl.gz")), report)
    assert not report.unreadable
    assert not report.missing
    assert not report.unexpected
    differing = {key for key, tally in report.fields.items() if tally.agreed < tally.compared}
    assert differing <= set(DIFFERENT)
