"""From the syntax tree to the typed condition: fields, types, operators and constants are settled here.

All faults of a condition are collected. What a macro stands for is checked once, however many rules use it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

from refengine.condition import nodes, typed
from refengine.condition.advice import advice_on
from refengine.condition.constants import ConstantError, check_event_name, parse_constant
from refengine.condition.operands import OperandError, primary_field, type_operand
from refengine.condition.pathtree import PathTree
from refengine.condition.types import LIST_OPERATORS, LISTABLE, NETWORK_TYPES, group_of
from refengine.errors import Code, Diagnostic, Note, Phase
from refengine.fields.catalogue import K8S_AUDIT, SYSCALL
from refengine.fields.reading import FieldRead
from refengine.fields.static import NO_STATIC_FIELDS, StaticFields
from refengine.recursion import deep_recursion
from refengine.source import Span, Text
from refengine.values import ValueType

_TYPES = ("evt.type", "syscall.type")
_DECIDING = ("=", "==", "!=", "in")
"""The comparisons of an event's type that say which events a rule is evaluated on."""

DISTANCE = "evt.around"
"""The field whose value is a distance in time, so that being equal means not being farther away."""


class Checked(NamedTuple):
    """The outcome of a check; `condition` is None when there are errors among the diagnostics."""

    condition: typed.Condition | None
    diagnostics: tuple[Diagnostic, ...]

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The diagnostics that are errors."""
        return tuple(diagnostic for diagnostic in self.diagnostics if diagnostic.is_error)


@dataclass(slots=True)
class _Body:
    """A text under check and what was found in it."""

    text: Text
    found: list[Diagnostic] = field(default_factory=list)


class Checker:
    """Checks conditions for one event source, remembering the macros that it has seen.

    `static_fields` are the fields that the configuration defines.
    """

    def __init__(self, source: str = SYSCALL, static_fields: StaticFields = NO_STATIC_FIELDS) -> None:
        self.source = source
        self.static_fields = static_fields
        self._macros: dict[
            tuple[str, int], tuple[nodes.MacroUse, typed.Macro | None, tuple[Diagnostic, ...]]
        ] = {}

    def check(self, node: nodes.Node, text: Text) -> Checked:
        """Return the typed condition of `node`, whose spans are offsets into `text`."""
        body = _Body(text)
        with deep_recursion():
            condition = self._condition(node, body)
        return Checked(condition, tuple(body.found))

    def _condition(self, node: nodes.Node, body: _Body) -> typed.Condition | None:
        if isinstance(node, nodes.And | nodes.Or):
            return self._several(node, body)
        if isinstance(node, nodes.Not):
            child = self._condition(node.child, body)
            return None if child is None else typed.Negation(child)
        if isinstance(node, nodes.MacroUse):
            return self._macro(node, body)
        if isinstance(node, nodes.Identifier):
            message = f"undefined macro '{node.name}'"
            self._report(body, node.span, message, code=Code.VALIDATE, phase=Phase.RESOLVE)
            return None
        left = self._left(node.left, body)
        if left is None:
            return None
        if isinstance(node, nodes.Exists):
            return typed.Existence(left, typed.Written(body.text, node.span))
        return self._comparison(node, left, body)

    def _several(self, node: nodes.And | nodes.Or, body: _Body) -> typed.Condition | None:
        make = typed.AllOf if isinstance(node, nodes.And) else typed.AnyOf
        out: list[typed.Condition] = []
        complete = True
        for child in node.children:
            condition = self._condition(child, body)
            if condition is None:
                complete = False
            elif isinstance(condition, make):
                out.extend(condition.children)
            else:
                out.append(condition)
        return make(tuple(out)) if complete else None

    def _macro(self, node: nodes.MacroUse, body: _Body) -> typed.Condition | None:
        key = (node.name, id(node.body))  # macros that say the same may share a body
        known = self._macros.get(key)
        if known is None:
            inner = _Body(node.text)
            condition = self._condition(node.body, inner)
            macro = None if condition is None else typed.Macro(node.name, condition)
            known = self._macros[key] = (node, macro, tuple(inner.found))
        if known[2]:
            note = Note(f"in the macro '{node.name}', which is used here", body.text.place(node.span))
            body.found.extend(
                replace(diagnostic, notes=(*diagnostic.notes, note)) if diagnostic.is_error else diagnostic
                for diagnostic in known[2]
            )
        return known[1]

    def _left(self, operand: nodes.Operand, body: _Body) -> FieldRead | typed.Transform | None:
        try:
            left = type_operand(operand, self.source, self.static_fields)
        except OperandError as error:
            self._report(body, error.span, str(error), suggestion=error.suggestion)
            return None
        for advice in advice_on(left):
            self._report(body, operand.span, advice.message, code=advice.code)
        return left

    def _comparison(
        self, node: nodes.Comparison, left: FieldRead | typed.Transform, body: _Body
    ) -> typed.Condition | None:
        modifier = None if node.modifier is None else typed.Modifier(node.modifier)
        fault = self._operator_fault(left, node.operator, modifier)
        if fault is not None:
            self._report(body, node.operator_span, fault[0], suggestion=fault[1])
            return None
        right: FieldRead | typed.Transform | tuple[typed.Constant, ...] | None
        if isinstance(node.right, nodes.FieldValue | nodes.TransformerCall):
            right = self._right_operand(node, node.right, left, body)
        else:
            items = node.right.items if isinstance(node.right, nodes.LiteralList) else (node.right,)
            right = self._constants(node, items, left, body)
        if right is None:
            return None
        operator = node.operator
        if isinstance(left, FieldRead) and left.field.name == DISTANCE and operator in ("=", "=="):
            operator = "<="  # within so many milliseconds, which is what the field is for
        return typed.Test(left, operator, modifier, right, typed.Written(body.text, node.span))

    def _operator_fault(
        self, left: FieldRead | typed.Transform, operator: str, modifier: typed.Modifier | None
    ) -> tuple[str, str | None] | None:
        """Return why the operator does not fit the left-hand side, None where it does."""
        what = describe(left)
        group = group_of(left.type)
        if left.is_list and not self._compares_items(left, operator):
            if left.type not in LISTABLE:
                return f"{what} is a list of {left.type}, which no operator but 'exists' compares", None
            if operator not in LIST_OPERATORS or modifier is not None:
                return (
                    f"{what} is a list, and '{operator}' does not compare lists",
                    "the operators of lists are in, intersects and exists",
                )
            return None
        allowed = group.operators if modifier is None else group.with_modifier
        if operator in allowed:
            return None
        name = operator if modifier is None else f"{operator} {modifier.value}"
        if not allowed:
            return f"{what} has the type {left.type}, which no operator but 'exists' compares", None
        return (
            f"'{name}' does not compare {group.name}, and {what} has the type {left.type}",
            f"the operators of {group.name} are {', '.join(sorted(allowed))} and exists",
        )

    def _compares_items(self, left: FieldRead | typed.Transform, operator: str) -> bool:
        """Return whether a text operator may ask for any item of a list: an extension for audit events."""
        return (
            self.source == K8S_AUDIT
            and left.type is ValueType.CHARBUF
            and operator not in LIST_OPERATORS
            and operator in group_of(left.type).operators
        )

    def _right_operand(
        self,
        node: nodes.Comparison,
        right: nodes.FieldValue | nodes.TransformerCall,
        left: FieldRead | typed.Transform,
        body: _Body,
    ) -> FieldRead | typed.Transform | None:
        written = right.ref if isinstance(right, nodes.FieldValue) else right
        operand = self._left(written, body)
        if operand is None:
            return None
        message = None
        primary, other = primary_field(left), primary_field(operand)
        if node.operator in ("pmatch", "regex"):
            message = f"'{node.operator}' compares with constants only, not with another field"
        elif left.type in NETWORK_TYPES:
            message = f"{describe(left)} is compared with constants only, not with another field"
        elif primary is not None and "no_rhs" in primary.field.flags:
            message = f"field '{primary.key}' is compared with constants only, not with another field"
        elif other is not None and "no_rhs" in other.field.flags:
            message = f"field '{other.key}' cannot stand on the right-hand side"
        elif primary is not None and primary.field.name in _TYPES and node.operator in _DECIDING:
            message = (
                f"'{primary.field.name}' is compared with constants only by '{node.operator}', "
                "since that decides where a rule is evaluated"
            )
        elif (left.type, left.is_list) != (operand.type, operand.is_list):
            kinds = [f"{'a list of ' if side.is_list else ''}{side.type}" for side in (left, operand)]
            message = f"{describe(left)} is {kinds[0]}, but {describe(operand)} is {kinds[1]}"
        if message is not None:
            self._report(body, node.right.span, message)
            return None
        return operand

    def _constants(
        self,
        node: nodes.Comparison,
        items: tuple[nodes.Literal, ...],
        left: FieldRead | typed.Transform,
        body: _Body,
    ) -> tuple[typed.Constant, ...] | None:
        primary = primary_field(left)
        constants: list[typed.Constant] = []
        complete = True
        for item in items:
            try:
                if primary is not None and primary.field.name == "evt.type":
                    check_event_name(item.value)
                constants.append(parse_constant(item.value, left.type, node.operator))
            except ConstantError as error:
                self._report(body, item.span, str(error), suggestion=error.suggestion)
                complete = False
                continue
            for advice in advice_on(left, node.operator, item):
                self._report(body, item.span, advice.message, code=advice.code)
        if not complete:
            return None
        if node.operator == "pmatch":
            return (PathTree([item.value for item in items]),)
        return tuple(constants)

    def _report(
        self,
        body: _Body,
        span: Span,
        message: str,
        *,
        suggestion: str | None = None,
        code: Code = Code.COMPILE_CONDITION,
        phase: Phase = Phase.CHECK,
    ) -> None:
        body.found.append(Diagnostic(code, phase, message, body.text.place(span), suggestion=suggestion))


def describe(operand: typed.TypedOperand) -> str:
    """Return the operand in words, for a message."""
    if isinstance(operand, FieldRead):
        return f"field '{operand.key}'"
    if isinstance(operand, typed.Transform):
        return f"'{operand.transformer.name}(...)'"
    return "the value"
