"""Conditions checked and evaluated, by both evaluators at once."""

from __future__ import annotations

from collections.abc import Mapping

from refengine.condition.check import Checker
from refengine.condition.compile import compile_conditions
from refengine.condition.interpret import Interpreter
from refengine.condition.parser import parse
from refengine.condition.typed import Condition
from refengine.errors import ConditionError, Diagnostic
from refengine.event import RecordedEvent
from refengine.fields.readers import RecordedReader
from refengine.report import render
from refengine.source import Text
from refengine.values import Value

READER = RecordedReader()


def check(text: str, source: str = "syscall") -> tuple[Condition | None, tuple[Diagnostic, ...]]:
    """Return the typed condition of `text` and all that was found in it."""
    whole = Text.of(text)
    checked = Checker(source).check(parse(whole), whole)
    return checked.condition, checked.diagnostics


def typed(text: str, source: str = "syscall") -> Condition:
    """Return the typed condition of a text that has no errors."""
    condition, diagnostics = check(text, source)
    assert condition is not None, "\n".join(map(render, diagnostics))
    return condition


def fault(text: str, source: str = "syscall") -> str:
    """Return the errors of `text`, as they are shown."""
    try:
        _, diagnostics = check(text, source)
    except ConditionError as error:
        return str(error)
    return "\n".join(render(found) for found in diagnostics if found.is_error)


def holds(text: str, values: Mapping[str, Value], source: str = "syscall") -> bool:
    """Return the verdict of `text` on an event that has these values, on which both evaluators agree."""
    return verdict(typed(text, source), RecordedEvent(values, source=source))


def verdict(condition: Condition, event: RecordedEvent) -> bool:
    """Return the verdict on which the interpreter and the compiled function, folded or not, agree."""
    interpreted = Interpreter(READER).holds(condition, event)
    for first_only in (True, False):
        match = compile_conditions(
            [(7, condition)], READER, event_type=event.name or None, first_only=first_only, numbered=False
        )
        assert match(event) == ((7,) if interpreted else ())
    return interpreted
