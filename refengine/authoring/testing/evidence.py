"""Why rules alerted or did not while a test ran: kept for the message of a failure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from refengine.authoring.explaining.wording import leaf_words
from refengine.condition.trace import Trace, Tracer, distance, nearest_miss
from refengine.event import Event, RecordedEvent
from refengine.fields.readers import RecordedReader, SystemReader
from refengine.rulefile.rule import Rule

SHOWN = 4
"""Comparisons that a message names at most."""


@dataclass(frozen=True, slots=True)
class _Seen:
    event: str
    trace: Trace
    distance: int


class Evidence:
    """Follows some rules over the events of a test: how near each came, and on what it held."""

    def __init__(self, rules: Iterable[Rule], earlier: Iterable[Rule]) -> None:
        self._rules = tuple(rules)
        self._order = tuple(earlier)
        self._given, self._observed = Tracer(RecordedReader()), Tracer(SystemReader())
        self._nearest: dict[str, _Seen] = {}
        self._held: dict[str, _Seen] = {}
        self._taken: dict[str, tuple[str, Rule]] = {}

    def see(self, event: Event | RecordedEvent) -> None:
        """Look at one event."""
        tracer = self._given if isinstance(event, RecordedEvent) else self._observed
        for rule in self._rules:
            if rule.source != event.source:
                continue
            trace = tracer.trace(rule.condition, event)
            name = f"event {event.number} ({event.name or 'without evt.type'})"
            if trace.holds:
                self._held.setdefault(rule.name, _Seen(name, trace, 0))
                self._note_taken(rule, event, tracer, name)
                continue
            seen = _Seen(name, trace, distance(trace))
            best = self._nearest.get(rule.name)
            if best is None or seen.distance < best.distance:
                self._nearest[rule.name] = seen

    def _note_taken(self, rule: Rule, event: Event | RecordedEvent, tracer: Tracer, name: str) -> None:
        for other in self._order:
            if other is rule:
                return
            if other.source == event.source and tracer.trace(other.condition, event).holds:
                self._taken.setdefault(rule.name, (name, other))
                return

    def why_silent(self, rule: str) -> tuple[str, ...]:
        """Return lines on why `rule` raised no alert."""
        if rule in self._taken:
            name, other = self._taken[rule]
            place = other.definition.history[0].place
            return (
                f"its condition holds for {name}, but rule '{other.name}' ({place}) comes first and takes the event;",
                "say 'matching: all' where every rule that holds is to raise its alert",
            )
        seen = self._nearest.get(rule)
        if seen is None:
            return ("it was asked about no event: none is of its source",)
        return (
            f"its condition does not hold for {seen.event}; what keeps it from holding:",
            *_lines(nearest_miss(seen.trace), "must not hold, but", "must hold, but"),
        )

    def why_alerted(self, rule: str) -> tuple[str, ...]:
        """Return lines on why `rule` raised an alert."""
        seen = self._held.get(rule)
        if seen is None:
            return ()
        return (
            f"its condition holds for {seen.event}; it would not if this were otherwise:",
            *_lines(nearest_miss(seen.trace), "holds:", "does not hold:"),
        )


def _lines(leaves: tuple[Trace, ...], holding: str, failing: str) -> Iterable[str]:
    for leaf in leaves[:SHOWN]:
        words = leaf_words(leaf)
        where = "" if words.place is None else f"  [{words.place}]"
        yield f"  {words.written}  {holding if leaf.holds else failing} {words.reason}{where}"
    if len(leaves) > SHOWN:
        yield f"  and {len(leaves) - SHOWN} more"
