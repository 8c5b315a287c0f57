"""Coverage says which comparisons tests needed, and mutants whether they notice a change."""

from __future__ import annotations

from pathlib import Path

import pytest

from refengine.authoring.testing.coverage import Coverage
from refengine.authoring.testing.coverage_html import coverage_html
from refengine.authoring.testing.coverage_text import coverage_text, lcov
from refengine.authoring.testing.mutation import mutation_text
from refengine.authoring.testing.session import Session
from refengine.terminal import Style
from tests.authoring.suites import run

RULES = """
- macro: opened
  condition: (evt.type = open and fd.num >= 0)

- rule: Read
  desc: d
  condition: opened and (fd.name = /a or fd.name = /b) and not proc.name = sh
  output: read
  priority: NOTICE
"""
FIRST = "tests:\n  - {event: {evt.type: open, fd.num: 0, fd.name: /a, proc.name: cat}, alerts: Read}\n"
MORE = f"""{FIRST}
  - {{event: {{evt.type: open, fd.num: 1, fd.name: /b, proc.name: cat}}, alerts: Read}}
  - {{event: {{evt.type: open, fd.num: 1, fd.name: /c, proc.name: cat}}, silent: true}}
  - {{event: {{evt.type: open, fd.num: -1, fd.name: /a, proc.name: cat}}, silent: true}}
  - {{event: {{evt.type: open, fd.num: 1, fd.name: /a, proc.name: sh}}, silent: true}}
  - {{events: [{{evt.type: close, fd.num: 1, fd.name: /a, proc.name: cat}}, {{evt.type: open}}], silent: true}}
"""


def session(folder: Path, tests: str) -> Session:
    made = Session(coverage=Coverage(), mutate=True)
    report = run(folder, tests, RULES, made)
    assert report.count("failed") == 0
    assert not report.faults
    return made


def test_one_test_decides_some_outcomes(tmp_path: Path) -> None:
    coverage = session(tmp_path, FIRST).coverage
    assert coverage is not None
    (covered,) = coverage.rules()
    seen = [(leaf.seen[True], leaf.seen[False]) for leaf in covered.root.leaves()]
    decided = [(leaf.decided[True], leaf.decided[False]) for leaf in covered.root.leaves()]
    assert seen == [(1, 0), (1, 0), (1, 0), (0, 0), (0, 1)]
    assert decided == [(1, 0), (1, 0), (1, 0), (0, 0), (0, 1)]
    assert covered.share() == (4, 10)
    text = coverage_text(coverage.rules(), Style(False))
    assert "fd.name = /b  decided nothing (it was never reached)" in text
    assert "proc.name = sh  was never true" in text


def test_enough_tests_decide_all(tmp_path: Path) -> None:
    found = session(tmp_path, MORE)
    assert found.coverage is not None
    (covered,) = found.coverage.rules()
    assert covered.share() == (10, 10)
    assert covered.held == 2
    assert "10 of  10 (100%) decided" in coverage_text([covered], Style(False))


def test_a_tracefile_for_lcov(tmp_path: Path) -> None:
    coverage = session(tmp_path, FIRST).coverage
    assert coverage is not None
    lines = lcov(coverage.rules()).splitlines()
    assert lines[:3] == ["TN:", f"SF:{tmp_path / 'r.yaml'}", "FN:5,Read"]
    assert "FNDA:1,Read" in lines
    assert {"BRF:10", "BRH:4", "DA:3,1", "DA:7,1"} <= set(lines)
    assert [line for line in lines if line.startswith("BRDA:7,3,")] == ["BRDA:7,3,0,-", "BRDA:7,3,1,-"]


def test_a_page(tmp_path: Path) -> None:
    coverage = session(tmp_path, MORE).coverage
    assert coverage is not None
    page = coverage_html(coverage.rules())
    assert '<code class="both">fd.name = /a</code>' in page
    assert page.count('class="both"') == 6


def test_mutants_that_nobody_notices_are_named(tmp_path: Path) -> None:
    few, many = session(tmp_path, FIRST).scores[0], session(tmp_path, MORE).scores[0]
    assert few.total == many.total
    assert few.score < many.score
    changes = [mutant.change for mutant in few.survivors]
    assert "'fd.name = /b' is turned into its opposite" in changes
    assert "'proc.name = sh' is turned into its opposite" not in changes
    assert many.survivors == ()
    assert "no test of 'Read' notices that" in mutation_text([few])


def test_values_that_can_be_left_out_are_told_together(tmp_path: Path) -> None:
    names = ", ".join(f"p{number}" for number in range(12))
    rules = RULES.replace("not proc.name = sh", f"not proc.name in (sh, {names})")
    made = Session(mutate=True)
    assert run(tmp_path, MORE, rules, made).count("failed") == 0
    text = mutation_text(made.scores).splitlines()
    shown = ", ".join(f"'p{number}'" for number in range(8))
    (line,) = (line for line in text if "left out" in line)
    assert line == (
        f"  {tmp_path / 'r.yaml'}:7:64: no test of 'Read' notices that {shown} and 4 more are, each alone,"
        f" left out of 'proc.name in (sh, {names})'"
    )


def test_suites_with_failures_say_nothing_about_mutants(tmp_path: Path) -> None:
    made = Session(mutate=True)
    run(tmp_path, FIRST.replace("/a", "/x"), RULES, made)
    assert made.scores == []


@pytest.mark.parametrize(("matching", "noticed"), [("first", False), ("all", True)])
def test_mutants_are_judged_as_the_tests_match(tmp_path: Path, matching: str, noticed: bool) -> None:
    """Under `first`, the second of two equal rules is never seen, so that no change of it is noticed either."""
    rules = RULES + RULES.split("\n\n")[1].replace("rule: Read", "rule: Again")
    other = "  - {event: {evt.type: open}, silent: Again}\n"
    tests = f"matching: {matching}\n" + FIRST.replace("alerts: Read", "includes: Read") + other
    if matching == "all":
        tests = tests.replace("includes: Read", "includes: [Read, Again]")
    made = Session(mutate=True)
    assert run(tmp_path, tests, rules, made).count("passed") == 2
    changes = {mutant.change for mutant in made.scores[0].survivors if mutant.rule.name == "Again"}
    assert ("'fd.name = /a' is turned into its opposite" not in changes) is noticed


def test_rules_that_no_test_names_have_no_mutants(tmp_path: Path) -> None:
    rules = RULES + RULES.split("\n\n")[1].replace("rule: Read", "rule: Again")
    made = Session(mutate=True)
    assert run(tmp_path, FIRST, rules, made).count("passed") == 1
    assert made.scores[0].total == session(tmp_path, FIRST).scores[0].total
