from __future__ import annotations

import json
from pathlib import Path

import pytest

from refengine.backends.base import Availability, Capabilities
from refengine.backends.registry import BACKENDS, Entry
from refengine.cli.backends_table import Described, details, main, table
from refengine.cli.main import main as refengine

CAPABLE = Capabilities(
    "syscall",
    frozenset({"openat", "execve"}),
    "root",
    absent_fields={"evt.cpu": "not told", "fd.ino": "not told", "fd.name": "secret"},
    exact=False,
    approximate_fields={"evt.time": "late"},
    told_as_another={"open": "openat"},
)
ENTRY = Entry("one", "refengine.backends.one", "the first")


def test_the_table_has_a_row_for_each_backend_and_says_why_one_cannot_run() -> None:
    lines = table(
        [
            Described(ENTRY, Availability(True), CAPABLE),
            Described(Entry("two", "p", "the second"), Availability(False, "no kernel", "get one"), None),
        ]
    )
    assert lines == [
        "BACKEND  AVAILABLE  EVENT TYPES  FIELDS     VALUES    PRIVILEGES",
        "one      yes        2            all but 3  1 differ  root",
        "two      no         ?            ?          ?         ?",
        "",
        "two cannot run here: no kernel",
        "  to change that: get one",
    ]


def test_everything_on_one_backend_gives_each_reason_once() -> None:
    assert details(Described(ENTRY, Availability(True), CAPABLE)) == [
        "one: the first",
        "available here",
        "privileges: root",
        "source: syscall",
        "event types: execve, openat",
        "values: approximations where said below",
        "told of under the name of another call:",
        "  open: openat",
        "fields without a value:",
        "  evt.cpu, fd.ino: not told",
        "  fd.name: secret",
        "fields whose values differ:",
        "  evt.time: late",
    ]


def test_json_has_every_backend_with_its_capabilities(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--format", "json"]) == 0
    written = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in written] == list(BACKENDS)
    for one in written:
        assert one["available"] or one["reason"]
    by_name = {one["name"]: one for one in written}
    assert by_name["capture"]["capabilities"]["event_types"] is None
    fanotify = by_name["fanotify"]["capabilities"]
    if fanotify is not None:
        assert "openat" in fanotify["event_types"]
        assert fanotify["told_as_another"]["open"] == "openat"


def test_the_subcommand_is_reached_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert refengine(["backends", "capture"]) == 0
    assert capsys.readouterr().out.startswith("capture: ")
    assert refengine(["backends", "--format", "yaml"]) == 2


RULES = """
- rule: opens
  desc: d
  condition: evt.type in (open, openat) and fd.name startswith /
  output: o
  priority: INFO
- rule: partly
  desc: d
  condition: evt.type in (unlink, chmod) and proc.name = sh
  output: o
  priority: INFO
- rule: blind
  desc: d
  condition: evt.type = connect
  output: o
  priority: INFO
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules.yaml"
    path.write_text(RULES)
    return path


def test_rules_that_a_backend_cannot_evaluate_are_an_error_on_demand(
    rules: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    watching = ["--backend", "fanotify", "--watch", str(tmp_path), "-r", str(rules), "--dry-run"]
    assert refengine(watching) == 0
    warnings = capsys.readouterr().err
    assert refengine([*watching, "--strict-capabilities"]) == 1
    errors = capsys.readouterr().err
    for said in (warnings, errors):
        assert "none of the event types that they need, so rule 'blind' is not evaluated" in said
        assert "does not see chmod, so rule 'partly' is evaluated on other events only" in said
        assert "'opens'" not in said


def test_rules_that_a_backend_can_evaluate_are_no_error(rules: Path, tmp_path: Path) -> None:
    rules.write_text(RULES[: RULES.index("- rule: partly")])
    watching = ["--backend", "fanotify", "--watch", str(tmp_path), "-r", str(rules), "--dry-run"]
    assert refengine([*watching, "--strict-capabilities"]) == 0


def test_folders_to_watch_are_for_fanotify_only(
    rules: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["-r", str(rules), "--watch", str(tmp_path), "--dry-run"]
    assert refengine([*given, "--backend", "ptrace"]) == 1
    assert "--watch" in capsys.readouterr().err
    assert refengine(given) == 0
