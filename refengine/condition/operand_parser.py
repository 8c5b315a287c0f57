"""Fields, transformers and values: the parts of a condition that output templates have too."""

from __future__ import annotations

from refengine.condition.escapes import EscapeError, unescape
from refengine.condition.nodes import ArgumentList, FieldRef, Literal, Operand, TransformerCall
from refengine.condition.scanner import BARE_STRING, FIELD_ARGUMENT, FIELD_NAME, HEX_NUMBER, NUMBER, Scanner
from refengine.condition.vocabulary import TRANSFORMERS
from refengine.recursion import deep_recursion
from refengine.source import Span, Text

DEPTH_LIMIT = 1000
"""Nesting that a rule's condition may have; each parenthesis costs five levels."""

DESCRIBE_DEPTH_LIMIT = 100
"""The limit that holds where Falco parses a condition again in order to describe it."""

_CALLS = tuple(f"{word}(" for word in TRANSFORMERS)


def parse_operand(text: Text, start: int, *, depth_limit: int = DEPTH_LIMIT) -> Operand | None:
    """Return the field or transformer that begins at offset `start`, None where neither does.

    Its span says where it ends; what follows is left alone, since the text need not be a condition.

    :raises ConditionError: when what begins there is malformed.
    """
    with deep_recursion():
        return OperandParser(text, depth_limit).operand_at(start)


class OperandParser:
    """One parse of one text, as far as operands and values go."""

    def __init__(self, text: Text, depth_limit: int = DEPTH_LIMIT) -> None:
        self._scan = Scanner(text)
        self._depth_limit = depth_limit
        self._depth = 0

    def operand_at(self, start: int) -> Operand | None:
        """Return the operand at offset `start`, None where there is none."""
        self._scan.at = start
        return self._operand()

    def _operand(self) -> Operand | None:
        """Operand ::= Field | Transformer."""
        return self._field() or self._transformer()

    def _field(self) -> FieldRef | None:
        """Field ::= FieldName ( '[' FieldArgument ']' )?."""
        scan = self._scan
        start = scan.at
        name = scan.take_match(FIELD_NAME)
        if name is None:
            return None
        return FieldRef(name, self._argument(), scan.since(start))

    def _argument(self) -> str | None:
        """FieldArgument ::= QuotedString | BareArgument."""
        scan = self._scan
        opened = scan.at
        if not scan.take("["):
            return None
        argument = self._quoted()
        if argument is None:
            argument = scan.take_match(FIELD_ARGUMENT)
        if argument is None:
            raise scan.fault(f"expected an argument for the field, bare or in quotes, found {scan.here()}")
        if not scan.take("]"):
            if scan.at >= len(scan.input):
                raise scan.fault("this '[' is never closed", Span(opened, opened + 1))
            raise scan.fault(f"expected ']' after the field's argument, found {scan.here()}")
        return argument

    def _transformer(self) -> TransformerCall | None:
        """Transformer ::= TransformerName '(' Argument ( ',' Argument )* ')' ( '[' FieldArgument ']' )?."""
        scan = self._scan
        start = scan.at
        call = scan.take_one(_CALLS)
        if call is None:
            return None
        self._enter()
        opened = scan.at - 1
        arguments = [self._transformer_argument()]
        scan.skip_blanks()
        while scan.take(","):
            arguments.append(self._transformer_argument())
            scan.skip_blanks()
        self._close(opened, "the transformer's arguments")
        self._leave()
        selector = self._argument()
        return TransformerCall(call[:-1], tuple(arguments), selector, scan.since(start))

    def _transformer_argument(self) -> FieldRef | TransformerCall | Literal | ArgumentList:
        """Argument ::= Blank* ( ArgumentItem | ArgumentList ) Blank*."""
        scan = self._scan
        scan.skip_blanks()
        start = scan.at
        if not scan.take("("):
            return self._argument_item(
                "an argument: a field, a transformer, a quoted string, a number or a list"
            )
        items = []
        scan.skip_blanks()
        if not scan.looking_at(")"):
            items.append(
                self._argument_item("a list item: a field, a transformer, a quoted string or a number")
            )
            scan.skip_blanks()
            while scan.take(","):
                scan.skip_blanks()
                items.append(
                    self._argument_item("a list item: a field, a transformer, a quoted string or a number")
                )
                scan.skip_blanks()
        self._close(start, "the list")
        return ArgumentList(tuple(items), scan.since(start))

    def _argument_item(self, expected: str) -> FieldRef | TransformerCall | Literal:
        """ArgumentItem ::= Transformer | Field | QuotedString | Number."""
        scan = self._scan
        start = scan.at
        operand = self._transformer() or self._field()
        if operand is not None:
            return operand
        text = self._quoted()
        if text is not None:
            return Literal(text, True, scan.since(start))
        number = self._number()
        if number is None:
            raise scan.fault(f"expected {expected}, found {scan.here()}")
        return Literal(number, False, scan.since(start))

    # Values

    def _string(self) -> Literal | None:
        """String ::= QuotedString | BareString."""
        scan = self._scan
        start = scan.at
        text = self._quoted()
        if text is not None:
            return Literal(text, True, scan.since(start))
        bare = scan.take_match(BARE_STRING)
        return None if bare is None else Literal(bare, False, scan.since(start))

    def _quoted(self) -> str | None:
        scan = self._scan
        start = scan.at
        token = scan.take_quoted()
        if token is None:
            return None
        quote, body = token
        try:
            return unescape(body, quote)
        except EscapeError as fault:
            first = start + 1 + fault.offset
            raise scan.fault(fault.message, Span(first, first + fault.length)) from None

    def _number(self) -> str | None:
        """Number ::= HexNumber | Decimal."""
        return self._scan.take_match(HEX_NUMBER) or self._scan.take_match(NUMBER)

    # Bookkeeping and faults

    def _enter(self) -> None:
        self._depth += 1
        if self._depth >= self._depth_limit:
            raise self._scan.fault(f"the condition nests deeper than {self._depth_limit} levels")

    def _leave(self) -> None:
        self._depth -= 1

    def _close(self, opened: int, what: str) -> None:
        scan = self._scan
        if scan.take(")"):
            return
        if scan.at >= len(scan.input):
            raise scan.fault("this '(' is never closed", Span(opened, opened + 1))
        raise scan.fault(f"expected ',' or ')' in {what}, found {scan.here()}")

    def _no_value(self, message: str) -> Exception:
        scan = self._scan
        if scan.looking_at('"') or scan.looking_at("'"):
            return scan.fault("this quoted string never ends", Span(scan.at, scan.at + 1))
        return scan.fault(f"{message}, found {scan.here()}")
