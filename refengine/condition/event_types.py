"""Which event types a condition can match: the algebra by which rules are indexed.

Comparisons of `evt.type` with constants give sets, `evt.num` gives nothing where it asks for numbers that no
event has, and everything else can match any type. Negation is pushed down to the comparisons, so that `not` of
something that says nothing still says nothing. The answer may be too large, never too small.
"""

from __future__ import annotations

from refengine.condition.operators import OPERATORS
from refengine.condition.typed import AllOf, AnyOf, Condition, Macro, Negation, Test
from refengine.fields.reading import EVENT_NAMES, FieldRead
from refengine.recursion import deep_recursion
from refengine.tables.event_types import EVENT_TYPES

NONE: frozenset[str] = frozenset()
ALL = EVENT_NAMES

MANY = 100
"""More event types than this in a rule draw a warning."""

_EQUALITY = frozenset({"=", "==", "in", "intersects"})


def event_types(condition: Condition) -> frozenset[str]:
    """Return the values of `evt.type` for which `condition` may hold."""
    with deep_recursion():
        return _types(condition, True, {})


def count_event_types(names: frozenset[str]) -> int:
    """Return how many rows of the event table have one of `names`, as Falco counts them."""
    return sum(row.name in names for row in EVENT_TYPES)


def _types(
    condition: Condition, wanted: bool, known: dict[tuple[int, bool], frozenset[str]]
) -> frozenset[str]:
    """Return the answer for `condition` or its opposite; `known` has the macros' so that each is asked once."""
    if isinstance(condition, AllOf | AnyOf):
        parts = (_types(child, wanted, known) for child in condition.children)
        if isinstance(condition, AllOf) is wanted:
            return frozenset(ALL).intersection(*parts)
        return NONE.union(*parts)
    if isinstance(condition, Negation):
        return _types(condition.child, not wanted, known)
    if isinstance(condition, Macro):
        key = (id(condition.body), wanted)
        if key not in known:
            known[key] = _types(condition.body, wanted, known)
        return known[key]
    if isinstance(condition, Test) and isinstance(condition.left, FieldRead):
        return _test(condition, condition.left.key, wanted)
    return ALL


def _test(test: Test, key: str, wanted: bool) -> frozenset[str]:
    if not isinstance(test.right, tuple):
        return ALL
    if key in ("evt.type", "syscall.type"):
        names = frozenset(name for name in test.right if isinstance(name, str))
        if test.operator in _EQUALITY and test.modifier is None:
            return names if wanted else ALL - names
        if test.operator == "!=" and test.modifier is None:
            return ALL - names if wanted else names
    if key == "evt.num" and test.modifier is None and always(test) is (not wanted):
        return NONE
    return ALL


def always(test: Test) -> bool | None:
    """Return the verdict of a comparison of `evt.num` that is the same for every event, None where it is not.

    Events are numbered from 1, so `evt.num = 0` never holds and `evt.num >= 0` always does.
    """
    assert isinstance(test.right, tuple)
    compares = OPERATORS[test.operator]
    below = [constant for constant in test.right if isinstance(constant, int)]
    if any(constant > 1 for constant in below):
        return None
    first = any(compares(1, constant) for constant in below)
    second = any(compares(2, constant) for constant in below)
    return first if first is second else None
