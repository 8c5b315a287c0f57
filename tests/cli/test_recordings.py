"""Events printed, recorded, and read again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from refengine.cli.main import main
from refengine.cli.progress import line
from tests.corpus import corpus

RULES = """
- rule: Etc read
  desc: A file below /etc was opened.
  condition: evt.type in (open, openat) and fd.name startswith /etc/
  output: etc (file=%fd.name by=%proc.cmdline parent=%proc.aname[1] flags=%evt.arg.flags)
  priority: NOTICE
- rule: Connection
  desc: Something was connected to.
  condition: evt.type = connect and fd.net = 127.0.0.0/8
  output: connection (to=%fd.name port=%fd.sport)
  priority: NOTICE
"""


def rules(folder: Path) -> Path:
    path = folder / "rules.yaml"
    path.write_text(RULES)
    return path


def alerts(
    capsys: pytest.CaptureFixture[str], *arguments: str | Path
) -> list[tuple[str, str, dict[str, object]]]:
    assert main(list(map(str, arguments))) == 0
    lines = [json.loads(text) for text in capsys.readouterr().out.splitlines() if text.startswith("{")]
    return [(row["time"], row["rule"], row["output_fields"]) for row in lines]


@pytest.mark.corpus
@pytest.mark.parametrize("name", ["curl_google", "single_ipv6_conn", "test_ipv6_client"])
def test_printed_events_raise_the_alerts_of_the_capture(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capture = corpus(f"captures/{name}.scap")
    as_json = ("-o", "json_output=true")
    wanted = alerts(capsys, "-r", rules(tmp_path), *as_json, "-e", capture)

    assert main(["--print-events", "-e", str(capture)]) == 0
    events = tmp_path / "events.jsonl"
    events.write_text(capsys.readouterr().out)

    assert alerts(capsys, "-r", rules(tmp_path), *as_json, "-e", events) == wanted


@pytest.mark.ptrace
def test_a_recorded_run_raises_the_alerts_of_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = tmp_path / "run.scap"
    command = ("--", "sh", "-c", "cat /etc/hostname /etc/passwd > /dev/null")
    common = ("-r", rules(tmp_path), "-o", "json_output=true")
    live = alerts(capsys, *common, "-w", record, *command)
    replayed = alerts(capsys, *common, "-e", record)

    def shown(found: list[tuple[str, str, dict[str, object]]]) -> list[object]:
        return [(time, rule, fields["fd.name"]) for time, rule, fields in found]

    assert len(live) >= 2
    assert shown(replayed) == shown(live)


def test_events_are_read_from_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    events = tmp_path / "events.jsonl"
    events.write_text(
        '{"evt.type": "openat", "fd.name": "/etc/motd", "time": 1500000000000000000}\n'
        "\n"
        '{"evt.type": "connect", "fd.net": ["127.0.0.1", "10.0.0.1"], "fd.sport": 80, "number": 7}\n'
    )
    found = alerts(capsys, "-r", rules(tmp_path), "-o", "json_output=true", "-e", events)
    assert [row[1] for row in found] == ["Etc read", "Connection"]


def test_fields_of_audit_events_are_read_from_lines_though_they_hold_the_document(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(
        "- rule: Deleted\n  desc: d\n  source: k8s_audit\n  condition: ka.verb = delete\n"
        '  output: "%ka.verb %jevt.obj"\n  priority: INFO\n'
    )
    audit = tmp_path / "audit.json"
    audit.write_text(
        '{"kind": "Event", "apiVersion": "audit.k8s.io/v1", "auditID": "a", "verb": "delete", '
        '"stage": "ResponseComplete", "stageTimestamp": "2024-01-01T00:00:00.000000Z"}\n'
    )
    as_json = ("-o", "json_output=true")
    wanted = alerts(capsys, "-r", path, *as_json, "-e", audit)
    assert [row[1] for row in wanted] == ["Deleted"]
    assert main(["--print-events", "-r", str(path), "-e", str(audit)]) == 0
    events = tmp_path / "events.jsonl"
    events.write_text(capsys.readouterr().out)
    assert alerts(capsys, "-r", path, *as_json, "-e", events) == wanted


def test_broken_lines_are_told_and_the_others_count(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events = tmp_path / "events.jsonl"
    events.write_text(
        '{"evt.type": "openat", "fd.name": \n[]\n{"evt.type": "openat", "fd.name": {"what": "x"}}\n'
        '{"evt.type": "openat", "fd.name": "/etc/motd", "proc.nam": "x"}\n'
    )
    assert main(["-r", str(rules(tmp_path)), "-e", str(events)]) == 0
    captured = capsys.readouterr()
    assert "Etc read: 1" in captured.out
    assert "Events dropped: 3 (broken lines: 3)" in captured.out
    assert f"{events}:1: column" in captured.err
    assert f"{events}:2: an event is an object" in captured.err
    assert f"{events}:3: fd.name:" in captured.err
    assert "unknown field 'proc.nam': did you mean 'proc.name'?" in captured.err


def test_field_events_cannot_be_recorded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    events = tmp_path / "events.jsonl"
    events.write_text('{"evt.type": "open"}\n')
    assert main(["-r", str(rules(tmp_path)), "-e", str(events), "-w", str(tmp_path / "x.scap")]) == 1
    assert "cannot be recorded" in capsys.readouterr().err


def test_progress_says_how_far_and_how_long() -> None:
    assert (
        line(2_000, 50_000_000, 100_000_000, 10.0) == "2,000 events, 200 a second, 5.0 MB/s, 50%, 10 s left"
    )
    assert line(10, 1_000_000, 0, 2.0) == "10 events, 5 a second, 0.5 MB/s"
