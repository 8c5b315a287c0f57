"""The letters with which older releases chose rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from refengine.cli.main import main

RULES = """
- rule: File opened
  desc: d
  condition: evt.type = open
  output: file
  priority: INFO
  tags: [files, reads]
- rule: Program started
  desc: d
  condition: evt.type = execve
  output: program
  priority: INFO
  tags: [programs]
"""


@pytest.mark.parametrize(
    ("arguments", "raised"),
    [
        ((), {"File opened", "Program started"}),
        (("-t", "files"), {"File opened"}),
        (("-t", "files", "-t", "programs"), {"File opened", "Program started"}),
        (("-T", "files"), {"Program started"}),
        (("-t", "files", "-T", "reads"), set()),
        (("-D", "rogram"), {"File opened"}),
    ],
)
def test_rules_are_chosen_by_tag_and_name(
    arguments: tuple[str, ...], raised: set[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules, events = tmp_path / "rules.yaml", tmp_path / "events.jsonl"
    rules.write_text(RULES)
    events.write_text('{"evt.type": "open"}\n{"evt.type": "execve"}\n')
    assert main(["-r", str(rules), "-e", str(events), *arguments]) == 0
    out = capsys.readouterr().out
    assert {name for name in ("File opened", "Program started") if f"{name}: 1" in out} == raised
