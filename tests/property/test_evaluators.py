"""The interpreter is the law: whatever else evaluates conditions agrees with it on every event."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings

from refengine.condition.compile import Match, compile_conditions
from refengine.condition.event_types import event_types
from refengine.condition.fold import Folder
from refengine.condition.interpret import Interpreter
from refengine.condition.parser import parse
from refengine.condition.printer import print_condition
from refengine.condition.typed import Condition
from refengine.event import RecordedEvent
from refengine.fields.readers import RecordedReader
from tests.condition.evaluate import typed
from tests.property.generation import Generator, generators

READER = RecordedReader()
EVENTS = 12


def expected(program: list[Condition], event: RecordedEvent) -> tuple[int, ...]:
    interpreter = Interpreter(READER)
    return tuple(index for index, condition in enumerate(program) if interpreter.holds(condition, event))


class Compiled:
    """The functions of a program, made when an event of their type comes first."""

    def __init__(self, program: list[Condition], *, first_only: bool, numbered: bool = False) -> None:
        self._program = program
        self._first_only = first_only
        self._numbered = numbered
        self._functions: dict[str, Match] = {}

    def match(self, event: RecordedEvent) -> tuple[int, ...]:
        if event.name not in self._functions:
            self._functions[event.name] = compile_conditions(
                enumerate(self._program),
                READER,
                event_type=event.name or None,
                first_only=self._first_only,
                numbered=self._numbered,
            )
        return self._functions[event.name](event)


def agree(generator: Generator) -> None:
    program = generator.program()
    all_matches, first_match = (Compiled(program, first_only=first) for first in (False, True))
    for _ in range(EVENTS):
        event = generator.event()
        matched = expected(program, event)
        assert all_matches.match(event) == matched
        assert first_match.match(event) == matched[:1]


@given(generators())
@settings(max_examples=150)
def test_compiled_rules_agree_with_the_interpreter(generator: Generator) -> None:
    agree(generator)


@given(generators("k8s_audit"))
@settings(max_examples=50)
def test_compiled_rules_agree_with_the_interpreter_on_audit_events(generator: Generator) -> None:
    agree(generator)


@given(generators())
@settings(max_examples=60)
def test_numbered_events_are_decided_alike(generator: Generator) -> None:
    program = generator.program()
    compiled = Compiled(program, first_only=False, numbered=True)
    for number in range(1, EVENTS):
        event = RecordedEvent({**generator.event().values, "evt.num": number})
        assert compiled.match(event) == expected(program, event)


@given(generators())
@settings(max_examples=60)
def test_what_is_left_after_folding_has_the_same_verdict(generator: Generator) -> None:
    interpreter = Interpreter(READER)
    program = generator.program()
    for _ in range(EVENTS):
        event = generator.event()
        folder = Folder(event.name or None, numbered=False)
        for condition in program:
            folded = folder.fold(condition)
            left = folded if isinstance(folded, bool) else interpreter.holds(folded, event)
            assert left is interpreter.holds(condition, event)


@given(generators())
@settings(max_examples=60)
def test_no_event_matches_outside_the_event_types_of_its_rule(generator: Generator) -> None:
    program = generator.program()
    for _ in range(EVENTS):
        event = RecordedEvent({"evt.type": "openat", **generator.event().values, "evt.num": 5})
        for index in expected(program, event):
            assert event.name in event_types(program[index])


@given(generators())
@settings(max_examples=60)
def test_the_canonical_text_means_the_same(generator: Generator) -> None:
    text = generator.condition()
    first, again = typed(text), typed(print_condition(parse(text)))
    interpreter = Interpreter(READER)
    for _ in range(EVENTS):
        event = generator.event()
        assert interpreter.holds(again, event) is interpreter.holds(first, event)


@pytest.mark.parametrize("source", ["syscall", "k8s_audit"])
def test_the_generator_makes_both_verdicts(source: str) -> None:
    generator = Generator(Random(1), source)
    verdicts = [
        index in expected(program, event)
        for program, event in ((generator.program(), generator.event()) for _ in range(100))
        for index in range(len(program))
    ]
    assert 0.2 < sum(verdicts) / len(verdicts) < 0.8
