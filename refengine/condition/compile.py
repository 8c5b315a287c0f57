"""The compiler: conditions to Python functions, one for each type of event.

Such a function decides all the rules that can match an event of its type. What the type decides is folded away
before (`fold`); a field, a transformed field or a macro that several rules use is evaluated at most once an
event, when it is first needed. Constants are bound by reference and never written into source text.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from types import CodeType
from typing import Any, NamedTuple, TypeAlias

from refengine.condition.fold import Folder
from refengine.condition.interpret import compare
from refengine.condition.matcher import matcher
from refengine.condition.reader import Reader, bind_operand
from refengine.condition.typed import AllOf, AnyOf, Condition, Existence, Macro, Negation, Test, Transform
from refengine.fields.extractor import AttributePath
from refengine.fields.reading import FieldRead
from refengine.recursion import deep_recursion
from refengine.values import Value

Match: TypeAlias = Callable[[Any], tuple[int, ...]]
"""Takes an event and returns the indices of the conditions that hold, in order."""

_Known: TypeAlias = frozenset[str]
"""Local names that certainly have their value at some point of the function."""

_UNSET = object()
_NOTHING: tuple[int, ...] = ()


def compile_conditions(
    conditions: Iterable[tuple[int, Condition]],
    reader: Reader,
    *,
    event_type: str | None,
    first_only: bool,
    numbered: bool = True,
) -> Match:
    """Return the function that decides `conditions`, each with the index to report, for one type of event.

    With `first_only` it stops at the first condition that holds.

    :raises UnsupportedFieldError: when a field cannot be read by `reader`.
    """
    folder = Folder(event_type, numbered=numbered)
    with deep_recursion():
        folded = [(index, folder.fold(condition)) for index, condition in conditions]
        writer = _Writer(reader, first_only=first_only)
        return writer.function([(index, part) for index, part in folded if part is not False], event_type)


class _Written(NamedTuple):
    """An expression, and the names that are known after it when it was true and when it was false."""

    expression: ast.expr
    if_true: _Known
    if_false: _Known


class _Writer:
    """Writes one function."""

    def __init__(self, reader: Reader, *, first_only: bool) -> None:
        self._reader = reader
        self._first_only = first_only
        self._globals: dict[str, Any] = {"UNSET": _UNSET, "NOTHING": _NOTHING}
        self._locals: dict[str, str] = {}
        """Operand keys to the local names of their values."""
        self._touched: set[str] = set()
        """Local names that may have their value already, on some way through the function."""
        self._maybe_unset: set[str] = set()
        self._shared: Counter[int] = Counter()

    def function(self, conditions: Sequence[tuple[int, Condition | bool]], event_type: str | None) -> Match:
        for _, condition in conditions:
            if not isinstance(condition, bool):
                self._count(condition)
        body: list[ast.stmt] = []
        known: _Known = frozenset()
        if not self._first_only:
            body.append(_assign("found", _name("NOTHING")))
        for index, condition in conditions:
            hit = self._hit(index)
            if condition is True:
                body.append(hit)
                if self._first_only:
                    break
                continue
            assert not isinstance(condition, bool)
            written = self._write(condition, known)
            body.append(ast.If(written.expression, [hit], []))
            known = written.if_false if self._first_only else written.if_true & written.if_false
        body.append(ast.Return(_name("NOTHING" if self._first_only else "found")))
        if self._maybe_unset:
            targets: list[ast.expr] = [ast.Name(name, ast.Store()) for name in sorted(self._maybe_unset)]
            body.insert(0, ast.Assign(targets, _name("UNSET")))
        return self._load(body, event_type or "untyped")

    def _hit(self, index: int) -> ast.stmt:
        constant = self._constant((index,))
        if self._first_only:
            return ast.Return(constant)
        return ast.AugAssign(ast.Name("found", ast.Store()), ast.Add(), constant)

    def _load(self, body: list[ast.stmt], event_type: str) -> Match:
        module = ast.parse("def match(event): pass")
        definition = module.body[0]
        assert isinstance(definition, ast.FunctionDef)
        definition.body = body
        code: CodeType = compile(ast.fix_missing_locations(module), f"<rules for {event_type}>", "exec")
        exec(code, self._globals)  # noqa: S102  # the tree was built here, with every constant by reference
        match: Match = self._globals["match"]
        return match

    def _count(self, condition: Condition) -> None:
        """Count the uses of each macro that is worth remembering the verdict of."""
        pending = [condition]
        while pending:
            at = pending.pop()
            if isinstance(at, Macro):
                self._shared[id(at)] += 1
                if self._shared[id(at)] == 1:
                    pending.append(at.body)
            elif isinstance(at, AllOf | AnyOf):
                pending.extend(at.children)
            elif isinstance(at, Negation):
                pending.append(at.child)

    def _write(self, condition: Condition, known: _Known) -> _Written:
        if isinstance(condition, AllOf | AnyOf):
            return self._chain(condition, known)
        if isinstance(condition, Negation):
            child = self._write(condition.child, known)
            return _Written(ast.UnaryOp(ast.Not(), child.expression), child.if_false, child.if_true)
        if isinstance(condition, Macro):
            return self._macro(condition, known)
        if isinstance(condition, Existence):
            value, known = self._operand(condition.left, known)
            return _Written(_is_not_none(value), known, known)
        return self._test(condition, known)

    def _chain(self, condition: AllOf | AnyOf, known: _Known) -> _Written:
        every = isinstance(condition, AllOf)
        expressions: list[ast.expr] = []
        at_stop: _Known | None = None
        for child in condition.children:
            written = self._write(child, known)
            expressions.append(written.expression)
            going, stopping = (
                (written.if_true, written.if_false) if every else (written.if_false, written.if_true)
            )
            at_stop = stopping if at_stop is None else at_stop & stopping
            known = going
        assert at_stop is not None
        expression = ast.BoolOp(ast.And() if every else ast.Or(), expressions)
        return _Written(expression, known, at_stop) if every else _Written(expression, at_stop, known)

    def _macro(self, macro: Macro, known: _Known) -> _Written:
        leaf = not isinstance(macro.body, AllOf | AnyOf | Macro)
        if leaf or self._shared[id(macro)] < 2:
            return self._write(macro.body, known)
        name = f"m{id(macro):x}"
        if name in known:
            return _Written(_name(name), known, known)
        before = set(self._touched)
        written = self._write(macro.body, known)
        store = ast.NamedExpr(ast.Name(name, ast.Store()), written.expression)
        if name not in before:
            self._touched.add(name)
            after = frozenset((name,))
            return _Written(store, written.if_true | after, written.if_false | after)
        self._maybe_unset.add(name)
        expression = ast.IfExp(ast.Compare(_name(name), [ast.IsNot()], [_name("UNSET")]), _name(name), store)
        return _Written(expression, known | {name}, known | {name})

    def _test(self, test: Test, known: _Known) -> _Written:
        value, known = self._operand(test.left, known)
        local = _name(self._locals[test.left.key])
        if not isinstance(test.right, tuple):
            right, _ = self._operand(test.right, known)
            holds = ast.Call(self._constant(_between(test)), [local, _name(self._locals[test.right.key])], [])
            present = ast.BoolOp(ast.And(), [_is_not_none(value), _is_not_none(right), holds])
            return _Written(present, known | {self._locals[test.right.key]}, known)
        found = matcher(test)
        constant = self._constant(found.constant)
        if found.false_on_none:
            return _Written(found.form(value, constant), known, known)
        expression = ast.BoolOp(ast.And(), [_is_not_none(value), found.form(local, constant)])
        return _Written(expression, known, known)

    def _operand(self, operand: FieldRead | Transform, known: _Known) -> tuple[ast.expr, _Known]:
        """Return the expression of an operand's value, which leaves it in a local name, and what is then known."""
        name = self._locals.get(operand.key)
        if name is None:
            name = self._locals[operand.key] = f"v{len(self._locals)}"
            self._globals[f"read_{name}"] = bind_operand(operand, self._reader)
        if name in known:
            return _name(name), known
        read = ast.NamedExpr(ast.Name(name, ast.Store()), self._read(f"read_{name}"))
        expression: ast.expr = read
        if name in self._touched:
            self._maybe_unset.add(name)
            expression = ast.IfExp(
                ast.Compare(_name(name), [ast.IsNot()], [_name("UNSET")]), _name(name), read
            )
        self._touched.add(name)
        return expression, known | {name}

    def _read(self, name: str) -> ast.expr:
        """Return the call of the reader with that name, or what it would do, where that is to follow attributes only."""
        read = self._globals[name]
        if not isinstance(read, AttributePath):
            return ast.Call(_name(name), [_name("event")], [])
        *ways, last = read.names
        at: ast.expr = _name("event")
        absent: list[ast.expr] = []
        for attribute in ways:
            at = ast.NamedExpr(ast.Name("at", ast.Store()), ast.Attribute(at, attribute, ast.Load()))
            absent.append(ast.Compare(at, [ast.Is()], [ast.Constant(None)]))
            at = _name("at")
        value = ast.Attribute(at, last, ast.Load())
        if not absent:
            return value
        return ast.IfExp(
            ast.BoolOp(ast.Or(), absent) if len(absent) > 1 else absent[0], ast.Constant(None), value
        )

    def _constant(self, value: Any) -> ast.expr:
        name = f"k{len(self._globals)}"
        self._globals[name] = value
        return _name(name)


def _between(test: Test) -> Callable[[Value, Value], bool]:
    """Return the comparison of two present values of fields."""

    def holds(left: Value, right: Value) -> bool:
        return compare(test, left, right if isinstance(right, tuple) else (right,))

    return holds


def _name(name: str) -> ast.expr:
    return ast.Name(name, ast.Load())


def _assign(name: str, value: ast.expr) -> ast.stmt:
    return ast.Assign([ast.Name(name, ast.Store())], value)


def _is_not_none(value: ast.expr) -> ast.expr:
    return ast.Compare(value, [ast.IsNot()], [ast.Constant(None)])
