"""Why rules alerted or did not while a test ran: kept for the message of a failure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from refengine.authoring.explaining.wording import leaf_words
from refengine.condition.trace import OTHER_EVENT, Trace, Tracer, distance, nearest_miss
from refengine.event import Event, RecordedEvent
from refengine.fields.readers import RecordedReader, SystemReader
from refengine.rulefile.rule import Rule

SHOWN = 4
"""Comparisons that a message names at most."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a rule raised an alert or none: in lines for people, and the comparisons that made it so."""

    lines: tuple[str, ...]
    cause: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Seen:
    rule: Rule
    event: str
    trace: Trace
    distance: int


class Evidence:
    """Follows the rules that a test names over its events: how near each came, and on what it held.

    `rules` are the enabled ones in order, `first_only` says that an event raises the alert of the first that holds.
    """

    def __init__(self, rules: Iterable[Rule], names: Collection[str], *, first_only: bool) -> None:
        self._rules = tuple(rules)
        self._names = frozenset(names)
        self._first_only = first_only
        self._given, self._observed = Tracer(RecordedReader()), Tracer(SystemReader())
        self._nearest: dict[str, _Seen] = {}
        self._held: dict[str, _Seen] = {}
        self._taken: dict[str, tuple[str, Rule]] = {}

    def see(self, event: Event | RecordedEvent, alerted: Collection[str]) -> None:
        """Look at one event and the names of the rules that alerted on it, whether the test names them or not."""
        tracer = self._given if isinstance(event, RecordedEvent) else self._observed
        name = f"event {event.number} ({event.name or 'without evt.type'})"
        for rule in self._rules:
            if rule.source != event.source:
                continue
            if rule.name in alerted:
                if rule.name not in self._held:
                    self._held[rule.name] = _Seen(rule, name, tracer.trace(rule.condition, event), 0)
            elif rule.name in self._names and not self._is_further_away(rule, event):
                self._note_silence(rule, event, tracer, name)

    def _is_further_away(self, rule: Rule, event: Event | RecordedEvent) -> bool:
        best = self._nearest.get(rule.name)
        return best is not None and best.distance < OTHER_EVENT and event.name not in rule.event_types

    def _note_silence(self, rule: Rule, event: Event | RecordedEvent, tracer: Tracer, name: str) -> None:
        trace = tracer.trace(rule.condition, event)
        if trace.holds:
            if self._first_only and rule.name not in self._taken:
                self._note_taken(rule, event, tracer, name)
            return
        seen = _Seen(rule, name, trace, distance(trace))
        best = self._nearest.get(rule.name)
        if best is None or seen.distance < best.distance:
            self._nearest[rule.name] = seen

    def _note_taken(self, rule: Rule, event: Event | RecordedEvent, tracer: Tracer, name: str) -> None:
        for other in self._rules:
            if other is rule:
                return
            if other.source == event.source and tracer.trace(other.condition, event).holds:
                self._taken[rule.name] = (name, other)
                return

    def why_silent(self, rule: str) -> Reason:
        """Return why `rule` raised no alert."""
        if rule in self._taken:
            name, other = self._taken[rule]
            place = other.definition.history[0].place
            return Reason(
                (
                    f"its condition holds for {name}, but rule '{other.name}' ({place}) comes first and takes the event;",
                    "say 'matching: all' where every rule that holds is to raise its alert",
                )
            )
        seen = self._nearest.get(rule)
        if seen is None:
            return Reason(("it was asked about no event: none is of its source",))
        return _reason(
            f"its condition does not hold for {seen.event}; what keeps it from holding:",
            seen,
            ("must not hold, but", "must hold, but"),
        )

    def why_alerted(self, rule: str) -> Reason | None:
        """Return why `rule` raised an alert."""
        seen = self._held.get(rule)
        if seen is None:
            return None
        return _reason(
            f"its condition holds for {seen.event}; it would not if this were otherwise:",
            seen,
            ("holds:", "does not hold:"),
        )


def _reason(heading: str, seen: _Seen, words: tuple[str, str]) -> Reason:
    """Return the reason why a rule has its verdict; `words` say of a comparison that it holds, and that it does not."""
    leaves = nearest_miss(seen.trace)
    exceptions = dict(_exceptions(seen))
    lines = [heading]
    cause = []
    for leaf in leaves:
        said = leaf_words(leaf)
        where = "" if said.place is None else f"  [{said.place}]"
        owner = f"exception '{exceptions[leaf]}': " if leaf in exceptions else ""
        lines.append(f"  {owner}{said.written}  {words[0] if leaf.holds else words[1]} {said.reason}{where}")
        cause.append(f"{said.written}{where}")
    if len(leaves) > SHOWN:
        lines[SHOWN + 1 :] = [f"  and {len(leaves) - SHOWN} more"]
    return Reason(tuple(lines), tuple(cause))


def _exceptions(seen: _Seen) -> Iterator[tuple[Trace, str]]:
    """Yield the comparisons that a rule's exceptions brought in, each with the name of its exception."""
    names = [each.name for each in seen.rule.definition.exceptions if each.values]
    for name, part in zip(names, seen.trace.children[-len(names) :] if names else (), strict=True):
        yield from ((leaf, name) for leaf in part.leaves())
