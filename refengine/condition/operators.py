"""What each operator means for one value and one constant: the table that every evaluator follows.

Both sides are present here; that a comparison with an absent value is false, whatever the operator, is decided
by the evaluators before they ask this table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

from refengine.condition.bytewise import has_loose_bytes, lower, to_bytes
from refengine.condition.glob import Glob
from refengine.condition.networks import Network
from refengine.condition.pathtree import PathTree
from refengine.condition.regex import Regex
from refengine.condition.typed import Constant
from refengine.values import Value

Compare: TypeAlias = Callable[[Value, Constant], bool]


def equal(value: Value, constant: Constant) -> bool:
    """The same bytes or number; for a network, an address inside it."""
    if isinstance(constant, Network):
        return isinstance(value, bytes) and constant.contains(value)
    return value == constant


def unequal(value: Value, constant: Constant) -> bool:
    """Not `equal`; addresses of different families are unequal."""
    return not equal(value, constant)


def less(value: Value, constant: Constant) -> bool:
    """A smaller number, or text that sorts before by its bytes."""
    if isinstance(value, str) and isinstance(constant, str):
        if value.isascii() and constant.isascii():
            return value < constant
        return to_bytes(value) < to_bytes(constant)
    return value < constant  # type: ignore[operator]  # the checker admits only numbers besides text


def less_or_equal(value: Value, constant: Constant) -> bool:
    """`less` or the same."""
    return value == constant or less(value, constant)


def greater(value: Value, constant: Constant) -> bool:
    """Neither `less` nor the same."""
    return not less_or_equal(value, constant)


def greater_or_equal(value: Value, constant: Constant) -> bool:
    """Not `less`."""
    return not less(value, constant)


def contains(value: Value, constant: Constant) -> bool:
    """The constant stands somewhere in the value."""
    if isinstance(value, str) and isinstance(constant, str) and has_loose_bytes(constant):
        return to_bytes(constant) in to_bytes(value)
    return constant in value  # type: ignore[operator]  # both text or both bytes


def icontains(value: Value, constant: Constant) -> bool:
    """`contains`, where the letters of ASCII equal their other case."""
    assert isinstance(value, str)
    assert isinstance(constant, str)
    return contains(lower(value), lower(constant))


def startswith(value: Value, constant: Constant) -> bool:
    """The value begins with the constant."""
    if isinstance(value, str) and isinstance(constant, str) and has_loose_bytes(constant):
        return to_bytes(value).startswith(to_bytes(constant))
    return value.startswith(constant)  # type: ignore[union-attr,arg-type]  # both text or both bytes


def endswith(value: Value, constant: Constant) -> bool:
    """The value ends with the constant."""
    if isinstance(value, str) and isinstance(constant, str) and has_loose_bytes(constant):
        return to_bytes(value).endswith(to_bytes(constant))
    return value.endswith(constant)  # type: ignore[union-attr,arg-type]  # both text or both bytes


def matches(value: Value, constant: Constant) -> bool:
    """The value fits the pattern, expression or tree of paths."""
    assert isinstance(value, str)
    assert isinstance(constant, Glob | Regex | PathTree)
    return constant.matches(value)


def globs(value: Value, constant: Constant) -> bool:
    """The value fits the pattern, which may be the value of another field."""
    return matches(value, Glob(constant) if isinstance(constant, str) else constant)


def iglobs(value: Value, constant: Constant) -> bool:
    """`globs`, where the letters of ASCII equal their other case."""
    return matches(value, Glob(constant, folding=True) if isinstance(constant, str) else constant)


OPERATORS: Mapping[str, Compare] = MappingProxyType(
    {
        "=": equal,
        "==": equal,
        "!=": unequal,
        "<": less,
        "<=": less_or_equal,
        ">": greater,
        ">=": greater_or_equal,
        "contains": contains,
        "icontains": icontains,
        "bcontains": contains,
        "startswith": startswith,
        "bstartswith": startswith,
        "endswith": endswith,
        "glob": globs,
        "iglob": iglobs,
        "regex": matches,
        "pmatch": matches,
        "in": equal,
        "intersects": equal,
    }
)
"""Operator to its comparison with one constant; `in` and `intersects` compare with several by these."""
