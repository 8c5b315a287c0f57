from __future__ import annotations

from typing import Any

import pytest

from refengine.cli.describe import as_record, as_text
from refengine.rulefile.loader import LoadResult, load
from refengine.source import Source
from tests.corpus import corpus

RULES = """
- required_engine_version: 0.57.0
- required_plugin_versions:
    - name: container
      version: 0.4.0
- list: shells
  items: [bash, sh]
- list: unused
  items: [shells, zsh]
- macro: opened
  condition: evt.type in (open, openat)
- macro: by_shell
  condition: opened and proc.name in (shells)
- rule: A shell opens
  desc: >
    A shell opens something, which is only said at such length because a description must
    be wrapped into the right-hand column
  condition: by_shell and fd.name startswith /etc and toupper(proc.pname) != X and proc.aname[2] = init
  output: opened %fd.name by %10proc.name %evt.arg.flags
  priority: warning
  tags: [b, a]
  exceptions:
    - name: known
      fields: [proc.exepath, fd.name]
      comps: [=, startswith]
      values: [[/bin/x, /etc/x]]
"""


@pytest.fixture(scope="module")
def result() -> LoadResult:
    loaded = load([Source("rules.yaml", RULES)])
    loaded.check()
    return loaded


@pytest.fixture(scope="module")
def record(result: LoadResult) -> dict[str, Any]:
    return as_record(result)


def test_a_rule_says_what_it_is(record: dict[str, Any]) -> None:
    info = record["rules"][0]["info"]
    assert info["name"] == "A shell opens"
    assert info["priority"] == "Warning"
    assert info["source"] == "syscall"
    assert info["tags"] == ["a", "b"]
    assert info["enabled"] is True
    assert info["output"] == "opened %fd.name by %10proc.name %evt.arg.flags"
    assert info["condition"].startswith("by_shell and")


def test_a_rule_says_what_it_uses(record: dict[str, Any]) -> None:
    details = record["rules"][0]["details"]
    assert details["macros"] == ["by_shell"]
    assert details["lists"] == []
    assert details["condition_operators"] == ["!=", "=", "in", "startswith"]
    assert details["condition_fields"] == [
        "evt.type",
        "fd.name",
        "proc.aname[2]",
        "proc.exepath",
        "proc.name",
        "proc.pname",
    ]
    assert details["output_fields"] == ["evt.arg.flags", "fd.name", "proc.name"]
    assert details["exception_names"] == ["known"]
    assert details["exception_fields"] == ["fd.name", "proc.exepath"]
    assert details["exception_operators"] == ["=", "startswith"]
    assert details["events"] == ["open", "openat"]
    assert details["output_compiled"] == "opened %fd.name by %10proc.name %evt.arg.flags"
    assert details["condition_compiled"].startswith(
        "(((evt.type in (open, openat) and proc.name in (bash, sh))"
    )
    assert details["plugins"] == []


def test_macros_and_lists_say_whether_they_are_used(record: dict[str, Any]) -> None:
    macros = {each["info"]["name"]: each["details"] for each in record["macros"]}
    assert macros["by_shell"]["used"] is True
    assert macros["by_shell"]["macros"] == ["opened"]
    assert macros["by_shell"]["lists"] == ["shells"]
    assert macros["by_shell"]["events"] == ["open", "openat"]
    assert (
        macros["by_shell"]["condition_compiled"] == "(evt.type in (open, openat) and proc.name in (bash, sh))"
    )
    lists = {each["info"]["name"]: each["details"] for each in record["lists"]}
    assert lists["shells"]["used"] is True
    assert lists["unused"]["used"] is False
    assert lists["unused"]["lists"] == ["shells"]
    assert lists["unused"]["items_compiled"] == ["bash", "sh", "zsh"]


def test_what_the_files_require(record: dict[str, Any]) -> None:
    assert record["required_engine_version"] == "0.57.0"
    assert record["required_plugin_versions"] == [
        {"name": "container", "version": "0.4.0", "alternatives": []}
    ]


def test_one_rule_alone(result: LoadResult) -> None:
    assert list(as_record(result, "A shell opens")) == ["rules"]


def test_the_text_has_two_columns(result: LoadResult) -> None:
    lines = as_text([(rule.name, rule.description) for rule in result.rules])
    assert lines[:2] == [f"{'Rule':<50} Description", f"{'----':<50} -----------"]
    assert lines[2].startswith("A shell opens  ")
    assert lines[3].startswith(" " * 51)
    assert max(map(len, lines)) <= 111


@pytest.mark.corpus
def test_public_rules_are_described() -> None:
    paths = [corpus(f"rules/{name}.yaml") for name in ("falco_rules", "k8s_audit_rules")]
    record: dict[str, Any] = as_record(load(paths))
    assert len(record["rules"]) > 60
    plugins = {plugin for rule in record["rules"] for plugin in rule["details"]["plugins"]}
    assert plugins >= {"container", "k8saudit"}
    for rule in record["rules"]:
        assert rule["details"]["condition_compiled"]
        assert rule["details"]["condition_fields"]
