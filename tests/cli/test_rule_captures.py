"""Captures that begin with an alert."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from refengine.cli.main import main

RULES = """
- rule: Hosts read
  desc: d
  condition: evt.type in (open, openat) and fd.name = /etc/hosts
  output: hosts
  priority: INFO
  capture: {capture}
- rule: Hostname read
  desc: d
  condition: evt.type in (open, openat) and fd.name = /etc/hostname
  output: hostname
  priority: INFO
"""


def run(folder: Path, capture: str, *options: str) -> list[Path]:
    rules = folder / "rules.yaml"
    rules.write_text(RULES.replace("{capture}", capture))
    settings = ("-o", "capture.enabled=true", "-o", f"capture.path_prefix={folder}/seen")
    command = ("--", "sh", "-c", "cat /etc/hosts > /dev/null; cat /etc/hostname > /dev/null")
    assert main(["-r", str(rules), *settings, *options, *command]) == 0
    return sorted(folder.glob("seen_*.scap"))


@pytest.mark.ptrace
def test_a_rule_records_what_happens_from_its_alert_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (path,) = run(tmp_path, "true")
    time, number = path.stem.split("_")[1:]
    assert len(time) == 20
    assert int(number) > 0
    capsys.readouterr()
    assert main(["-r", str(tmp_path / "rules.yaml"), "-o", "json_output=true", "-e", str(path)]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["rule"] for line in lines] == ["Hosts read", "Hostname read"]


@pytest.mark.ptrace
@pytest.mark.parametrize(("mode", "captures"), [("rules", 0), ("all_rules", 1)])
def test_alerts_of_other_rules_record_only_in_the_mode_for_all(
    mode: str, captures: int, tmp_path: Path
) -> None:
    assert len(run(tmp_path, "false", "-o", f"capture.mode={mode}")) == captures


@pytest.mark.ptrace
def test_a_capture_ends_when_its_time_is_over(tmp_path: Path) -> None:
    found = run(tmp_path, "false", "-o", "capture.mode=all_rules", "-o", "capture.default_duration=0")
    assert len(found) == 2


def test_an_unknown_mode_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-o", "capture.mode=some", "--version"]) == 1
    assert "capture.mode is one of rules, all_rules" in capsys.readouterr().err
