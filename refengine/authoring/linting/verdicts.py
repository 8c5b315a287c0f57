"""Checks of what conditions can come to: nothing, everything, or only what an earlier rule takes."""

from __future__ import annotations

from collections.abc import Iterator

from refengine.authoring.explaining.wording import macro_place, place_of, shortened, written_text
from refengine.authoring.finding import Finding, Severity
from refengine.authoring.linting.logic import Literal
from refengine.authoring.linting.subject import Subject, place_of_rule
from refengine.condition.event_types import ALL
from refengine.condition.typed import (
    AllOf,
    AnyOf,
    Condition,
    Existence,
    Macro,
    Negation,
    Test,
    fields_of,
    walk,
)
from refengine.errors import Note
from refengine.fields.catalogue import SYSCALL
from refengine.rulefile.rule import Rule
from refengine.source import Place, Span


def never_holds(subject: Subject) -> Iterator[Finding]:
    """Yield the rules whose condition is false whatever happens."""
    for rule in subject.rules:
        message: str | None = None
        notes: tuple[Note, ...] = ()
        if not rule.event_types:
            message = "no event has a type for which the condition could hold"
        elif subject.prover.never((rule.condition, True)):
            message = "the condition contradicts itself"
            conflict = subject.prover.conflict(rule.condition)
            if len(conflict) == 1:
                message = f"'{written_text(conflict[0].leaf)}' never comes true"
                if isinstance(conflict[0].leaf, Test) and conflict[0].leaf.right == ():
                    message = f"{message}, since the list is empty"
            else:
                notes = tuple(
                    Note(
                        f"here '{written_text(literal.leaf)}' must {'' if literal.positive else 'not '}hold",
                        place_of(literal.leaf),
                    )
                    for literal in conflict
                )
        if message is not None:
            yield Finding(
                "never-holds",
                Severity.WARNING,
                f"rule '{rule.name}' can never raise an alert: {message}",
                _condition_place(rule),
                notes,
                rule=rule.name,
            )


def always_holds(subject: Subject) -> Iterator[Finding]:
    """Yield the rules whose condition is true whatever happens."""
    for rule in subject.rules:
        if subject.prover.never((rule.condition, False)):
            yield Finding(
                "always-holds",
                Severity.WARNING,
                f"the condition of rule '{rule.name}' holds for every event",
                _condition_place(rule),
                rule=rule.name,
            )


def dead_alternative(subject: Subject) -> Iterator[Finding]:
    """Yield alternatives joined by `or` that can never hold where they stand."""
    for rule in subject.rules:
        if subject.prover.never((rule.condition, True)):
            continue
        for part, culprit in subject.prover.dead_parts(rule.condition):
            yield Finding(
                "dead-alternative",
                Severity.WARNING,
                f"'{described(part)}' can never hold here, so that this alternative says nothing",
                first_place(part) or _condition_place(rule),
                _because(culprit),
                rule=rule.name,
            )


def needless_exception(subject: Subject) -> Iterator[Finding]:
    """Yield exceptions that can never apply, since the condition itself leaves out what they except."""
    for rule in subject.rules:
        named = [exception for exception in rule.definition.exceptions if exception.values]
        if not named or not isinstance(rule.condition, AllOf):
            continue
        own = rule.condition.children[: -len(named)]
        needs: list[tuple[Condition, bool]] = [(part, True) for part in own]
        if subject.prover.never(*needs):
            continue
        for exception, part in zip(named, rule.condition.children[-len(named) :], strict=True):
            assert isinstance(part, Negation)
            choices = part.child.children if isinstance(part.child, AnyOf) else (part.child,)
            for choice in choices:
                if subject.prover.never(*needs, (choice, True)):
                    yield Finding(
                        "needless-exception",
                        Severity.WARNING,
                        f"exception '{exception.name}' of rule '{rule.name}' never applies to"
                        f" '{described(choice)}': the condition does not hold there anyway",
                        last_place(choice) or exception.context.place,
                        rule=rule.name,
                    )


def shadowed_rule(subject: Subject) -> Iterator[Finding]:
    """Yield rules that never alert, since an earlier rule certainly holds wherever they do and takes the event.

    That is so where the first rule that holds takes an event, as it is by default.
    """
    rules = [rule for rule in subject.rules if rule.enabled and rule.event_types]
    operands = {id(rule): {read.key for read in fields_of(rule.condition)} for rule in rules}
    for at, rule in enumerate(rules):
        if subject.prover.never((rule.condition, True)):
            continue
        for earlier in rules[:at]:
            if earlier.source != rule.source or not rule.event_types <= earlier.event_types:
                continue
            if not _positive_operands(earlier) <= operands[id(rule)]:
                continue  # it asks for something that the rule does not speak of
            if subject.prover.implies(rule.condition, earlier.condition):
                yield Finding(
                    "shadowed-rule",
                    Severity.WARNING,
                    f"rule '{rule.name}' never raises an alert: rule '{earlier.name}' comes before it, and holds"
                    " wherever it does",
                    place_of_rule(rule),
                    (Note(f"'{earlier.name}' is defined here", place_of_rule(earlier)),),
                    "put the narrower rule first, or run with 'rule_matching: all'",
                    rule=rule.name,
                )
                break


def no_event_type(subject: Subject) -> Iterator[Finding]:
    """Yield rules on system calls that no event type restricts, so that they are evaluated on every event."""
    for rule in subject.rules:
        if rule.source == SYSCALL and rule.definition.warn_evttypes and rule.event_types >= ALL:
            yield Finding(
                "no-event-type",
                Severity.WARNING,
                f"rule '{rule.name}' is evaluated on events of every type, which is slow",
                _condition_place(rule),
                suggestion="name the types, as in 'evt.type in (open, openat)'",
                rule=rule.name,
            )


def _positive_operands(rule: Rule) -> set[str]:
    """Return the operands of the comparisons that a rule joins by `and` at its top."""
    found: set[str] = set()
    pending: list[Condition] = [rule.condition]
    while pending:
        part = pending.pop()
        if isinstance(part, Macro):
            pending.append(part.body)
        elif isinstance(part, AllOf):
            pending.extend(part.children)
        elif isinstance(part, Test | Existence):
            found.add(part.left.key)
    return {key for key in found if key not in ("evt.num", "evt.type")}


def _because(culprit: Literal | None) -> tuple[Note, ...]:
    if culprit is None:
        return ()
    word = "holds" if culprit.positive else "does not hold"
    return (Note(f"where it is asked, '{written_text(culprit.leaf)}' {word}", place_of(culprit.leaf)),)


def _condition_place(rule: Rule) -> Place:
    text = rule.definition.condition
    return text.place(Span(0, len(text.value)))


def described(condition: Condition) -> str:
    """Return a condition in few words."""
    if isinstance(condition, Test | Existence):
        return written_text(condition)
    if isinstance(condition, Macro):
        return condition.name
    if isinstance(condition, Negation):
        return f"not {described(condition.child)}"
    word = " and " if isinstance(condition, AllOf) else " or "
    return shortened(word.join(map(described, condition.children)))


def first_place(condition: Condition) -> Place | None:
    """Return where the first comparison of a condition stands."""
    if isinstance(condition, Macro):
        return macro_place(condition)
    for part in walk(condition):
        if isinstance(part, Test | Existence):
            return place_of(part)
    return None


def last_place(condition: Condition) -> Place | None:
    """Return where the last comparison of a condition stands."""
    places = [place_of(part) for part in walk(condition) if isinstance(part, Test | Existence)]
    return places[-1] if places else None
