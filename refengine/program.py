"""Rules as something to run: which of them match an event, by either evaluator."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from refengine.condition.compile import Match, compile_conditions
from refengine.condition.interpret import Interpreter
from refengine.condition.reader import Reader
from refengine.event import Event, RecordedEvent
from refengine.recursion import deep_recursion
from refengine.rulefile.rule import Rule


class Program(Protocol):
    """Finds the rules that match an event."""

    def function(self, source: str, event_type: str) -> Match:
        """Return the function that gives the indices of the rules which match an event, in order.

        With `first_only` there is one at most. The events have to be of that source and type; who asks keeps the function.
        """


class InterpretedProgram:
    """Evaluates rule after rule with the interpreter."""

    def __init__(self, rules: Iterable[Rule], reader: Reader, *, first_only: bool) -> None:
        self._rules = tuple(enumerate(rules))
        self._interpreter = Interpreter(reader)
        self._first_only = first_only

    def function(self, source: str, event_type: str) -> Match:
        """Return the function that decides the rules of events of `source`, whatever their type."""
        rules = [(index, rule.condition) for index, rule in self._rules if rule.source == source]

        def match(event: Event | RecordedEvent) -> tuple[int, ...]:
            matched: list[int] = []
            with deep_recursion():
                for index, condition in rules:
                    if self._interpreter.holds(condition, event):
                        matched.append(index)
                        if self._first_only:
                            break
            return tuple(matched)

        return match


class CompiledProgram:
    """Evaluates all rules that can match events of one type in one function.

    `numbered` says that events have numbers from 1 on, which lets `evt.num = 0` be decided beforehand.
    """

    def __init__(self, rules: Iterable[Rule], reader: Reader, *, first_only: bool, numbered: bool) -> None:
        self._rules = tuple(enumerate(rules))
        self._reader = reader
        self._first_only = first_only
        self._numbered = numbered

    def function(self, source: str, event_type: str) -> Match:
        """Return the compiled function for events of `source` with that type."""
        return compile_conditions(
            ((index, rule.condition) for index, rule in self._rules if rule.concerns(source, event_type)),
            self._reader,
            event_type=event_type or None,
            first_only=self._first_only,
            numbered=self._numbered,
        )
