"""Whether the alerts of a test are those that it expects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import ndiff

from refengine.authoring.testing.case import Expectation, ExpectedAlert
from refengine.output.alert import Alert
from refengine.output.render import JsonValue
from refengine.rulefile.yaml import Mapping, Node, Scalar
from refengine.source import Place


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a test failed, in one sentence, with the lines that explain it, and where the demand was written.

    `missing` and `unexpected` name the rule that raised no alert, or one too many. `cause` are the comparisons of rules
    that made it so, with their places; failures of the same cause are mended together.
    """

    message: str
    place: Place
    details: tuple[str, ...] = ()
    missing: str | None = None
    unexpected: str | None = None
    cause: tuple[str, ...] = ()


_SIDES = {"- ": "expected: ", "+ ": "raised:   ", "? ": "          ", "  ": "both:     "}
"""What stands before a line of a comparison, by its sign."""


def failures(expected: Expectation, alerts: Sequence[Alert], place: Place) -> Iterator[Failure]:
    """Yield what keeps `alerts` from being what a test expects; `place` is that of the test."""
    pairs: list[tuple[ExpectedAlert, Alert]] = []
    demands = expected.includes if expected.alerts is None else expected.alerts
    left = list(alerts)
    for demand in demands:
        candidates = [alert for alert in left if alert.rule == demand.rule.name]
        if not candidates:
            yield _missing(demand, Counter(alert.rule for alert in alerts)[demand.rule.name])
            continue
        best = next((alert for alert in candidates if not any(_differences(demand, alert))), candidates[0])
        left.remove(best)
        pairs.append((demand, best))
    if expected.alerts is not None:
        for alert in left:
            yield Failure(
                f"rule '{alert.rule}' raised an alert that is not expected",
                place,
                (f"its output is: {alert.message}",),
                unexpected=alert.rule,
            )
        order = [id(alert) for alert in alerts]
        places = [order.index(id(alert)) for _, alert in pairs]
        if not left and len(pairs) == len(demands) and places != sorted(places):
            came = ", ".join(f"'{alert.rule}'" for alert in alerts)
            yield Failure(
                "the alerts are those expected, but in another order", place, (f"they came as {came}",)
            )
    silent = {named.name: named for named in expected.silent}
    for alert in alerts:
        named = silent.get(alert.rule)
        if named is not None:
            yield Failure(
                f"rule '{alert.rule}' raised an alert, but it must be silent",
                named.place,
                (f"its output is: {alert.message}",),
                unexpected=alert.rule,
            )
    for demand, alert in pairs:
        for place_of_it, message, details in _differences(demand, alert):
            yield Failure(f"the alert of '{alert.rule}' {message}", place_of_it, details)


def _missing(demand: ExpectedAlert, there: int) -> Failure:
    name = demand.rule.name
    if there:
        times = "once" if there == 1 else f"{there} times"
        return Failure(f"rule '{name}' raised an alert only {times}", demand.rule.place, missing=name)
    return Failure(
        f"rule '{name}' should have raised an alert, but it raised none", demand.rule.place, missing=name
    )


def _differences(demand: ExpectedAlert, alert: Alert) -> Iterator[tuple[Place, str, tuple[str, ...]]]:
    place = demand.rule.place
    if demand.event is not None and demand.event != alert.number:
        yield place, f"comes of event {alert.number}, not of event {demand.event}", ()
    if demand.output is not None and demand.output != alert.message:
        lines = ndiff([demand.output], [alert.message])
        compared = tuple(f"{_SIDES[line[:2]]}{line[2:].rstrip()}" for line in lines)
        yield place, "has another output", compared
    if demand.priority is not None and demand.priority is not alert.priority:
        yield place, f"has the priority {alert.priority.label}, not {demand.priority.label}", ()
    if demand.tags is not None and demand.tags != frozenset(alert.tags):
        yield place, f"has the tags {_listed(alert.tags)}, not {_listed(sorted(demand.tags))}", ()
    for named, node in demand.fields:
        found = alert.fields.get(named.name)
        if not _same(node, found):
            yield named.place, f"has {named.name} = {_json(found)}, not {_written(node)}", ()


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "(none)"


def _same(node: Node, value: JsonValue) -> bool:
    if isinstance(node, Scalar):
        return value is None if node.is_null else value is not None and _json(value) == node.value
    if isinstance(node, Mapping) or not isinstance(value, list):
        return False
    return len(node.items) == len(value) and all(map(_same, node.items, value))


def _json(value: JsonValue) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(map(_json, value))}]"
    return str(value)


def _written(node: Node) -> str:
    if isinstance(node, Scalar):
        return "nothing" if node.is_null else node.value
    if isinstance(node, Mapping):
        return "a mapping"
    return f"[{', '.join(map(_written, node.items))}]"
