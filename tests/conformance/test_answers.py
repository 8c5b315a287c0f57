"""Answers are judged: what a wrong engine says does not pass."""

from __future__ import annotations

from typing import Any

import pytest

from refengine.conformance.answer import Answer, disagreement
from refengine.conformance.case import Case

REFUSED = {"code": "LOAD_ERR_COMPILE_CONDITION", "phase": "parse", "line": 1, "column": 3}
RECORD = '{"hostname": "h", "rule": "r"}'


def case(**expect: Any) -> Case:
    return Case.from_json({"id": "a", "clause": "b", "condition": "c", "expect": expect})


@pytest.mark.parametrize(
    ("expect", "answer"),
    [
        ({"match": [True, False]}, Answer(result=[True, False])),
        ({"text": "a"}, Answer(result="a")),
        ({"warnings": ["A", "B"]}, Answer(warnings=("B", "A", "B"))),
        ({"error": REFUSED}, Answer(errors=(REFUSED,))),
        ({"error": REFUSED}, Answer(errors=({"code": REFUSED["code"], "message": "no place"},))),
        ({"error": {"code": REFUSED["code"]}}, Answer(errors=(REFUSED,))),
        ({"error": {"code": REFUSED["code"], "count": 2}}, Answer(errors=(REFUSED, REFUSED))),
        ({"alerts": [[{"rule": "r"}]]}, Answer(result=[[{"rule": "r", "priority": "Error"}]])),
        ({"lines": [["a"]]}, Answer(result=[["a"]])),
        ({"lines": [[{"rule": "r"}]]}, Answer(result=[[RECORD]])),
    ],
)
def test_right_answers_agree(expect: dict[str, Any], answer: Answer) -> None:
    assert disagreement(case(**expect), answer) is None


@pytest.mark.parametrize(
    ("expect", "answer", "reason"),
    [
        ({"match": [True]}, Answer(result=[False]), "expected [True], got [False]"),
        ({"match": [True]}, Answer(result=[True, True]), "expected [True], got [True, True]"),
        ({"match": [True]}, Answer(), "got None"),
        ({"match": [True]}, Answer(errors=(REFUSED,)), "it was refused"),
        ({"match": [True]}, Answer(failed="boom"), "the engine failed: boom"),
        ({"warnings": []}, Answer(warnings=("A",)), "expected the warnings [], got ['A']"),
        ({"error": REFUSED}, Answer(result=[True]), "but it was accepted"),
        ({"error": REFUSED}, Answer(errors=({**REFUSED, "code": "X"},)), "expected code"),
        ({"error": REFUSED}, Answer(errors=({**REFUSED, "phase": "check"},)), "expected phase"),
        ({"error": REFUSED}, Answer(errors=({**REFUSED, "column": 4},)), "expected column 3, got 4"),
        ({"error": {**REFUSED, "count": 2}}, Answer(errors=(REFUSED,)), "expected 2 errors, got 1"),
        ({"alerts": [[{"rule": "r"}]]}, Answer(result=[[]]), "event 1: expected the alerts"),
        ({"alerts": [[]]}, Answer(result=[[{"rule": "r"}]]), "event 1: expected the alerts"),
        ({"alerts": [[{"rule": "r", "tags": []}]]}, Answer(result=[[{"rule": "r"}]]), "expected tags"),
        ({"alerts": [[]]}, Answer(result=[]), "expected the alerts of 1 events"),
        ({"lines": [["a"]]}, Answer(result=[["b"]]), "expected the line 'a'"),
        ({"lines": [["a"]]}, Answer(result=[[]]), "expected"),
        ({"lines": [[{"rule": "s"}]]}, Answer(result=[[RECORD]]), "expected the record"),
        ({"lines": [[{"rule": "r"}]]}, Answer(result=[['{"rule": "r"}']]), "there is no hostname"),
        ({"lines": [[{}]]}, Answer(result=[['{"b": 1, "a": 2}']]), "the keys are not sorted"),
    ],
)
def test_wrong_answers_do_not(expect: dict[str, Any], answer: Answer, reason: str) -> None:
    found = disagreement(case(**expect), answer)
    assert found is not None
    assert reason in found


@pytest.mark.parametrize(
    "answer",
    [Answer(skipped="why"), Answer(failed="how"), Answer(errors=(REFUSED,)), Answer((), ("A",), [True])],
)
def test_answers_survive_the_way_through_json(answer: Answer) -> None:
    assert Answer.from_json(answer.to_json()) == answer
