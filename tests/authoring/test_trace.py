"""A trace agrees with the interpreter on the whole and on every part, and says what the parts were."""

from __future__ import annotations

from typing import Any

from hypothesis import given

from refengine.condition.interpret import Interpreter
from refengine.condition.reader import bind_operand
from refengine.condition.trace import Trace, Tracer, distance, nearest_miss
from refengine.condition.typed import AllOf, AnyOf, Condition, Macro, Negation
from refengine.event import RecordedEvent
from refengine.fields.readers import RecordedReader
from tests.property.generation import Generator, generators


def parts(trace: Trace) -> list[Trace]:
    """Return the trace and everything below it."""
    return [trace, *(part for child in trace.children for part in parts(child))]


@given(generators())
def test_every_part_has_the_verdict_of_the_interpreter(generator: Generator) -> None:
    reader = RecordedReader()
    conditions = generator.program()
    for _ in range(3):
        event = generator.event()
        for condition in conditions:
            for part in parts(Tracer(reader).trace(condition, event)):
                assert part.holds is Interpreter(reader).holds(part.condition, event)
                if not part.children:
                    left = part.condition.left  # type: ignore[union-attr]  # a comparison has nothing below it
                    assert part.left == bind_operand(left, reader)(event)


class Counting(Interpreter):
    """Remembers the comparisons that it was asked about."""

    def __init__(self) -> None:
        super().__init__(RecordedReader())
        self.asked: list[int] = []

    def holds(self, condition: Condition, event: Any) -> bool:
        if not isinstance(condition, AllOf | AnyOf | Negation | Macro):
            self.asked.append(id(condition))
        return super().holds(condition, event)


@given(generators())
def test_reached_is_what_the_interpreter_asks_in_its_order(generator: Generator) -> None:
    conditions, event = generator.program(), generator.event()
    for condition in conditions:
        interpreter = Counting()
        interpreter.holds(condition, event)
        trace = Tracer(RecordedReader()).trace(condition, event)
        assert [id(leaf.condition) for leaf in trace.leaves() if leaf.reached] == interpreter.asked


def with_turned(trace: Trace, turned: set[int]) -> bool:
    """Return the verdict that a trace would have with the opposite verdicts of some comparisons."""
    if not trace.children:
        return trace.holds is not (id(trace) in turned)
    children = [with_turned(child, turned) for child in trace.children]
    if isinstance(trace.condition, AllOf):
        return all(children)
    if isinstance(trace.condition, AnyOf):
        return any(children)
    return not children[0] if isinstance(trace.condition, Negation) else children[0]


@given(generators())
def test_the_nearest_miss_turns_the_verdict_and_every_part_of_it_is_needed(generator: Generator) -> None:
    conditions, event = generator.program(), generator.event()
    for condition in conditions:
        trace = Tracer(RecordedReader()).trace(condition, event)
        leaves = {id(leaf) for leaf in nearest_miss(trace)}
        assert leaves
        assert with_turned(trace, leaves) is not trace.holds
        assert all(with_turned(trace, leaves - {leaf}) is trace.holds for leaf in leaves)
        assert distance(trace) >= len(leaves)


def test_an_event_of_another_type_is_further_away_than_another_value() -> None:
    from refengine.condition.check import Checker
    from refengine.condition.parser import parse
    from refengine.source import Text

    text = Text.of("evt.type = open or (fd.name = /a and proc.name = x and user.name = y)")
    condition = Checker().check(parse(text), text).condition
    assert condition is not None
    trace = Tracer(RecordedReader()).trace(condition, RecordedEvent({"evt.type": "close"}))
    assert [leaf.condition.left.key for leaf in nearest_miss(trace)] == ["fd.name", "proc.name", "user.name"]  # type: ignore[union-attr]  # comparisons
