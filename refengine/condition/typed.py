"""The typed condition: the one contract between the language and everything that evaluates it.

Every name is resolved, every type checked, every constant read; nothing is looked up by name while a condition
is evaluated. Macros keep their names. Trees are shared: a macro that many rules use is one object.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

from refengine.condition.glob import Glob
from refengine.condition.networks import Network
from refengine.condition.pathtree import PathTree
from refengine.condition.regex import Regex
from refengine.fields.reading import FieldRead
from refengine.source import Place, Span, Text
from refengine.values import Value, ValueType

if TYPE_CHECKING:
    from refengine.condition.transformers import Transformer

Constant: TypeAlias = "Value | Glob | Regex | PathTree | Network"
"""A right-hand value, prepared for its operator."""


class Modifier(str, Enum):
    """How many of the right-hand values must compare."""

    ONEOF = "oneof"
    ANYOF = "anyof"
    ALLOF = "allof"


@dataclass(frozen=True, slots=True, eq=False)
class Transform:
    """The value of a transformer applied to other values; `key` is its canonical text."""

    key: str
    transformer: Transformer
    arguments: tuple[TypedOperand, ...]
    selector: str | None
    type: ValueType
    is_list: bool


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """A value that was written among a transformer's arguments."""

    value: str
    type: ValueType = ValueType.CHARBUF
    is_list: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class GivenList:
    """A list that was written among a transformer's arguments; its items may be fields."""

    items: tuple[TypedOperand, ...]
    type: ValueType = ValueType.CHARBUF
    is_list: bool = True


TypedOperand: TypeAlias = FieldRead | Transform | Given | GivenList


@dataclass(frozen=True, slots=True)
class Written:
    """Where a comparison was written; the place is worked out when it is asked for."""

    text: Text
    span: Span

    @property
    def place(self) -> Place:
        """The place in the source."""
        return self.text.place(self.span)


@dataclass(frozen=True, slots=True, eq=False)
class Test:
    """`left operator right`.

    `right` is another operand, or the constants: one for a plain comparison, any number with a modifier or
    a list operator.
    """

    left: FieldRead | Transform
    operator: str
    modifier: Modifier | None
    right: FieldRead | Transform | tuple[Constant, ...]
    written: Written | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Existence:
    """`left exists`."""

    left: FieldRead | Transform
    written: Written | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Negation:
    """The opposite of `child`."""

    child: Condition


@dataclass(frozen=True, slots=True, eq=False)
class AllOf:
    """All of `children`, from the left, stopping at the first that does not hold."""

    children: tuple[Condition, ...]


@dataclass(frozen=True, slots=True, eq=False)
class AnyOf:
    """Any of `children`, from the left, stopping at the first that holds."""

    children: tuple[Condition, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Macro:
    """A macro by its name, with the condition that it stands for."""

    name: str
    body: Condition


Condition: TypeAlias = AllOf | AnyOf | Negation | Macro | Test | Existence


def children(condition: Condition) -> tuple[Condition, ...]:
    """Return the conditions directly below `condition`."""
    if isinstance(condition, AllOf | AnyOf):
        return condition.children
    if isinstance(condition, Negation):
        return (condition.child,)
    if isinstance(condition, Macro):
        return (condition.body,)
    return ()


def walk(condition: Condition) -> Iterator[Condition]:
    """Yield `condition` and everything below it, parents first, each shared part once."""
    pending = [condition]
    seen: set[int] = set()
    while pending:
        at = pending.pop()
        if id(at) in seen:
            continue
        seen.add(id(at))
        yield at
        pending.extend(reversed(children(at)))


def fields_of(condition: Condition) -> Iterator[FieldRead]:
    """Yield every field of the event that `condition` reads, on either side, some of them more than once."""
    for part in walk(condition):
        if isinstance(part, Test):
            yield from operand_fields(part.left)
            if not isinstance(part.right, tuple):
                yield from operand_fields(part.right)
        elif isinstance(part, Existence):
            yield from operand_fields(part.left)


def operand_fields(operand: TypedOperand) -> Iterator[FieldRead]:
    """Yield the fields that `operand` reads of an event; those that the configuration defines are not among them."""
    if isinstance(operand, FieldRead):
        if operand.given is None:
            yield operand
    elif isinstance(operand, Transform):
        for argument in operand.arguments:
            yield from operand_fields(argument)
    elif isinstance(operand, GivenList):
        for item in operand.items:
            yield from operand_fields(item)


def is_given(operand: TypedOperand) -> bool:
    """Return whether the value of `operand` is the same for all events."""
    if isinstance(operand, FieldRead):
        return operand.given is not None
    if isinstance(operand, Transform):
        return all(map(is_given, operand.arguments))
    return isinstance(operand, Given) or all(map(is_given, operand.items))
