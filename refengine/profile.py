"""Evaluation that takes the time of each rule."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from time import perf_counter_ns

from refengine.condition.compile import Match, compile_conditions
from refengine.condition.reader import Reader
from refengine.event import Event, RecordedEvent
from refengine.rulefile.rule import Rule


@dataclass(slots=True)
class RuleProfile:
    """What the evaluation of one rule came to: how often, with how many matches, in how many nanoseconds."""

    rule: str
    evaluations: int = 0
    matches: int = 0
    nanoseconds: int = 0

    @property
    def selectivity(self) -> float:
        """The share of evaluations that matched; 0 where there was none."""
        return self.matches / self.evaluations if self.evaluations else 0.0


class ProfiledProgram:
    """Evaluates each rule by a function of its own, and takes its time; `profiles` are in the order of the rules.

    Nothing is shared between rules, so that each pays for the fields that it reads, and all of them together cost
    more than they do without a profile. The times contain that of the clock, some tens of nanoseconds each.
    """

    def __init__(self, rules: Iterable[Rule], reader: Reader, *, first_only: bool, numbered: bool) -> None:
        self._rules = tuple(rules)
        self._reader = reader
        self._first_only = first_only
        self._numbered = numbered
        self.profiles = tuple(RuleProfile(rule.name) for rule in self._rules)

    def function(self, source: str, event_type: str) -> Match:
        """Return the function that decides the rules for events of `source` with that type, and takes their times."""
        functions = [
            (index, self._function(index, rule, event_type), self.profiles[index])
            for index, rule in enumerate(self._rules)
            if rule.concerns(source, event_type)
        ]

        def match(event: Event | RecordedEvent) -> tuple[int, ...]:
            matched = []
            for index, function, profile in functions:
                start = perf_counter_ns()
                found = function(event)
                profile.nanoseconds += perf_counter_ns() - start
                profile.evaluations += 1
                if found:
                    profile.matches += 1
                    matched.append(index)
                    if self._first_only:
                        break
            return tuple(matched)

        return match

    def _function(self, index: int, rule: Rule, name: str) -> Match:
        return compile_conditions(
            [(index, rule.condition)],
            self._reader,
            event_type=name or None,
            first_only=self._first_only,
            numbered=self._numbered,
        )
