"""Merging of alternatives: many comparisons of one value made into one.

`proc.name = a or proc.name in (b, c)` asks for one membership, and a chain of `startswith` for one test of
several prefixes. Which alternative holds is never observed, so their order may change.
"""

from __future__ import annotations

from dataclasses import replace

from refengine.condition.networks import Network
from refengine.condition.typed import AllOf, AnyOf, Condition, Modifier, Negation, Test
from refengine.fields.reading import FieldRead, Many

_MERGED = {"=": "in", "==": "in", "in": "in", "startswith": "startswith", "endswith": "endswith"}
"""Operators whose alternatives merge, with the operator of the outcome."""


def merged(condition: AllOf | AnyOf) -> AllOf | AnyOf | Test | Negation:
    """Return an equivalent condition in which alternatives about one value are one comparison.

    Below `and` these are the alternatives that are all ruled out: `not a and not b` is `not (a or b)`.
    """
    negated = isinstance(condition, AllOf)
    groups: dict[tuple[str, str], list[Test]] = {}
    slots: list[Condition | tuple[str, str]] = []
    for child in condition.children:
        test = child.child if negated and isinstance(child, Negation) else None if negated else child
        key = _key(test)
        if key is None:
            slots.append(child)
            continue
        assert isinstance(test, Test)
        if key not in groups:
            groups[key] = []
            slots.append(key)
        groups[key].append(test)
    if len(slots) == len(condition.children):
        return condition
    children: list[Condition] = []
    for slot in slots:
        if isinstance(slot, tuple):
            test = _joined(groups[slot], slot[1])
            children.append(Negation(test) if negated else test)
        else:
            children.append(slot)
    if len(children) > 1:
        return type(condition)(tuple(children))
    only = children[0]
    assert isinstance(only, Test | Negation)
    return only


def _key(condition: Condition | None) -> tuple[str, str] | None:
    """Return what the comparisons that merge with this one have in common, None where none do."""
    if not isinstance(condition, Test) or not isinstance(condition.right, tuple):
        return None
    left = condition.left
    if left.is_list or (isinstance(left, FieldRead) and left.many is not Many.ONE):
        return None
    operator = _MERGED.get(condition.operator)
    if operator is None or not condition.right or isinstance(condition.right[0], Network):
        return None
    if condition.modifier not in ((None, Modifier.ANYOF) if operator != "in" else (None,)):
        return None
    return left.key, operator


def _joined(tests: list[Test], operator: str) -> Test:
    if len(tests) == 1:
        return tests[0]
    constants = dict.fromkeys(
        constant for test in tests if isinstance(test.right, tuple) for constant in test.right
    )
    return replace(
        tests[0],
        operator=operator,
        modifier=None if operator == "in" else Modifier.ANYOF,
        right=tuple(constants),
    )
