"""The interpreter: the law.

One short function for each kind of condition, with nothing done for speed. Whatever else evaluates conditions
must agree with it on every event.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from refengine.condition.operators import OPERATORS
from refengine.condition.reader import Reader, bind_operand
from refengine.condition.typed import (
    AllOf,
    AnyOf,
    Condition,
    Constant,
    Existence,
    Macro,
    Modifier,
    Negation,
    Test,
    Transform,
)
from refengine.fields.reading import FieldRead, Many
from refengine.values import Value


class Interpreter:
    """Evaluates conditions on events that `reader` can read."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._bound: dict[str, Callable[[Any], Value | None]] = {}

    def holds(self, condition: Condition, event: Any) -> bool:
        """Return whether `condition` holds for `event`: spec, chapters "Conditions" and "Absent values"."""
        if isinstance(condition, AllOf):
            return all(self.holds(child, event) for child in condition.children)
        if isinstance(condition, AnyOf):
            return any(self.holds(child, event) for child in condition.children)
        if isinstance(condition, Negation):
            return not self.holds(condition.child, event)
        if isinstance(condition, Macro):
            return self.holds(condition.body, event)
        left = self.value(condition.left, event)
        if isinstance(condition, Existence):
            return left is not None
        return self._test(condition, left, event)

    def value(self, operand: FieldRead | Transform, event: Any) -> Value | None:
        """Return the value of an operand, None where it is absent."""
        read = self._bound.get(operand.key)
        if read is None:
            read = self._bound[operand.key] = bind_operand(operand, self._reader)
        return read(event)

    def _test(self, test: Test, left: Value | None, event: Any) -> bool:
        if left is None:
            return False
        if isinstance(test.right, tuple):
            return compare(test, left, test.right)
        right = self.value(test.right, event)
        if right is None:
            return False
        constants = right if isinstance(right, tuple) else (right,)
        return compare(test, left, constants)


def compare(test: Test, left: Value, constants: tuple[Constant, ...]) -> bool:
    """Return whether a present value compares: spec, chapter "Operators"."""
    many = test.left.many if isinstance(test.left, FieldRead) else Many.ONE
    if many is Many.ONE and not test.left.is_list:
        return compare_one(test, left, constants)
    assert isinstance(left, tuple)
    outcomes = (compare_one(test, item, constants) for item in left)
    if many is Many.ENDS and test.operator == "!=":
        return all(outcomes)
    if many is Many.ONE and test.operator == "in":
        return all(outcomes)
    return any(outcomes)


def compare_one(test: Test, value: Value, constants: tuple[Constant, ...]) -> bool:
    """Return whether a single value compares with the constants."""
    compares = OPERATORS[test.operator]
    count = sum(compares(value, constant) for constant in constants)
    if test.modifier is Modifier.ONEOF:
        return count == 1
    if test.modifier is Modifier.ALLOF:
        return 0 < count == len(constants)
    return count > 0
