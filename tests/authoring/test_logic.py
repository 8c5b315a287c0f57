"""What is proved about conditions is so for every event."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from refengine.authoring.linting.logic import Prover
from refengine.condition.check import Checker
from refengine.condition.interpret import Interpreter
from refengine.condition.parser import parse
from refengine.condition.typed import AllOf, AnyOf, Condition, Macro, Negation
from refengine.fields.readers import RecordedReader
from refengine.source import Text
from tests.property.generation import Generator, generators

EVENTS = 15


def condition(text: str) -> Condition:
    """Return the typed condition that `text` is."""
    written = Text.of(text)
    checked = Checker().check(parse(written), written).condition
    assert checked is not None
    return checked


@given(generators())
def test_what_never_holds_holds_for_no_event(generator: Generator) -> None:
    prover, interpreter = Prover(), Interpreter(RecordedReader())
    conditions = generator.program()
    never = [one for one in conditions if prover.never((one, True))]
    always = [one for one in conditions if prover.never((one, False))]
    for event in [generator.event() for _ in range(EVENTS)] if never or always else []:
        assert not any(interpreter.holds(one, event) for one in never)
        assert all(interpreter.holds(one, event) for one in always)


@given(generators())
def test_what_implies_another_holds_only_with_it(generator: Generator) -> None:
    prover, interpreter = Prover(), Interpreter(RecordedReader())
    conditions = [*generator.program(), *generator.program()]
    pairs = [(one, other) for one in conditions for other in conditions if prover.implies(one, other)]
    assert len(pairs) >= len(conditions)  # each implies itself
    for event in [generator.event() for _ in range(EVENTS)]:
        assert all(interpreter.holds(other, event) for one, other in pairs if interpreter.holds(one, event))


def unshared(condition: Condition) -> Condition:
    """Return a copy in which no part is the same object as another."""
    if isinstance(condition, AllOf | AnyOf):
        return replace(condition, children=tuple(map(unshared, condition.children)))
    if isinstance(condition, Negation):
        return Negation(unshared(condition.child))
    if isinstance(condition, Macro):
        return Macro(condition.name, unshared(condition.body))
    return replace(condition)


def without(whole: Condition, dead: set[int]) -> Condition:
    """Return `whole` with some alternatives taken out."""
    if isinstance(whole, AllOf):
        return AllOf(tuple(without(child, dead) for child in whole.children))
    if isinstance(whole, AnyOf):
        return AnyOf(tuple(without(child, dead) for child in whole.children if id(child) not in dead))
    return whole


@given(generators())
def test_dead_alternatives_can_be_taken_out(generator: Generator) -> None:
    prover, interpreter = Prover(), Interpreter(RecordedReader())
    for whole in map(unshared, generator.program()):
        dead = {id(part) for part, _ in prover.dead_parts(whole)}
        for event in [generator.event() for _ in range(EVENTS)] if dead else []:
            assert interpreter.holds(without(whole, dead), event) is interpreter.holds(whole, event)


@pytest.mark.parametrize(
    "text",
    [
        "proc.name = a and proc.name = b",
        "proc.name in (a, b) and not proc.name in (a, b, c)",
        "proc.name = a and not proc.name exists",
        "proc.name startswith ab and proc.name = b",
        "fd.name startswith /etc/ and (fd.name startswith /usr or fd.name = /bin)",
        "fd.num >= 0 and fd.num = -1",
        "evt.is_open_read = true and evt.is_open_read = false",
        "proc.name in ()",
        "proc.name = a and (not proc.name = a or proc.name = c)",
        "fd.name startswith /etc/x and not fd.name startswith /etc",
        "fd.name endswith .so and not fd.name contains .s",
        "(proc.name = a or proc.pname = b) and not (proc.pname = b or proc.name = a)",
        "proc.name glob a* and proc.name = b",
    ],
)
def test_contradictions_are_seen(text: str) -> None:
    assert Prover().never((condition(text), True))


@pytest.mark.parametrize(
    "text",
    [
        "proc.name = a or proc.name = b",
        "proc.aname = a and proc.aname = b",
        "fd.ip = 10.0.0.1 and fd.ip = 10.0.0.2",
        "not proc.name = a and not proc.name exists",
        "proc.name != a and not proc.name = a",
        "fd.snet = 10.0.0.0/8 and fd.snet = 10.1.0.0/16",
        "evt.num = 0 and proc.name = a",
        "fd.name startswith /etc and fd.name startswith /etc/x",
        "proc.name contains a and proc.name contains b",
        "proc.name = val(proc.pname) and proc.name != val(proc.pname)",
    ],
)
def test_what_can_hold_is_not_called_impossible(text: str) -> None:
    assert not Prover().never((condition(text), True))


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("proc.name = a and fd.num >= 0", "proc.name in (a, b)"),
        ("evt.type = open and proc.name = a", "proc.name = a or proc.name = b"),
        ("fd.name startswith /etc/ssh and user.uid = 0", "fd.name startswith /etc and user.uid exists"),
        ("(proc.name = a or proc.name = b) and fd.num > 3", "proc.name = b or proc.name = a"),
        ("not (proc.name = a or proc.name = b)", "not proc.name = a"),
    ],
)
def test_implications_are_seen_and_only_one_way(text: str, other: str) -> None:
    assert Prover().implies(condition(text), condition(other))
    assert not Prover().implies(condition(other), condition(text))


def test_both_sides_of_a_conflict_are_named() -> None:
    found = Prover().conflict(condition("evt.type = open and proc.name = a and not proc.name exists"))
    assert {(literal.leaf.left.key, literal.positive) for literal in found} == {
        ("proc.name", True),
        ("proc.name", False),
    }
    (alone,) = Prover().conflict(condition("evt.type = open and proc.name in ()"))
    assert alone.leaf.left.key == "proc.name"
