"""Mutants: small changes to conditions, each of which some test should notice.

A mutant changes one rule in one place. It is *noticed* where a test that passes with the rules as they are would fail
with it. Tests whose events are written in them are asked; recordings and commands are not run again for every
mutant. A rule that no such test names has no mutants: coverage tells that it is not tested.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from refengine.authoring.explaining.wording import place_of, shortened, written_text
from refengine.authoring.testing.case import Case, Given
from refengine.authoring.testing.judge import failures
from refengine.condition.interpret import Interpreter
from refengine.condition.networks import Network
from refengine.condition.pathtree import PathTree
from refengine.condition.reader import Reader, bind_operand
from refengine.condition.typed import (
    AllOf,
    AnyOf,
    Condition,
    Constant,
    Existence,
    Macro,
    Negation,
    Test,
    walk,
)
from refengine.event import RecordedEvent
from refengine.fields.readers import RecordedReader
from refengine.output.alert import Alert, MakeAlert, compile_alert
from refengine.recursion import deep_recursion
from refengine.rulefile.rule import Rule
from refengine.ruleset import RuleSet
from refengine.source import Place

_NEIGHBOURS = {
    "<": "<=",
    "<=": "<",
    ">": ">=",
    ">=": ">",
    "startswith": "contains",
    "endswith": "contains",
    "contains": "=",
    "icontains": "contains",
}
"""Operators that are easily taken for one another."""


@dataclass(frozen=True, slots=True, eq=False)
class Mutant:
    """A changed condition of a rule; `change` says what is different, `place` where.

    `value` is the one that the change leaves out of several, None for other changes.
    """

    rule: Rule
    condition: Condition
    change: str
    place: Place | None
    value: str | None = None


@dataclass(frozen=True, slots=True)
class MutationScore:
    """How many mutants there were, and those that no test noticed."""

    total: int
    survivors: tuple[Mutant, ...]

    @property
    def score(self) -> float:
        """The share of mutants that were noticed."""
        return 1.0 if not self.total else 1 - len(self.survivors) / self.total


def mutants(rule: Rule) -> Iterator[Mutant]:
    """Yield the mutants of a rule."""
    with deep_recursion():
        changed = list(_changes(rule.condition))
    for at in changed:
        yield Mutant(rule, at.condition, at.change, at.place, at.value)


class _Change(NamedTuple):
    """What a part of a condition becomes, in words, and where."""

    condition: Condition
    change: str
    place: Place | None
    value: str | None = None


def _changes(condition: Condition) -> Iterator[_Change]:
    """Yield what `condition` can be changed into by one change at it or below it."""
    if isinstance(condition, AllOf | AnyOf):
        yield from _chain_changes(condition)
    elif isinstance(condition, Negation):
        yield _Change(condition.child, "'not' is taken away", _first_place(condition))
        for below in _changes(condition.child):
            yield below._replace(condition=Negation(below.condition))
    elif isinstance(condition, Macro):
        for below in _changes(condition.body):
            yield below._replace(condition=Macro(condition.name, below.condition))
    else:
        opposite = f"'{written_text(condition)}' is turned into its opposite"
        yield _Change(Negation(condition), opposite, place_of(condition))
        if isinstance(condition, Test):
            yield from _test_changes(condition)


def _chain_changes(condition: AllOf | AnyOf) -> Iterator[_Change]:
    word = "and" if isinstance(condition, AllOf) else "or"
    children = condition.children
    for at, child in enumerate(children):
        rest = (*children[:at], *children[at + 1 :])
        if rest:
            left = rest[0] if len(rest) == 1 else replace(condition, children=rest)
            change = f"'{_described(child)}' is left out of what '{word}' joins"
            yield _Change(left, change, _first_place(child))
        for below in _changes(child):
            changed = (*children[:at], below.condition, *children[at + 1 :])
            yield below._replace(condition=replace(condition, children=changed))
    if len(children) > 1:
        other = AnyOf(children) if isinstance(condition, AllOf) else AllOf(children)
        becomes = f"'{word}' becomes '{'or' if word == 'and' else 'and'}'"
        yield _Change(other, becomes, _first_place(condition))


def _test_changes(test: Test) -> Iterator[_Change]:
    place = place_of(test)
    neighbour = _NEIGHBOURS.get(test.operator)
    if neighbour is not None and test.modifier is None:
        change = f"'{written_text(test)}' asks '{neighbour}' instead of '{test.operator}'"
        yield _Change(replace(test, operator=neighbour), change, place)
    if not isinstance(test.right, tuple):
        return
    constants = test.right
    if len(constants) == 1 and isinstance(constants[0], PathTree):
        paths = constants[0].paths
        for path in paths if len(paths) > 1 else ():
            left = PathTree(other for other in paths if other != path)
            yield _left_out(replace(test, right=(left,)), repr(path), place)
    elif len(constants) > 1:
        for at, constant in enumerate(constants):
            left_over = (*constants[:at], *constants[at + 1 :])
            yield _left_out(replace(test, right=left_over), _constant(constant), place)


def _left_out(test: Test, value: str, place: Place | None) -> _Change:
    return _Change(test, f"{value} is left out of '{written_text(test)}'", place, value)


def _constant(constant: Constant) -> str:
    if isinstance(constant, Network):
        return constant.text
    return shortened(repr(constant))


def _described(condition: Condition) -> str:
    if isinstance(condition, Test | Existence):
        return written_text(condition)
    if isinstance(condition, Macro):
        return condition.name
    if isinstance(condition, Negation):
        return f"not {_described(condition.child)}"
    word = " and " if isinstance(condition, AllOf) else " or "
    return shortened(f"({word.join(map(_described, condition.children))})")


def _first_place(condition: Condition) -> Place | None:
    while isinstance(condition, AllOf | AnyOf | Negation | Macro):
        if isinstance(condition, AllOf | AnyOf):
            condition = condition.children[0]
        else:
            condition = condition.body if isinstance(condition, Macro) else condition.child
    return place_of(condition)


class _Remembering(Interpreter):
    """Evaluates each part of one condition once for an event, so that a mutant of it costs only what it changed."""

    def __init__(self, reader: Reader, condition: Condition) -> None:
        super().__init__(reader)
        self._own = frozenset(map(id, walk(condition)))
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
    """Asks the tests of one suite about mutants of the rules that they name."""

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
        interpreter = Interpreter(reader)
        with deep_recursion():
            for case in cases:
                if isinstance(case.events, Given):
                    held = [(event, self._holding(interpreter, event)) for event in case.events.events]
                    self._cases.append((case, held))
        self._named = {named.name for case, _ in self._cases for named in case.expected.names}

    def score(self) -> MutationScore:
        """Return what the tests make of all mutants of the rules that they name."""
        total = 0
        survivors: list[Mutant] = []
        with deep_recursion():
            for rule in self._rules:
                if rule.name not in self._named:
                    continue
                interpreter = _Remembering(self._reader, rule.condition)
                for mutant in mutants(rule):
                    total += 1
                    if not self._noticed(mutant, interpreter):
                        survivors.append(mutant)
        return MutationScore(total, tuple(survivors))

    def _holding(self, interpreter: Interpreter, event: RecordedEvent) -> frozenset[Rule]:
        return frozenset(
            rule
            for rule in self._rules
            if rule.source == event.source and interpreter.holds(rule.condition, event)
        )

    def _noticed(self, mutant: Mutant, interpreter: Interpreter) -> bool:
        rule, holds = mutant.rule, interpreter.holds
        for case, events in self._cases:
            changed = False
            now: list[tuple[RecordedEvent, frozenset[Rule]]] = []
            for event, before in events:
                after = before
                if event.source == rule.source and holds(mutant.condition, event) is not (rule in before):
                    after, changed = before ^ {rule}, True
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


def mutation_text(scores: Iterable[MutationScore]) -> str:
    """Return the score, and each mutant that no test noticed."""
    scores = tuple(scores)
    total = sum(score.total for score in scores)
    survivors = [mutant for score in scores for mutant in score.survivors]
    share = 1.0 if not total else 1 - len(survivors) / total
    lines = [f"mutants: {total - len(survivors)} of {total} noticed ({share:.0%})"]
    values: dict[tuple[Rule, str], list[str]] = defaultdict(list)
    for mutant in survivors:
        if mutant.value is not None:
            values[mutant.rule, str(mutant.place)].append(mutant.value)
    for mutant in survivors:
        change = mutant.change
        if mutant.value is not None:
            left_out = values.pop((mutant.rule, str(mutant.place)), None)
            if left_out is None:
                continue  # told with the first
            shown = ", ".join(left_out[:_VALUES_SHOWN])
            more = f" and {len(left_out) - _VALUES_SHOWN} more" if len(left_out) > _VALUES_SHOWN else ""
            of = change.removeprefix(f"{mutant.value} is left out of ")
            change = f"{shown}{more} {'is' if len(left_out) == 1 else 'are, each alone,'} left out of {of}"
        where = "" if mutant.place is None else f"{mutant.place}: "
        lines.append(f"  {where}no test of '{mutant.rule.name}' notices that {change}")
    return "\n".join(lines) + "\n"


_VALUES_SHOWN = 8
