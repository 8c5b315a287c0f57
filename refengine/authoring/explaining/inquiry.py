"""Asking rules about events: on which they held, and how near they came on the others."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from refengine.condition.trace import OTHER_EVENT, Trace, Tracer, distance
from refengine.event import Event, RecordedEvent
from refengine.fields.readers import RecordedReader, SystemReader
from refengine.rulefile.rule import Rule


@dataclass(frozen=True, slots=True)
class Answer:
    """What a rule made of one event. `distance` is 0 where it holds, else how far it was from that.

    `taken_by` is the earlier rule that holds as well, and whose alert an event raises alone under `first`.
    """

    rule: Rule
    number: int
    event_type: str
    trace: Trace
    distance: int
    taken_by: Rule | None = None

    @property
    def holds(self) -> bool:
        """True where the condition holds."""
        return self.trace.holds


class Inquiry:
    """Traces `rules` over events, and keeps for each the answer that says most: where it held, or came nearest.

    Of all the events only those with one of `numbers`, where some are given. `order` are the enabled rules as the
    engine asks them.
    """

    def __init__(self, rules: Iterable[Rule], order: Iterable[Rule], numbers: Collection[int] = ()) -> None:
        self._rules = tuple(rules)
        self._order = tuple(order)
        self._numbers = frozenset(numbers)
        self._given, self._observed = Tracer(RecordedReader()), Tracer(SystemReader())
        self._best: dict[Rule, Answer] = {}
        self.held: dict[Rule, int] = {}
        self.seen = 0

    @property
    def is_done(self) -> bool:
        """True when no further event can matter."""
        return bool(self._numbers) and self.seen >= len(self._numbers)

    def see(self, event: Event | RecordedEvent) -> None:
        """Ask the rules about an event, at its moment."""
        if self._numbers and event.number not in self._numbers:
            return
        self.seen += 1
        tracer = self._given if isinstance(event, RecordedEvent) else self._observed
        for rule in self._rules:
            if rule.source != event.source:
                continue
            best = self._best.get(rule)
            if best is not None and best.distance < OTHER_EVENT and event.name not in rule.event_types:
                continue  # an event of another type is further away
            trace = tracer.trace(rule.condition, event)
            if trace.holds:
                self.held[rule] = self.held.get(rule, 0) + 1
            if best is not None and best.holds:
                continue
            away = 0 if trace.holds else distance(trace)
            if best is None or away < best.distance:
                taken = self._taken(rule, event, tracer) if trace.holds else None
                self._best[rule] = Answer(rule, event.number, event.name, trace, away, taken)

    def answers(self) -> tuple[Answer, ...]:
        """Return one answer for each rule that was asked, in the order of the rules."""
        return tuple(self._best[rule] for rule in self._rules if rule in self._best)

    def _taken(self, rule: Rule, event: Event | RecordedEvent, tracer: Tracer) -> Rule | None:
        for other in self._order:
            if other is rule:
                return None
            if other.source == event.source and tracer.trace(other.condition, event).holds:
                return other
        return None
