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

    def match(self, event: Event | RecordedEvent) -> tuple[int, ...]:
        """Return the indices of the rules that match, in order; with `first_only` one at most."""

    def prepare(self, source: str, event_types: Iterable[str]) -> None:
        """Do what can be done before events of these types arrive."""


class InterpretedProgram:
    """Evaluates rule after rule with the interpreter."""

    def __init__(self, rules: Iterable[Rule], reader: Reader, *, first_only: bool) -> None:
        self._rules = tuple(enumerate(rules))
        self._interpreter = Interpreter(reader)
        self._first_only = first_only

    def match(self, event: Event | RecordedEvent) -> tuple[int, ...]:
        """Return the indices of the rules that match, in order; with `first_only` one at most."""
        matched: list[int] = []
        with deep_recursion():
            for index, rule in self._rules:
                if rule.source == event.source and self._interpreter.holds(rule.condition, event):
                    matched.append(index)
                    if self._first_only:
                        break
        return tuple(matched)

    def prepare(self, source: str, event_types: Iterable[str]) -> None:
        """Return at once: the interpreter has nothing to prepare."""


class CompiledProgram:
    """Evaluates all rules that can match events of one type in one function.

    A function is made when the first event of its type arrives, unless `prepare` was asked for it. `numbered`
    says that events have numbers from 1 on, which lets `evt.num = 0` be decided beforehand.
    """

    def __init__(self, rules: Iterable[Rule], reader: Reader, *, first_only: bool, numbered: bool) -> None:
        self._rules = tuple(enumerate(rules))
        self._reader = reader
        self._first_only = first_only
        self._numbered = numbered
        self._functions: dict[str, dict[str, Match]] = {}
        """The functions by source and event type."""

    def match(self, event: Event | RecordedEvent) -> tuple[int, ...]:
        """Return the indices of the rules that match, in order; with `first_only` one at most."""
        try:
            function = self._functions[event.source][event.name]
        except KeyError:
            function = self._compile(event.source, event.name)
        return function(event)

    def prepare(self, source: str, event_types: Iterable[str]) -> None:
        """Make the functions for events of these types."""
        for name in event_types:
            self._compile(source, name)

    def _compile(self, source: str, name: str) -> Match:
        function = compile_conditions(
            (
                (index, rule.condition)
                for index, rule in self._rules
                if rule.source == source and (not name or name in rule.event_types)
            ),
            self._reader,
            event_type=name or None,
            first_only=self._first_only,
            numbered=self._numbered,
        )
        self._functions.setdefault(source, {})[name] = function
        return function
