"""Coverage of conditions: what each comparison of each rule was while tests ran.

A comparison is *seen* true or false where the evaluation came to it. It has *decided* where, all others being as they
were, its opposite would have turned the verdict on the event around: that a test can notice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from refengine.authoring.explaining.wording import place_of
from refengine.condition.trace import Trace, Tracer
from refengine.condition.typed import AllOf, Condition, Existence, Macro, Negation, Test, children
from refengine.event import Event, RecordedEvent
from refengine.fields.readers import RecordedReader, SystemReader
from refengine.recursion import deep_recursion
from refengine.rulefile.rule import Rule
from refengine.ruleset import RuleSet
from refengine.source import Place


@dataclass(slots=True, eq=False)
class Cell:
    """Counts for one part of a rule's condition, by verdict: events for which it had it, and those it decided."""

    condition: Condition
    children: tuple[Cell, ...]
    seen: dict[bool, int] = field(default_factory=lambda: {True: 0, False: 0})
    decided: dict[bool, int] = field(default_factory=lambda: {True: 0, False: 0})

    @classmethod
    def of(cls, condition: Condition) -> Cell:
        """Return the empty counts for a condition and all of its parts; a macro's are counted at each use."""
        return cls(condition, tuple(map(cls.of, children(condition))))

    @property
    def is_leaf(self) -> bool:
        """True for a comparison."""
        return not self.children

    @property
    def place(self) -> Place | None:
        """Where a comparison was written."""
        return place_of(self.condition) if isinstance(self.condition, Test | Existence) else None

    def leaves(self) -> Iterator[Cell]:
        """Yield the comparisons, from the left."""
        pending = [self]
        while pending:
            at = pending.pop()
            if at.children:
                pending.extend(reversed(at.children))
            else:
                yield at

    def add(self, trace: Trace, decisive: bool) -> None:
        """Count a trace of this part; `decisive` says that the rule's verdict hangs on it."""
        if trace.reached:
            self.seen[trace.holds] += 1
        if decisive:
            self.decided[trace.holds] += 1
        if isinstance(self.condition, Negation | Macro):
            self.children[0].add(trace.children[0], decisive)
            return
        neutral = isinstance(self.condition, AllOf)
        others = [child.holds is not neutral for child in trace.children]
        against = sum(others)
        for cell, child, differs in zip(self.children, trace.children, others, strict=True):
            cell.add(child, decisive and against == differs)


@dataclass(frozen=True, slots=True, eq=False)
class RuleCoverage:
    """The counts of one rule, and how many events made it hold."""

    rule: Rule
    root: Cell

    @property
    def held(self) -> int:
        """How many events it held for."""
        return self.root.seen[True]

    def share(self) -> tuple[int, int]:
        """Return how many of the outcomes of comparisons were decisive at least once, and how many there are."""
        leaves = list(self.root.leaves())
        return sum(count > 0 for leaf in leaves for count in leaf.decided.values()), 2 * len(leaves)

    def seen_share(self) -> tuple[int, int]:
        """Return how many of the outcomes of comparisons were seen at least once, and how many there are."""
        leaves = list(self.root.leaves())
        return sum(count > 0 for leaf in leaves for count in leaf.seen.values()), 2 * len(leaves)


class Coverage:
    """Counts over all tests; rules that several suites load from the same place count as one."""

    def __init__(self) -> None:
        self._given, self._observed = Tracer(RecordedReader()), Tracer(SystemReader())
        self._rules: dict[tuple[str, str], RuleCoverage] = {}

    def watch(self, rules: RuleSet, event: Event | RecordedEvent) -> None:
        """Count one event."""
        tracer = self._given if isinstance(event, RecordedEvent) else self._observed
        with deep_recursion():
            for rule in rules:
                if rule.enabled:
                    covered = self._of(rule)
                    if rule.source == event.source:
                        trace = tracer.trace(covered.rule.condition, event)
                        covered.root.add(trace, True)

    def rules(self) -> tuple[RuleCoverage, ...]:
        """Return the counts of every rule, in the order of the files."""
        return tuple(self._rules.values())

    def _of(self, rule: Rule) -> RuleCoverage:
        place = rule.definition.history[-1].place
        key = (rule.name, str(place))
        known = self._rules.get(key)
        if known is None:
            known = self._rules[key] = RuleCoverage(rule, Cell.of(rule.condition))
        return known
