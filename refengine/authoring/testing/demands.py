"""What must hold of a test and its rules before it may run: a wrong test must not pass by accident."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from refengine.authoring.finding import Finding, Severity
from refengine.authoring.testing.case import Case, Expectation, ExpectedAlert, Given, Named
from refengine.authoring.testing.format import nearest
from refengine.backends.registry import BACKENDS
from refengine.condition.event_types import ALL
from refengine.condition.trace import Tracer, only_type_differs
from refengine.event import RecordedEvent
from refengine.fields.readers import RecordedReader
from refengine.rulefile.rule import Rule
from refengine.ruleset import RuleSet


def wrong_demands(case: Case, rules: RuleSet) -> Iterator[Finding]:
    """Yield what a test demands that no run could show: rules and fields that do not exist, rules that are off."""
    by_name = {rule.name: rule for rule in rules}
    for named in case.expected.names:
        rule = by_name.get(named.name)
        if rule is None:
            yield _fault(
                "test-unknown-rule", named, f"there is no rule '{named.name}'", nearest(named.name, by_name)
            )
        elif not rule.enabled:
            yield _fault(
                "test-disabled-rule",
                named,
                f"rule '{named.name}' is not enabled, so that it never raises an alert",
                "enable it in a rules file of the test's own, loaded after the others",
            )
    for alert in (*(case.expected.alerts or ()), *case.expected.includes):
        if alert.rule.name in by_name:
            yield from _wrong_fields(alert, by_name[alert.rule.name])
    if not isinstance(case.events, Given) and case.events.backend not in BACKENDS:
        yield Finding(
            "test-events",
            Severity.ERROR,
            f"this version has no backend '{case.events.backend}' that could read this",
            case.events.place,
        )


def _wrong_fields(alert: ExpectedAlert, rule: Rule) -> Iterator[Finding]:
    templates = (rule.output, *(extra.template for extra in rule.extra_fields))
    there = [part.key for template in templates for part in template.fields]
    for named, _ in alert.fields:
        if named.name not in there:
            suggestion = nearest(named.name, there) or f"it has {', '.join(there) or 'none'}"
            message = f"the output of rule '{rule.name}' has no field '{named.name}'"
            yield _fault("test-unknown-field", named, message, suggestion)


def vacuous(
    expected: Expectation,
    rules: Iterable[Rule],
    seen: set[tuple[str, str]],
    events: Iterable[RecordedEvent] = (),
) -> str | None:
    """Return why a silence says nothing about the rules, None where it does.

    `seen` are the sources and types of the test's events, `events` those that are written in it. A silence is worth
    something only where a condition had a say: where the rule looks at events of such a type, or where the type
    alone keeps it from holding.
    """
    if expected.wants_alerts:
        return None
    events = tuple(events)
    rules = [rule for rule in rules if rule.enabled]
    if expected.silent:
        names = {named.name for named in expected.silent}
        for rule in rules:
            if rule.name in names and not (_looks(rule, seen) or _parted_by_type(rule, events)):
                return f"rule '{rule.name}' never looks at {_what(seen)}, so its silence says nothing"
        return None
    if any(_looks(rule, seen) for rule in rules) or any(_parted_by_type(rule, events) for rule in rules):
        return None
    return f"no rule looks at {_what(seen)}, so the silence says nothing"


def _parted_by_type(rule: Rule, events: tuple[RecordedEvent, ...]) -> bool:
    tracer = Tracer(RecordedReader())
    return any(
        event.name and event.source == rule.source and only_type_differs(tracer.trace(rule.condition, event))
        for event in events
    )


def _looks(rule: Rule, seen: set[tuple[str, str]]) -> bool:
    return any(
        source == rule.source and (name in rule.event_types if name else rule.event_types >= ALL)
        for source, name in seen
    )


def _what(seen: set[tuple[str, str]]) -> str:
    if not seen:
        return "its events, of which there are none"
    types = sorted({name for _, name in seen if name})
    parts = [] if not types else [f"of type {', '.join(types[:5])}{' …' if len(types) > 5 else ''}"]
    parts += sorted({f"of source {source} without evt.type" for source, name in seen if not name})
    return f"events {' or '.join(parts)}"


def _fault(check: str, named: Named, message: str, suggestion: str | None = None) -> Finding:
    return Finding(check, Severity.ERROR, message, named.place, suggestion=suggestion)
