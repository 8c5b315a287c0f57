"""Finding equal conditions: what is written twice, in two files say, becomes one object.

The compiler evaluates an object once an event, however many rules it is part of.
"""

from __future__ import annotations

from collections.abc import Hashable

from refengine.condition.typed import AllOf, AnyOf, Condition, Constant, Existence, Macro, Negation, Test


class Interner:
    """Gives equal conditions the same object; the first that came is the one."""

    def __init__(self) -> None:
        self._known: dict[Hashable, Condition] = {}

    def intern(self, condition: Condition) -> Condition:
        """Return the object for `condition`, whose own parts have been interned before."""
        return self._known.setdefault(_key(condition), condition)


def _key(condition: Condition) -> Hashable:
    """Return what conditions have in common exactly when they are equal; parts are compared by identity."""
    if isinstance(condition, AllOf | AnyOf):
        return type(condition), tuple(map(id, condition.children))
    if isinstance(condition, Negation):
        return Negation, id(condition.child)
    if isinstance(condition, Macro):
        return Macro, id(condition.body)
    if isinstance(condition, Existence):
        return Existence, condition.left.key
    return Test, condition.left.key, condition.operator, condition.modifier, _right_key(condition)


def _right_key(test: Test) -> Hashable:
    if not isinstance(test.right, tuple):
        return test.right.key
    return tuple(map(_constant_key, test.right))


def _constant_key(constant: Constant) -> Hashable:
    """Return the constant's type and text, since 1 and True are equal in Python and patterns have no equality."""
    return type(constant), repr(constant)
