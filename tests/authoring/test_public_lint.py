"""What lint claims of public rules files is true: a search for events that would prove it wrong finds none.

The search is good enough to find an event for nearly every rule of which nothing is claimed.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import pytest

from refengine.authoring.finding import Finding
from refengine.authoring.linting.checks import lint
from refengine.condition import typed
from refengine.condition.glob import Glob
from refengine.condition.networks import Network
from refengine.condition.pathtree import PathTree
from refengine.condition.regex import Regex
from refengine.condition.trace import Tracer, nearest_miss
from refengine.condition.typed import AllOf, Condition, Existence, Negation, operand_fields, walk
from refengine.event import RecordedEvent
from refengine.fields.readers import RecordedReader
from refengine.fields.reading import FieldRead, Many
from refengine.rulefile.rule import Rule
from refengine.ruleset import RuleSet, load_rules
from refengine.values import Value, ValueType
from tests.corpus import corpus

pytestmark = pytest.mark.corpus

FILES = (
    "falco_rules.yaml",
    "falco-incubating_rules.yaml",
    "falco-sandbox_rules.yaml",
    "k8s_audit_rules.yaml",
)
CLAIMS: Mapping[str, Counter[str]] = {
    "falco_rules.yaml": Counter({"untold-field": 3, "unequal-absent": 2}),
    "falco-incubating_rules.yaml": Counter(
        {"unequal-absent": 5, "duplicate-item": 1, "never-holds": 1, "untold-field": 1}
    ),
    "falco-sandbox_rules.yaml": Counter({"unequal-absent": 9, "untold-field": 2, "never-holds": 1}),
    "k8s_audit_rules.yaml": Counter({"no-mitre-tag": 48, "untold-field": 2, "unequal-absent": 2}),
}
PROVED = frozenset({"never-holds", "always-holds", "dead-alternative", "needless-exception", "shadowed-rule"})

NUMBERS = (-1, 0, 1, 3, 1000)


@pytest.fixture(scope="module")
def together() -> RuleSet:
    return load_rules(*(corpus(f"rules/{name}") for name in FILES))


@pytest.fixture(scope="module")
def findings() -> tuple[Finding, ...]:
    return tuple(lint([corpus(f"rules/{name}") for name in FILES]))


class Search:
    """Looks for events on which some conditions have wanted verdicts, by mending what is nearest to them."""

    def __init__(self, conditions: Sequence[Condition], source: str, seed: int) -> None:
        self._source = source
        self._random = random.Random(seed)
        self._tracer = Tracer(RecordedReader())
        self._offers: dict[str, tuple[FieldRead, list[Value]]] = {}
        for condition in conditions:
            for part in walk(condition):
                if isinstance(part, typed.Test | Existence):
                    for field in operand_fields(part.left):
                        self._offers.setdefault(field.key, (field, []))[1].extend(_offered(part, field))

    def event_for(self, condition: Condition, tries: int) -> RecordedEvent | None:
        """Return an event for which `condition` holds, None where none was found."""
        for _ in range(tries):
            values = {key: self._value(key) for key in self._offers if self._random.random() < 0.5}
            for _ in range(40):
                event = RecordedEvent(values, source=self._source, number=7)
                trace = self._tracer.trace(condition, event)
                if trace.holds:
                    return event
                leaf = self._random.choice(nearest_miss(trace))
                assert isinstance(leaf.condition, typed.Test | Existence)
                for field in operand_fields(leaf.condition.left):
                    if self._random.random() < 0.3:
                        values.pop(field.key, None)
                    else:
                        own = list(_offered(leaf.condition, field))
                        values[field.key] = (
                            self._random.choice(own)
                            if own and self._random.random() < 0.7
                            else self._value(field.key)
                        )
        return None

    def _value(self, key: str) -> Value:
        return self._random.choice(self._offers[key][1])


def _offered(part: typed.Test | Existence, field: FieldRead) -> Iterator[Value]:
    """Yield values that could make a comparison true, or false."""
    found = list(_constants(part)) if isinstance(part, typed.Test) and isinstance(part.right, tuple) else []
    kind = field.type
    if kind is ValueType.BOOL:
        found = [True, False]
    elif kind is ValueType.BYTEBUF:
        found = [*(value for value in found if isinstance(value, bytes)), b"other"]
    elif kind in (ValueType.IPADDR, ValueType.IPV4ADDR, ValueType.IPNET, ValueType.IPV4NET):
        found = [bytes((10, 1, 2, 3)), bytes((127, 0, 0, 1)), bytes((8, 8, 8, 8)), bytes(4)]
    elif kind in (ValueType.CHARBUF, ValueType.FSPATH, ValueType.FSRELPATH):
        texts = [str(value) for value in found] or ["x"]
        found = [*texts, "other", *(f"/x{text}" for text in texts[:3]), *(f"{text}/x" for text in texts[:3])]
    else:
        found = [*(value for value in found if isinstance(value, int)), *NUMBERS]
    several = field.is_list or field.many is not Many.ONE
    for value in found:
        yield (value,) if several else value


def _constants(part: typed.Test) -> Iterator[Value]:
    assert isinstance(part.right, tuple)
    for constant in part.right:
        if isinstance(constant, PathTree):
            yield from (path.replace("*", "x") for path in constant.paths)
        elif isinstance(constant, Glob | Regex):
            yield constant.pattern.strip("^$").replace(".*", "").replace("*", "").replace("\\", "")
        elif not isinstance(constant, Network):
            yield constant


def test_what_is_found_in_each_file() -> None:
    """Every one of them was looked at: the last two kinds are proofs, the others say what stands there."""
    for name, expected in CLAIMS.items():
        assert Counter(finding.check for finding in lint([corpus(f"rules/{name}")])) == expected, name


def test_nobody_is_told_of_a_missing_event_type(findings: tuple[Finding, ...]) -> None:
    assert [finding.message for finding in findings if finding.check == "no-event-type"] == []


def test_rules_that_are_said_never_to_hold_do_not(together: RuleSet, findings: tuple[Finding, ...]) -> None:
    claimed = [finding.rule for finding in findings if finding.check == "never-holds"]
    assert len(claimed) == 2
    for name in claimed:
        assert name is not None
        rule = together[name]
        assert Search([rule.condition], rule.source, 1).event_for(rule.condition, 300) is None, name


def test_rules_that_are_said_to_be_shadowed_are(together: RuleSet, findings: tuple[Finding, ...]) -> None:
    claimed = [finding for finding in findings if finding.check == "shadowed-rule"]
    assert [finding.rule for finding in claimed] == ["Network Tool Executed During NPM Package Install"]
    for finding in claimed:
        assert finding.rule is not None
        rule, first = together[finding.rule], together[finding.notes[0].message.split("'")[1]]
        alone = AllOf((rule.condition, Negation(first.condition)))
        search = Search([rule.condition, first.condition], rule.source, 2)
        assert search.event_for(rule.condition, 300) is not None
        assert search.event_for(alone, 300) is None


def test_the_search_finds_events_for_nearly_all_other_rules(
    together: RuleSet, findings: tuple[Finding, ...]
) -> None:
    silent = {finding.rule for finding in findings if finding.check in PROVED}
    others: list[Rule] = [rule for rule in together if rule.name not in silent]
    missed = [
        rule.name
        for rule in others
        if Search([rule.condition], rule.source, 3).event_for(rule.condition, 60) is None
    ]
    assert len(missed) <= len(others) // 20, missed
