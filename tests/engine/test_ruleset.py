"""Sets of rules, and what they are interested in."""

from __future__ import annotations

from pathlib import Path

import pytest

from refengine.errors import Code, RulesError
from refengine.interest import interest_of
from refengine.ruleset import load_rules
from refengine.source import Source
from tests.engine.rules import loaded, rule


def test_a_set_has_its_rules_in_the_order_of_their_definition() -> None:
    rules = loaded(
        rule("B", "proc.pid = 1") + rule("A", "proc.pid = 2", enabled="false"),
        rule("C", "evt.num = 1", "x", source="k8s_audit") + rule("B", "proc.pid = 3"),
    )
    assert [each.name for each in rules] == ["B", "A", "C"]
    assert len(rules) == 3
    assert rules["B"].text.value.strip() == "proc.pid = 3"
    assert [each.name for each in rules.enabled()] == ["B", "C"]
    assert [each.name for each in rules.enabled("k8s_audit")] == ["C"]
    with pytest.raises(KeyError):
        rules["D"]


def test_rules_can_be_given_by_path(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(rule("A", "proc.pid = 1"), encoding="utf-8")
    assert [each.name for each in load_rules(str(path), path)] == ["A"]


def test_warnings_are_kept() -> None:
    rules = loaded(rule("A", "evt.type = open and proc.name = proc.pname"))
    assert [warning.code for warning in rules.warnings] == [Code.CONDITION_WARNING]


def test_one_error_carries_the_errors_of_all_files(tmp_path: Path) -> None:
    with pytest.raises(RulesError) as raised:
        load_rules(
            Source("one.yaml", rule("A", "proc.nam = 1") + rule("B", "proc.pid = x or (")),
            tmp_path / "absent.yaml",
            Source("two.yaml", "- rule: C\n  bad: [\n"),
            Source("three.yaml", rule("D", "evt.num contains 1") + rule("E", "nosuch")),
        )
    found = raised.value.diagnostics
    assert all(error.is_error for error in found)
    assert [error.code for error in found] == [
        Code.COMPILE_CONDITION,
        Code.COMPILE_CONDITION,
        Code.FILE_READ,
        Code.YAML_PARSE,
        Code.COMPILE_CONDITION,
        Code.VALIDATE,
    ]
    shown = str(raised.value)
    assert "one.yaml:3:5: error: unknown field 'proc.nam' [LOAD_ERR_COMPILE_CONDITION]" in shown
    assert "macro 'nosuch' [LOAD_ERR_VALIDATE]" in shown
    assert shown.count("^") >= 5


def test_interest_is_what_the_rules_can_use() -> None:
    rules = loaded(
        rule(
            "A",
            "evt.type in (open, openat) and tolower(proc.name) = val(proc.pname)",
            "%fd.name %proc.aname[2]",
        )
        + rule("B", "evt.type = close and fd.num = 1", "x")
    )
    interest = interest_of(rules)
    assert interest.event_types == frozenset({"open", "openat", "close"})
    assert {"proc.name", "proc.pname", "fd.name", "proc.aname", "fd.num"} <= interest.fields
    assert "proc.cwd" not in interest.fields
    assert interest.wants("open")
    assert not interest.wants("execve")
    assert "fd.name" in interest.reads("openat")
    assert "fd.num" not in interest.reads("openat")
    assert interest.reads("close") == {"evt.type", "fd.num"}
    assert interest.reads("execve") == interest.fields


def test_interest_in_every_type_is_said_as_none() -> None:
    assert interest_of(loaded(rule("A", "proc.name = x"))).event_types is None
    assert interest_of(()).event_types == frozenset()
