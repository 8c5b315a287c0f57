"""The quickstart rules: their own tests pass, need every outcome of every comparison, and notice every change."""

from __future__ import annotations

from pathlib import Path

import pytest

from refengine.authoring.linting.checks import lint
from refengine.authoring.testing.coverage import Coverage
from refengine.authoring.testing.coverage_text import coverage_text
from refengine.authoring.testing.mutation import mutation_text
from refengine.authoring.testing.session import Session
from refengine.terminal import Style

RULES = Path(__file__).resolve().parents[2] / "rules"


@pytest.mark.ptrace  # one of the tests runs a program
def test_their_tests_pass_and_leave_nothing_open() -> None:
    session = Session(coverage=Coverage(), mutate=True)
    report = session.run([RULES / "quickstart.test.yaml"])
    assert (report.count("passed"), report.count("failed"), report.faults) == (report.total, 0, ())
    assert session.coverage is not None
    rules = session.coverage.rules()
    assert [covered.rule.name for covered in rules if covered.share()[0] != covered.share()[1]] == [], (
        coverage_text(rules, Style(False))
    )
    assert [mutant.change for score in session.scores for mutant in score.survivors] == [], mutation_text(
        session.scores
    )


def test_nothing_is_doubtful_about_them() -> None:
    assert [
        found.message for found in lint([RULES / "quickstart.yaml"]) if found.check != "no-mitre-tag"
    ] == []
