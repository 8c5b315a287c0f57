"""What a cheap observer may exclude: never an event that a rule matches."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from refengine.condition.interpret import Interpreter
from refengine.condition.prefilter import (
    NEVER,
    PASS,
    Every,
    Fact,
    Formula,
    Some,
    any_of,
    facts_of,
    passes,
    prefilter,
)
from refengine.condition.typed import AllOf, Existence, Macro, operand_fields
from refengine.condition.typed import Test as Comparison
from refengine.event import RecordedEvent
from tests.condition.evaluate import READER, typed
from tests.property.generation import Generator, generators


def decides(test: Comparison | Existence) -> bool:
    """An observer that sees the process's name and numbers, and compares them with constants only."""
    if isinstance(test, Comparison) and not isinstance(test.right, tuple):
        return False
    return all(read.key in ("proc.name", "proc.pid", "user.uid") for read in operand_fields(test.left))


def shape(formula: Formula) -> object:
    if isinstance(formula, Fact):
        return ("" if formula.holds else "not ") + formula.test.left.key
    if isinstance(formula, Every | Some):
        return [type(formula).__name__, *map(shape, formula.parts)]
    return type(formula).__name__


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("evt.type = open", "Pass"),
        ("evt.type = close", "Never"),
        ("proc.name = a", "proc.name"),
        ("not proc.name = a", "not proc.name"),
        ("fd.name = a", "Pass"),
        ("not fd.name = a", "Pass"),
        ("proc.name = a and fd.name = b", "proc.name"),
        ("proc.name = a or fd.name = b", "Pass"),
        ("not (proc.name = a or fd.name = b)", "not proc.name"),
        ("not (proc.name = a and fd.name = b)", "Pass"),
        ("evt.type = open and proc.pid = 1 and proc.name = a", ["Every", "proc.pid", "proc.name"]),
        ("proc.pid = 1 or (proc.name = a and fd.name = b)", ["Some", "proc.pid", "proc.name"]),
        ("evt.type = close or proc.pid = 1", "proc.pid"),
        ("not (proc.pid = 1 or proc.name = a)", ["Every", "not proc.pid", "not proc.name"]),
        ("proc.name = val(proc.pname)", "Pass"),
        ("proc.name exists", "proc.name"),
        ("proc.name = a and evt.num = 0", "Never"),
    ],
)
def test_a_formula_keeps_what_the_observer_decides(text: str, expected: object) -> None:
    assert shape(prefilter(typed(text), "open", decides)) == expected


def test_rules_join_in_one_formula() -> None:
    formulas = [
        prefilter(typed(text), "open", decides)
        for text in ("proc.pid = 1", "evt.type = close", "proc.name = a")
    ]
    assert shape(any_of(formulas)) == ["Some", "proc.pid", "proc.name"]
    assert any_of([*formulas, PASS]) is PASS
    assert any_of([]) is NEVER


def test_facts_of_shared_macros_are_said_once() -> None:
    macro = Macro("m", typed("proc.name = a or proc.pid = 1"))
    formula = prefilter(AllOf((macro, typed("user.uid = 0"), macro)), "open", decides)
    assert [fact.test.left.key for fact in facts_of(formula)] == ["proc.name", "proc.pid", "user.uid"]


@given(generators())
@settings(max_examples=150)
def test_whatever_matches_passes(generator: Generator) -> None:
    interpreter = Interpreter(READER)
    for condition in generator.program():
        for _ in range(8):
            event = RecordedEvent({"evt.type": "open", **generator.event().values, "evt.num": 3})
            formula = prefilter(condition, event.name, decides)
            if interpreter.holds(condition, event):
                assert passes(formula, lambda test, event=event: interpreter.holds(test, event))  # type: ignore[misc]
