"""How evaluators get at values: the one thing that they need to know of events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

from refengine.condition.typed import Given, GivenList, Transform, TypedOperand
from refengine.fields.reading import FieldRead
from refengine.values import Value

Read: TypeAlias = "Callable[[Any], Value | None]"
"""Reads a value of an event, None where it is absent; a list is never empty, but absent."""


class Reader(Protocol):
    """Gives the function that reads a field of events of one form."""

    def bind(self, field: FieldRead) -> Read:
        """Return the function that reads `field`.

        For a field of several values (`field.many`) it returns all of them in a tuple.

        :raises UnsupportedFieldError: when the field cannot be read from such events at all.
        """


def bind_operand(operand: TypedOperand, reader: Reader) -> Read:
    """Return the function that reads an operand: a field, or what transformers make of fields."""
    if isinstance(operand, FieldRead):
        return reader.bind(operand) if operand.given is None else _always(operand.given)
    if isinstance(operand, Given):
        return _always(operand.value)
    parts = operand.items if isinstance(operand, GivenList) else operand.arguments
    reads = tuple(bind_operand(part, reader) for part in parts)
    if isinstance(operand, GivenList):
        return _all_of(reads)
    return _transformed(operand, reads)


def _always(value: str) -> Read:
    return lambda _event: value


def _all_of(reads: tuple[Read, ...]) -> Read:
    def read(event: Any) -> Value | None:
        values = []
        for part in reads:
            value = part(event)
            if value is None:
                return None
            values.append(value)
        return tuple(values) or None

    return read


def _transformed(operand: Transform, reads: tuple[Read, ...]) -> Read:
    apply, selector = operand.transformer.apply, operand.selector
    arguments = _all_of(reads)

    def read(event: Any) -> Value | None:
        values = arguments(event)
        return None if values is None else apply(values, selector)  # type: ignore[arg-type]  # a tuple

    return read
