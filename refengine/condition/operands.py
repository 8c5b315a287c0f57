"""Typing of operands: fields with their arguments, and transformers over them."""

from __future__ import annotations

from refengine.condition import nodes, typed
from refengine.condition.bytewise import to_bytes
from refengine.condition.printer import print_operand
from refengine.condition.transformers import TRANSFORMERS, Transformer
from refengine.condition.types import TEXT_TYPES
from refengine.fields.reading import FieldError, FieldRead, read_field
from refengine.fields.static import NO_STATIC_FIELDS, StaticFields
from refengine.source import Span
from refengine.values import ValueType


class OperandError(ValueError):
    """An operand that cannot be typed, with the span of the part at fault."""

    def __init__(self, message: str, span: Span, suggestion: str | None = None) -> None:
        super().__init__(message)
        self.span = span
        self.suggestion = suggestion


def type_operand(
    operand: nodes.Operand, source: str, static_fields: StaticFields = NO_STATIC_FIELDS
) -> FieldRead | typed.Transform:
    """Return the typed operand for events of `source`, where the configuration defines `static_fields`.

    :raises OperandError: for an unknown field, a wrong argument, or a transformer that does not fit.
    """
    if isinstance(operand, nodes.FieldRef):
        try:
            return read_field(operand.name, operand.argument, source, static_fields)
        except FieldError as error:
            raise OperandError(str(error), operand.span, error.suggestion) from None
    return _transform(operand, source, static_fields)


def primary_field(operand: typed.TypedOperand) -> FieldRead | None:
    """Return the field that a chain of transformers starts from, None where there is no single one."""
    while isinstance(operand, typed.Transform):
        if not operand.transformer.is_unary:
            return None
        operand = operand.arguments[0]
    return operand if isinstance(operand, FieldRead) else None


def _transform(call: nodes.TransformerCall, source: str, static_fields: StaticFields) -> typed.Transform:
    transformer = TRANSFORMERS[call.name]
    arguments = tuple(_argument(argument, source, static_fields) for argument in call.arguments)
    for argument, written in zip(arguments, call.arguments, strict=True):
        if isinstance(argument, FieldRead) and "no_transformer" in argument.field.flags:
            raise OperandError(f"field '{argument.key}' cannot be transformed", written.span)
    if call.selector is not None and not transformer.takes_selector:
        raise OperandError(f"'{call.name}(...)' takes no argument in brackets", call.span)
    if transformer.is_unary:
        return _unary(call, transformer, arguments)
    checks = {"join": _check_join, "concat": _check_concat, "getopt": _check_getopt}
    checks[call.name](call, arguments)
    is_list = call.name == "getopt" and call.selector is None
    return typed.Transform(
        print_operand(call), transformer, arguments, call.selector, ValueType.CHARBUF, is_list
    )


def _argument(
    argument: nodes.FieldRef | nodes.TransformerCall | nodes.Literal | nodes.ArgumentList,
    source: str,
    static_fields: StaticFields,
) -> typed.TypedOperand:
    if isinstance(argument, nodes.Literal):
        return typed.Given(argument.value)
    if isinstance(argument, nodes.ArgumentList):
        items = tuple(_argument(item, source, static_fields) for item in argument.items)
        for item, written in zip(items, argument.items, strict=True):
            if item.is_list or item.type not in TEXT_TYPES:
                raise OperandError("the items of a list here are single values of text", written.span)
        return typed.GivenList(items)
    return type_operand(argument, source, static_fields)


def _unary(
    call: nodes.TransformerCall, transformer: Transformer, arguments: tuple[typed.TypedOperand, ...]
) -> typed.Transform:
    if len(arguments) != 1:
        raise OperandError(f"'{call.name}' takes one argument, not {len(arguments)}", call.span)
    argument = arguments[0]
    measured = transformer.measures_lists and argument.is_list
    if not measured and argument.type not in transformer.takes:
        many = "a list of " if argument.is_list else ""
        raise OperandError(
            f"'{call.name}' does not take {many}values of type {argument.type}", call.arguments[0].span
        )
    return typed.Transform(
        print_operand(call),
        transformer,
        arguments,
        None,
        transformer.gives or argument.type,
        argument.is_list and not transformer.measures_lists,
    )


def _check_join(call: nodes.TransformerCall, arguments: tuple[typed.TypedOperand, ...]) -> None:
    if len(arguments) != 2:
        raise OperandError("'join' takes a separator and a list", call.span)
    if arguments[0].is_list or arguments[0].type not in TEXT_TYPES:
        raise OperandError("the separator of 'join' is a single value of text", call.arguments[0].span)
    if not arguments[1].is_list or arguments[1].type not in TEXT_TYPES:
        raise OperandError("the second argument of 'join' is a list of text", call.arguments[1].span)


def _check_concat(call: nodes.TransformerCall, arguments: tuple[typed.TypedOperand, ...]) -> None:
    if len(arguments) < 2:
        raise OperandError("'concat' takes two arguments or more", call.span)
    for argument, written in zip(arguments, call.arguments, strict=True):
        if argument.is_list or argument.type not in TEXT_TYPES:
            raise OperandError("the arguments of 'concat' are single values of text", written.span)


def _check_getopt(call: nodes.TransformerCall, arguments: tuple[typed.TypedOperand, ...]) -> None:
    if len(arguments) != 2:
        raise OperandError("'getopt' takes a list of words and the options", call.span)
    if not arguments[0].is_list or arguments[0].type not in TEXT_TYPES:
        raise OperandError("the first argument of 'getopt' is a list of text", call.arguments[0].span)
    if arguments[1].is_list or arguments[1].type not in TEXT_TYPES:
        raise OperandError("the options of 'getopt' are a single value of text", call.arguments[1].span)
    if call.selector is not None and len(to_bytes(call.selector)) != 1:
        raise OperandError("the selector of 'getopt' is one option's character", call.span)
