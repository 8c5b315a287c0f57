"""Cases are chosen by id, clause and feature."""

from __future__ import annotations

import pytest

from refengine.conformance.case import FEATURES, load_suite
from refengine.conformance.main import main
from refengine.conformance.runner import chosen

CASES = load_suite()


def test_without_patterns_all_cases_are_chosen() -> None:
    assert chosen(CASES, []) == CASES


def test_patterns_fit_whole_ids_and_clauses() -> None:
    assert {case.clause for case in chosen(CASES, ["op.in.2"])} == {"op.in.2"}
    assert [case.id for case in chosen(CASES, ["lex.blank.tab"])] == ["lex.blank.tab"]
    assert chosen(CASES, ["lex.blank"]) == ()


@pytest.mark.parametrize("feature", FEATURES)
def test_features_can_be_left_out(feature: str) -> None:
    left = chosen(CASES, [], [feature])
    assert 0 < len(left) < len(CASES)
    assert all(feature not in case.features for case in left)


def test_the_command_line_chooses(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--only", "many.list.text", "--without", "extensions", "--evaluator", "interpret"]) == 0
    assert "0 passed, 0 failed, 0 skipped, of 0 cases" in capsys.readouterr().out
