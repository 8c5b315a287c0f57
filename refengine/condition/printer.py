"""The canonical text of a condition, as compiled conditions are described."""

from __future__ import annotations

from refengine.condition.escapes import quoted_if_needed
from refengine.condition.nodes import (
    And,
    ArgumentList,
    Comparison,
    Exists,
    FieldRef,
    FieldValue,
    Identifier,
    Literal,
    LiteralList,
    MacroUse,
    Node,
    Not,
    Or,
    TransformerCall,
)
from refengine.condition.scanner import FIELD_ARGUMENT
from refengine.recursion import deep_recursion


def print_condition(node: Node) -> str:
    """Return the text of `node`; parsing it gives an equal tree again, but for double negations, which cancel.

    `and` and `or` are always in parentheses, macros are shown by what they stand for.
    """
    with deep_recursion():
        return _node(node)


def _node(node: Node) -> str:
    if isinstance(node, And | Or):
        word = " and " if isinstance(node, And) else " or "
        return f"({word.join(map(_node, node.children))})"
    if isinstance(node, Not):
        return f"not {_node(node.child)}"
    if isinstance(node, Identifier):
        return node.name
    if isinstance(node, MacroUse):
        return _node(node.body)
    if isinstance(node, Exists):
        return f"{print_operand(node.left)} exists"
    assert isinstance(node, Comparison)
    modifier = "" if node.modifier is None else f"{node.modifier} "
    return f"{print_operand(node.left)} {node.operator} {modifier}{_right(node.right)}"


def print_operand(operand: FieldRef | TransformerCall | Literal | ArgumentList) -> str:
    """Return the text of a field, a transformer or one of its arguments."""
    if isinstance(operand, FieldRef):
        return operand.name + _brackets(operand.argument)
    if isinstance(operand, Literal):
        return quoted_if_needed(operand.value) if not operand.quoted else _quoted(operand.value)
    if isinstance(operand, ArgumentList):
        return f"({', '.join(map(print_operand, operand.items))})"
    arguments = ",".join(map(print_operand, operand.arguments))
    return f"{operand.name}({arguments}){_brackets(operand.selector)}"


def _right(right: Literal | LiteralList | FieldValue | TransformerCall) -> str:
    if isinstance(right, Literal):
        return quoted_if_needed(right.value)
    if isinstance(right, LiteralList):
        items = ", ".join(quoted_if_needed(item.value) for item in right.items)
        return f"({items})" if right.parenthesised else items
    if isinstance(right, FieldValue):
        return f"val({print_operand(right.ref)})"
    return print_operand(right)


def _quoted(value: str) -> str:
    text = quoted_if_needed(value)
    return text if text.startswith('"') else f'"{value}"'


def _brackets(argument: str | None) -> str:
    if argument is None:
        return ""
    bare = FIELD_ARGUMENT.fullmatch(argument)
    return f"[{argument}]" if bare else f"[{_quoted(argument)}]"
