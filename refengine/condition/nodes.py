"""The syntax tree of a condition: what was written, before any meaning is attached.

Nodes are never changed. Spans are character offsets into the text that was parsed; a macro's own nodes have
spans into the macro's text, which `MacroUse` carries.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from refengine.source import Span, Text


@dataclass(frozen=True, slots=True)
class FieldRef:
    """A field name, with the argument that stood in brackets (None where there were no brackets)."""

    name: str
    argument: str | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Literal:
    """A value as text, escapes already resolved."""

    value: str
    quoted: bool = field(compare=False)
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class LiteralList:
    """The values in parentheses after a list operator or a modifier.

    `parenthesised` is false for a lone name, which stands for the list of that one value.
    """

    items: tuple[Literal, ...]
    parenthesised: bool
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class ArgumentList:
    """A list in parentheses among the arguments of a transformer."""

    items: tuple[FieldRef | TransformerCall | Literal, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class TransformerCall:
    """A transformer applied to its arguments, with the selector that stood in brackets behind it."""

    name: str
    arguments: tuple[FieldRef | TransformerCall | Literal | ArgumentList, ...]
    selector: str | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class FieldValue:
    """`val(field)` on the right-hand side: the value of another field."""

    ref: FieldRef
    span: Span = field(compare=False)


Operand: TypeAlias = FieldRef | TransformerCall
RightSide: TypeAlias = Literal | LiteralList | FieldValue | TransformerCall


@dataclass(frozen=True, slots=True)
class Identifier:
    """A name without a dot: the use of a macro."""

    name: str
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Exists:
    """`operand exists`."""

    left: Operand
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Comparison:
    """`left operator right`; `modifier` is `oneof`, `anyof`, `allof` or None."""

    left: Operand
    operator: str
    modifier: str | None
    right: RightSide
    operator_span: Span = field(compare=False)
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of `child`; never directly around another `Not` that was written without parentheses."""

    child: Node
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class And:
    """All of `children`, two or more, evaluated from the left."""

    children: tuple[Node, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Or:
    """Any of `children`, two or more, evaluated from the left."""

    children: tuple[Node, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class MacroUse:
    """A macro in place of its name; `body` is shared by all uses and has spans into `text`."""

    name: str
    body: Node
    text: Text = field(compare=False)
    span: Span = field(compare=False)


Node: TypeAlias = And | Or | Not | Comparison | Exists | Identifier | MacroUse


def children(node: Node) -> tuple[Node, ...]:
    """Return the conditions directly below `node`, a macro's body included."""
    if isinstance(node, And | Or):
        return node.children
    if isinstance(node, Not):
        return (node.child,)
    if isinstance(node, MacroUse):
        return (node.body,)
    return ()


def walk(node: Node) -> Iterator[Node]:
    """Yield `node` and everything below it, parents first, from the left."""
    pending = [node]
    while pending:
        at = pending.pop()
        yield at
        pending.extend(reversed(children(at)))
