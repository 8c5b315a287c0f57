"""Mutants on trial: which of them some test notices.

A mutant is *noticed* where a test that passes with the rules as they are would fail with it. Tests whose events are
written in them are asked; recordings and commands are not run again for every mutant. A rule that no such test
names has no mutants: coverage tells that it is not tested. A mutant of which can be proved that it means the same does not count.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from refengine.authoring.linting.logic import Prover
from refengine.authoring.testing.case import Case, Given
from refengine.authoring.testing.judge import failures
from refengine.authoring.testing.mutants import Effect, Key, Mutant, mutants
from refengine.condition.interpret import Interpreter
from refengine.condition.reader import Reader, bind_operand
from refengine.condition.typed import Condition, walk
from refengine.event import RecordedEvent
from refengine.fields.readers import RecordedReader
from refengine.output.alert import Alert, MakeAlert, compile_alert
from refengine.recursion import deep_recursion
from refengine.rulefile.rule import Rule
from refengine.ruleset import RuleSet

_VALUES_SHOWN = 8


@dataclass(frozen=True, slots=True)
class MutationScore:
    """The mutants that tests noticed, those that no test did, and those that provably mean the same."""

    noticed: tuple[Mutant, ...]
    survivors: tuple[Mutant, ...]
    equivalent: tuple[Mutant, ...] = ()

    @property
    def total(self) -> int:
        """How many mutants there were that a test could notice."""
        return len(self.noticed) + len(self.survivors)

    @property
    def score(self) -> float:
        """The share of mutants that were noticed."""
        return 1.0 if not self.total else len(self.noticed) / self.total


def merged(scores: Iterable[MutationScore]) -> MutationScore:
    """Return the score of several suites: a mutant of what they share counts once, noticed where any notices it."""
    scores = tuple(scores)
    noticed = {mutant.key: mutant for score in scores for mutant in score.noticed}
    survivors: dict[Key, Mutant] = {}
    for score in scores:
        survivors.update((mutant.key, mutant) for mutant in score.survivors if mutant.key not in noticed)
    # What means the same in one suite need not do so in another, where other rules use it.
    equivalent = {
        mutant.key: mutant
        for score in scores
        for mutant in score.equivalent
        if mutant.key not in noticed and mutant.key not in survivors
    }
    return MutationScore(tuple(noticed.values()), tuple(survivors.values()), tuple(equivalent.values()))


class _Remembering(Interpreter):
    """Evaluates each part of some conditions once for an event, so that a mutant of them costs only what it changed."""

    def __init__(self, reader: Reader, conditions: Iterable[Condition]) -> None:
        super().__init__(reader)
        self._own = frozenset(id(part) for condition in conditions for part in walk(condition))
        self._known: dict[tuple[int, int], bool] = {}

    def holds(self, condition: Condition, event: RecordedEvent) -> bool:
        """Return whether `condition`, or a mutant, holds for `event`; both must outlive this object."""
        if id(condition) not in self._own:
            return super().holds(condition, event)
        key = (id(condition), id(event))
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = super().holds(condition, event)
        return known


class MutationBench:
    """Asks the tests of one suite about mutants of the rules that they name, and of the macros of those."""

    def __init__(self, rules: RuleSet, cases: Iterable[Case]) -> None:
        self._rules = rules.enabled()
        self._reader = reader = RecordedReader()
        self._makes: dict[Rule, MakeAlert] = {
            rule: compile_alert(
                rule.name,
                rule.priority,
                rule.source,
                rule.tags,
                rule.output,
                lambda operand: bind_operand(operand, reader),
            )
            for rule in self._rules
        }
        self._cases: list[tuple[Case, list[tuple[RecordedEvent, frozenset[Rule]]]]] = []
        self._interpreter = _Remembering(reader, (rule.condition for rule in self._rules))
        with deep_recursion():
            for case in cases:
                if isinstance(case.events, Given):
                    held = [(event, self._holding(event)) for event in case.events.events]
                    self._cases.append((case, held))
        names = {named.name for case, _ in self._cases for named in case.expected.names}
        self._named = tuple(rule for rule in self._rules if rule.name in names)

    def score(self) -> MutationScore:
        """Return what the tests make of all mutants."""
        noticed: list[Mutant] = []
        survivors: list[Mutant] = []
        equivalent: list[Mutant] = []
        prover = Prover()
        with deep_recursion():
            for mutant in mutants(self._rules, self._named):
                if self._noticed(mutant):
                    noticed.append(mutant)
                elif _means_the_same(mutant, prover):
                    equivalent.append(mutant)
                else:
                    survivors.append(mutant)
        return merged([MutationScore(tuple(noticed), tuple(survivors), tuple(equivalent))])

    def _holding(self, event: RecordedEvent) -> frozenset[Rule]:
        return frozenset(
            rule
            for rule in self._rules
            if rule.source == event.source and self._interpreter.holds(rule.condition, event)
        )

    def _noticed(self, mutant: Mutant) -> bool:
        holds = self._interpreter.holds
        for case, events in self._cases:
            changed = False
            now: list[tuple[RecordedEvent, frozenset[Rule]]] = []
            for event, before in events:
                after = before.symmetric_difference(
                    rule
                    for rule, condition in mutant.conditions.items()
                    if event.source == rule.source and holds(condition, event) is not (rule in before)
                )
                changed = changed or after != before
                now.append((event, after))
            if changed and any(failures(case.expected, self._alerts(case, now), case.place)):
                return True
        return False

    def _alerts(self, case: Case, events: list[tuple[RecordedEvent, frozenset[Rule]]]) -> list[Alert]:
        alerts: list[Alert] = []
        for event, holding in events:
            for rule in self._rules:
                if rule in holding:
                    alert = self._makes[rule](event)
                    assert alert is not None, "the outputs of rules never require all fields"
                    alerts.append(alert)
                    if case.matching == "first":
                        break
        return alerts


def _means_the_same(mutant: Mutant, prover: Prover) -> bool:
    """Return whether it can be proved that every rule concerned holds for the same events as before."""
    return all(
        prover.implies(rule.condition, condition) and prover.implies(condition, rule.condition)
        for rule, condition in mutant.conditions.items()
    )


def mutation_text(scores: Iterable[MutationScore]) -> str:
    """Return the score of all suites together, and each mutant that no test noticed, with the test that would."""
    score = merged(scores)
    same = f"; {len(score.equivalent)} more mean the same" if score.equivalent else ""
    lines = [f"mutants: {len(score.noticed)} of {score.total} noticed ({score.score:.0%}){same}"]
    values: dict[object, list[str]] = defaultdict(list)
    for mutant in score.survivors:
        if mutant.value is not None:
            values[_together(mutant)].append(mutant.value)
    for mutant in score.survivors:
        change = mutant.change
        if mutant.value is not None:
            left_out = values.pop(_together(mutant), None)
            if left_out is None:
                continue  # told with the first
            shown = ", ".join(left_out[:_VALUES_SHOWN])
            more = f" and {len(left_out) - _VALUES_SHOWN} more" if len(left_out) > _VALUES_SHOWN else ""
            of = change.removeprefix(f"{mutant.value} is left out of ")
            of = of if mutant.list is None else f"the list '{mutant.list}'"
            change = f"{shown}{more} {'is' if len(left_out) == 1 else 'are, each alone,'} left out of {of}"
        where = "" if mutant.place is None else f"{mutant.place}: "
        lines.append(f"  {where}no test {_owner(mutant)}notices that {change}")
        if mutant.effect is not Effect.OTHER:
            lines.append(f"    missing: {mutant.effect.value}")
    return "\n".join(lines) + "\n"


def _together(mutant: Mutant) -> object:
    """Return what mutants have in common that are told in one line."""
    return mutant.list or (mutant.key[0], str(mutant.place))


def _owner(mutant: Mutant) -> str:
    if mutant.list is not None:
        return ""
    if mutant.macro is None:
        return f"of '{mutant.rule.name}' "
    others = len(mutant.conditions) - 1
    users = f"'{mutant.rule.name}'" + (f" and {others} more use" if others else " uses")
    return f"of the macro '{mutant.macro}', which {users}, "
