from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from refengine.output.alert import Alert, hostname
from refengine.output.formats import LineFormat
from refengine.priority import Priority

ALERT = Alert(
    rule="Read it",
    priority=Priority.INFORMATIONAL,
    source="syscall",
    time=1470327477881781397,
    number=7,
    message='read (file=/etc/a\nb cmd=sh -c "x" \udcff)',
    fields={"proc.cmdline": 'sh -c "x"', "fd.name": "/etc/a\nb", "user.name": None},
    tags=("a", "b"),
)


@pytest.fixture(autouse=True)
def _three_hours_east(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "EAT-3")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_the_text_line_has_local_time_and_the_full_priority() -> None:
    line = LineFormat().line(ALERT, "host")
    assert line == '19:17:57.881781397: Informational read (file=/etc/a\\nb cmd=sh -c "x" \ufffd)'


def test_iso8601_is_utc() -> None:
    line = LineFormat(iso8601=True).line(ALERT, "host")
    assert line.startswith("2016-08-04T16:17:57.881781397+0000: Informational read")


def test_the_json_line_has_sorted_keys_and_no_blanks() -> None:
    line = LineFormat(json=True).line(ALERT, "host")
    assert "\n" not in line
    record = json.loads(line)
    assert line == json.dumps(record, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    assert list(record) == [
        "hostname",
        "output",
        "output_fields",
        "priority",
        "rule",
        "source",
        "tags",
        "time",
    ]
    assert record["hostname"] == "host"
    assert record["priority"] == "Informational"
    assert record["time"] == "2016-08-04T16:17:57.881781397Z"
    assert record["output"] == '19:17:57.881781397: Informational read (file=/etc/a\nb cmd=sh -c "x" \ufffd)'
    assert record["output_fields"] == {
        "evt.time": 1470327477881781397,
        "fd.name": "/etc/a\nb",
        "proc.cmdline": 'sh -c "x"',
        "user.name": None,
    }
    assert record["tags"] == ["a", "b"]


def test_json_properties_come_and_go() -> None:
    bare = LineFormat(json=True, include_output=False, include_output_fields=False, include_tags=False)
    assert list(json.loads(bare.line(ALERT, "h"))) == ["hostname", "priority", "rule", "source", "time"]
    full = LineFormat(json=True, include_message=True, iso8601=True)
    record = json.loads(full.line(ALERT, "h"))
    assert record["message"] == 'read (file=/etc/a\nb cmd=sh -c "x" \ufffd)'
    assert record["output_fields"]["evt.time.iso8601"] == ALERT.time
    assert "evt.time" not in record["output_fields"]


def test_the_hostname_can_be_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FALCO_HOSTNAME", "elsewhere")
    assert hostname() == "elsewhere"


def test_the_json_line_has_no_character_that_a_terminal_obeys() -> None:
    hostile = replace(ALERT, message="\x7f\x9b31m", fields={"fd.name": "\x85\x1b[2J"})
    line = LineFormat(json=True).line(hostile, "host")
    assert line.isprintable()
    record = json.loads(line)
    assert record["output"].endswith("Informational \x7f\x9b31m")
    assert record["output_fields"]["fd.name"] == "\x85\x1b[2J"
