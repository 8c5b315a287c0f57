"""Names in a condition that this version does not know.

A rule with `skip-if-unknown-filter` that uses one is left out with a warning instead of an error.
"""

from __future__ import annotations

from collections.abc import Iterator

from refengine.condition.nodes import (
    ArgumentList,
    Comparison,
    Exists,
    FieldRef,
    FieldValue,
    Literal,
    LiteralList,
    MacroUse,
    Node,
    TransformerCall,
    children,
)
from refengine.fields.reading import EVENT_NAMES, FieldError, UnknownFieldError, read_field
from refengine.fields.static import StaticFields
from refengine.source import Place, Text


def unknown_names(node: Node, text: Text, source: str, static_fields: StaticFields) -> Iterator[Place]:
    """Yield where `node`, whose spans are offsets into `text`, names an unknown field or event type.

    `static_fields` are the fields that the configuration defines.
    """
    pending = [(node, text)]
    while pending:
        at, text = pending.pop()
        if isinstance(at, MacroUse):
            pending.append((at.body, at.text))
        elif isinstance(at, Comparison | Exists):
            yield from _in_check(at, text, source, static_fields)
        else:
            pending.extend((child, text) for child in children(at))


def _in_check(
    check: Comparison | Exists, text: Text, source: str, static_fields: StaticFields
) -> Iterator[Place]:
    for ref in _fields(check.left):
        if _is_unknown(ref, source, static_fields):
            yield text.place(ref.span)
    if isinstance(check, Exists):
        return
    for ref in _fields(check.right):
        if _is_unknown(ref, source, static_fields):
            yield text.place(ref.span)
    if isinstance(check.left, FieldRef) and check.left.name == "evt.type":
        values = check.right.items if isinstance(check.right, LiteralList) else (check.right,)
        for value in values:
            if isinstance(value, Literal) and value.value not in EVENT_NAMES:
                yield text.place(value.span)


def _is_unknown(ref: FieldRef, source: str, static_fields: StaticFields) -> bool:
    try:
        read_field(ref.name, ref.argument, source, static_fields)
    except UnknownFieldError:
        return True
    except FieldError:
        return False
    return False


def _fields(
    operand: FieldRef | TransformerCall | FieldValue | Literal | LiteralList | ArgumentList,
) -> Iterator[FieldRef]:
    if isinstance(operand, FieldRef):
        yield operand
    elif isinstance(operand, FieldValue):
        yield operand.ref
    elif isinstance(operand, TransformerCall):
        for argument in operand.arguments:
            yield from _fields(argument)
    elif isinstance(operand, ArgumentList):
        for item in operand.items:
            yield from _fields(item)
