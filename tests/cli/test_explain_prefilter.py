"""`refengine explain --prefilter`."""

from __future__ import annotations

import json

import pytest

from refengine import load_rules
from refengine.cli.explain_prefilter import show
from refengine.rulefile.rule import Rule
from refengine.source import Source

TEXT = """
- rule: Decided
  desc: d
  condition: evt.type in (open, openat) and fd.name startswith /etc/ and not proc.name in (a, b, c, d, e, f)
  output: o
  priority: INFO
- rule: In part
  desc: d
  condition: evt.type = openat and evt.rawres >= 0 and proc.cmdline contains x
  output: o
  priority: INFO
- rule: Not at all
  desc: d
  condition: evt.type = chmod and proc.cmdline contains x
  output: o
  priority: INFO
"""


def rules() -> tuple[Rule, ...]:
    return tuple(load_rules(Source("rules.yaml", TEXT)).rules)


def test_what_is_decided_and_what_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    show(rules(), as_json=True)
    found = json.loads(capsys.readouterr().out)
    decided, part, none = found["rules"]
    assert decided["left"] == []
    assert decided["kernel"] == [
        {
            "event_types": ["open", "openat"],
            "formula": "fd.name startswith /etc/ and not proc.name in (a, b, c, d, … 2 more)",
        }
    ]
    assert part["kernel"][0]["formula"] == "evt.rawres >= 0"
    assert part["left"] == ["proc.cmdline"]
    assert none["kernel"][0]["formula"] == "every event passes"
    assert found["event_types"]["chmod"] == "every event passes"
    assert found["event_types"]["openat"] == "decided by evt.rawres, fd.name, proc.name"


def test_text_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    show(rules(), as_json=False)
    text = capsys.readouterr().out
    assert "  left: nothing" in text
    assert "All rules together" in text
