"""Comparisons as functions of the left-hand value: the fast forms, chosen once for each comparison."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from refengine.condition.bytewise import has_loose_bytes, lower
from refengine.condition.glob import Glob
from refengine.condition.interpret import compare
from refengine.condition.networks import Network
from refengine.condition.pathtree import PathTree
from refengine.condition.regex import Regex
from refengine.condition.typed import Constant, Modifier, Test
from refengine.fields.reading import FieldRead, Many
from refengine.values import Value

Form: TypeAlias = Callable[[ast.expr, ast.expr], ast.expr]
"""Builds the expression of a comparison out of those of the value and of the constant."""


class Matcher(NamedTuple):
    """A comparison with constants, ready to be written as an expression.

    `form` puts the value beside `constant`; `false_on_none` is true where that expression is already false
    for an absent value, so that nobody has to ask for one first.
    """

    form: Form
    constant: Any
    false_on_none: bool = False


def matcher(test: Test) -> Matcher:
    """Return the fastest form known of a comparison with constants; `interpret.compare` says what it means."""
    constants = test.right
    assert isinstance(constants, tuple)
    special = test.left.is_list or (isinstance(test.left, FieldRead) and test.left.many is not Many.ONE)
    found = _many_valued(test, constants) if special else _single(test, constants)
    return found or Matcher(_call, _general(test, constants))


def comparing(test: Test) -> Callable[[Any], bool]:
    """Return a function that carries a comparison with constants out on a present value."""
    found = matcher(test)
    body = found.form(ast.Name("value", ast.Load()), ast.Name("constant", ast.Load()))
    arguments = ast.arguments(
        posonlyargs=[], args=[ast.arg("value")], kwonlyargs=[], kw_defaults=[], defaults=[]
    )
    function = ast.fix_missing_locations(ast.Expression(ast.Lambda(arguments, body)))
    # No text of the rules is in it, only the name of the constant.
    return eval(compile(function, "<comparison>", "eval"), {"constant": found.constant})  # type: ignore[no-any-return]  # noqa: S307


def _single(test: Test, constants: tuple[Constant, ...]) -> Matcher | None:
    if any(isinstance(constant, Network) for constant in constants):
        return None
    operator, modifier = test.operator, test.modifier
    first = constants[0] if constants else None
    if operator in ("in", "intersects") or (operator in ("=", "==") and modifier is Modifier.ANYOF):
        return _membership(constants)
    if operator == "!=" and modifier is Modifier.ALLOF and constants:
        return Matcher(_compare(ast.NotIn), frozenset(constants))
    if operator in ("startswith", "endswith") and modifier is Modifier.ANYOF:
        if constants and not any(isinstance(c, str) and has_loose_bytes(c) for c in constants):
            return Matcher(_method(operator), constants)
        return None
    if modifier is not None or first is None:
        return None
    if operator in ("=", "=="):
        return Matcher(_compare(ast.Eq), first, false_on_none=True)
    if operator == "!=":
        return Matcher(_compare(ast.NotEq), first)
    if isinstance(first, Glob | Regex | PathTree):
        return Matcher(_call, first.matches)
    if isinstance(first, str) and has_loose_bytes(first):
        return None
    if operator in ("contains", "bcontains"):
        return Matcher(_contained, first)
    if operator == "icontains" and isinstance(first, str):
        return Matcher(_call, _icontains(lower(first)))
    if operator in ("startswith", "endswith", "bstartswith"):
        return Matcher(_method(operator.removeprefix("b")), first)
    if operator in _ORDER and not isinstance(first, str):
        return Matcher(_compare(_ORDER[operator]), first)
    return None


_ORDER: dict[str, type[ast.cmpop]] = {"<": ast.Lt, "<=": ast.LtE, ">": ast.Gt, ">=": ast.GtE}


def _membership(constants: tuple[Constant, ...]) -> Matcher:
    if len(constants) == 1:
        return Matcher(_compare(ast.Eq), constants[0], false_on_none=True)
    return Matcher(_compare(ast.In), frozenset(constants), false_on_none=True)


def _many_valued(test: Test, constants: tuple[Constant, ...]) -> Matcher | None:
    """Set operations on the whole of a list or of all ancestors, where the operator is about membership."""
    if any(isinstance(constant, Network) for constant in constants) or test.modifier is not None:
        return None
    known = frozenset(constants)
    any_item = not (test.left.is_list and test.operator == "in")
    if test.operator in ("in", "intersects"):
        if any_item:
            return Matcher(_call, _intersects(known))
        return Matcher(_call, known.issuperset)
    if test.operator in ("=", "=="):
        return Matcher(_call, _intersects(known))
    return None


def _intersects(known: frozenset[Constant]) -> Callable[[tuple[Value, ...]], bool]:
    isdisjoint = known.isdisjoint
    return lambda values: not isdisjoint(values)


def _icontains(constant: str) -> Callable[[str], bool]:
    return lambda value: constant in lower(value)


def _general(test: Test, constants: tuple[Constant, ...]) -> Callable[[Value], bool]:
    return lambda value: compare(test, value, constants)


def _compare(operator: type[ast.cmpop]) -> Form:
    return lambda value, constant: ast.Compare(value, [operator()], [constant])


def _contained(value: ast.expr, constant: ast.expr) -> ast.expr:
    return ast.Compare(constant, [ast.In()], [value])


def _method(name: str) -> Form:
    return lambda value, constant: ast.Call(ast.Attribute(value, name, ast.Load()), [constant], [])


def _call(value: ast.expr, constant: ast.expr) -> ast.expr:
    return ast.Call(constant, [value], [])
