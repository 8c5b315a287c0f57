from __future__ import annotations

import pytest

from refengine.cli.profile_table import profile_table
from refengine.engine import Engine, Matching
from refengine.event import RecordedEvent
from refengine.profile import RuleProfile
from tests.engine.rules import loaded, rule

RULES = (
    rule("A", "evt.type = open and proc.name = a")
    + rule("B", "proc.name in (a, b)")
    + rule("C", "evt.type = connect")
)


def event(name: str, process: str) -> RecordedEvent:
    return RecordedEvent({"evt.type": name, "proc.name": process})


EVENTS = [event("open", "a"), event("open", "b"), event("close", "a"), event("open", "c")]


@pytest.mark.parametrize(
    ("matching", "expected"),
    [("first", [("A", 3, 1), ("B", 3, 2), ("C", 0, 0)]), ("all", [("A", 3, 1), ("B", 4, 3), ("C", 0, 0)])],
)
def test_evaluations_and_matches_are_counted(
    matching: Matching, expected: list[tuple[str, int, int]]
) -> None:
    engine, plain = Engine(loaded(RULES), matching, profiled=True), Engine(loaded(RULES), matching)
    for each in EVENTS:
        alerts = [alert.rule for alert in engine.process(each)]
        assert alerts == [alert.rule for alert in plain.process(each)]
    found = engine.profile()
    assert [(line.rule, line.evaluations, line.matches) for line in found] == expected
    assert all(line.nanoseconds > 0 for line in found if line.evaluations)
    assert plain.profile() == []


def test_the_table_begins_with_what_costs_most() -> None:
    lines = profile_table(
        [RuleProfile("Cheap", 10, 5, 1_000), RuleProfile("Dear", 10, 0, 3_000_000), RuleProfile("Idle")]
    ).splitlines()
    assert lines[1].split() == ["10", "0", "0.000%", "3.0", "300000", "100.0%", "Dear"]
    assert lines[2].split() == ["10", "5", "50.000%", "0.0", "100", "0.0%", "Cheap"]
    assert lines[3].startswith("1 rules were never evaluated")
