"""From the text of a condition to its syntax tree, by recursive descent.

One method a production; its docstring is the production of `grammar/condition.ebnf`, and a test holds the two
together. Fields, transformers and values are read by `operand_parser`.
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import TypeAlias

from refengine.condition.nodes import (
    And,
    Comparison,
    Exists,
    FieldRef,
    FieldValue,
    Identifier,
    Literal,
    LiteralList,
    Node,
    Not,
    Operand,
    Or,
    RightSide,
    TransformerCall,
)
from refengine.condition.operand_parser import DEPTH_LIMIT, OperandParser
from refengine.condition.scanner import IDENTIFIER, NOT
from refengine.condition.vocabulary import (
    FIELD_VALUE,
    LIST_OPERATORS,
    MODIFIERS,
    OPERATORS,
    ORDER_OPERATORS,
    STRING_OPERATORS,
    UNARY_OPERATORS,
)
from refengine.recursion import deep_recursion
from refengine.source import Span, Text

_WORDED = tuple(f"{word} " if word[0].isalpha() else word for word in STRING_OPERATORS)
_MODIFIERS = tuple(f"{word} " for word in MODIFIERS)
_VALUE_CALL = f"{FIELD_VALUE}("

_Production: TypeAlias = Callable[[], Node]


def parse(text: Text | str, *, depth_limit: int = DEPTH_LIMIT) -> Node:
    """Return the syntax tree of a condition.

    :raises ConditionError: at the first fault, with its place.
    """
    if isinstance(text, str):
        text = Text.of(text)
    with deep_recursion():
        return Parser(text, depth_limit).condition()


class Parser(OperandParser):
    """One parse of one condition."""

    # Logic

    def condition(self) -> Node:
        """Condition ::= Blank* Or Blank* End."""
        scan = self._scan
        if not scan.input:
            raise scan.fault("the condition is empty")
        node = self._or()
        if scan.at < len(scan.input):
            raise self._unexpected()
        return node

    def _or(self) -> Node:
        """Or ::= And ( Blank* 'or' ( Blank+ And | '(' Group ) )* Blank*."""
        return self._chain("or", self._and, Or)

    def _and(self) -> Node:
        """And ::= Not ( Blank* 'and' ( Blank+ Not | '(' Group ) )* Blank*."""
        return self._chain("and", self._not, And)

    def _chain(self, word: str, operand: _Production, make: type[And] | type[Or]) -> Node:
        scan = self._scan
        self._enter()
        scan.skip_blanks()
        start = scan.at
        children = [operand()]
        end = scan.at
        scan.skip_blanks()
        while scan.take(word):
            after = scan.at
            if scan.skip_blanks():
                children.append(operand())
            elif scan.take("("):
                children.append(self._group(after))
            else:
                raise scan.fault(
                    f"expected a blank or '(' after '{word}'", Span(after - len(word), after + 1)
                )
            end = scan.at
            scan.skip_blanks()
        self._leave()
        if len(children) == 1:
            return children[0]
        while end > start and scan.input[end - 1].isspace():
            end -= 1
        return make(tuple(children), Span(start, end))

    def _not(self) -> Node:
        """Not ::= ( 'not' Space+ )* ( 'not(' Group | Check )."""
        scan = self._scan
        self._enter()
        start = scan.at
        negated = False
        while scan.take_match(NOT):
            negated = not negated
        after = scan.at
        if scan.take("not("):
            negated = not negated
            child = self._group(after + 3)
        else:
            child = self._check()
        self._leave()
        return Not(child, scan.since(start)) if negated else child

    def _group(self, opened: int) -> Node:
        """Group ::= Blank* Or ')'."""
        scan = self._scan
        self._enter()
        scan.skip_blanks()
        node = self._or()
        scan.skip_blanks()
        if not scan.take(")"):
            if scan.at >= len(scan.input):
                raise scan.fault("this '(' is never closed", Span(opened, opened + 1))
            raise self._unexpected(inside=True)
        self._leave()
        return node

    def _check(self) -> Node:
        """Check ::= Operand Test | Identifier | '(' Group."""
        scan = self._scan
        self._enter()
        start = scan.at
        node: Node
        operand = self._operand()
        if operand is not None:
            node = self._test(operand, start)
        elif (name := scan.take_match(IDENTIFIER)) is not None:
            node = Identifier(name, scan.since(start))
        elif scan.take("("):
            node = self._group(start)
        else:
            raise scan.fault(f"expected a field, a macro or '(', found {scan.here()}")
        self._leave()
        return node

    # Comparisons

    def _test(self, left: Operand, start: int) -> Node:
        """Test ::= Blank* ( 'exists' | OrderTest | StringTest | ListTest )."""
        scan = self._scan
        self._enter()
        scan.skip_blanks()
        at = scan.at
        modifier: str | None = None
        right: RightSide
        if scan.take_one(UNARY_OPERATORS):
            self._leave()
            return Exists(left, scan.since(start))
        if (operator := scan.take_one(ORDER_OPERATORS)) is not None:
            operator_span = scan.since(at)
            right = self._order_value(operator)
        elif (operator := scan.take_one(_WORDED)) is not None:
            operator = operator.rstrip()
            operator_span = Span(at, at + len(operator))
            modifier = self._modifier()
            right = self._string_value(operator) if modifier is None else self._list(operator)
        elif (operator := scan.take_one(LIST_OPERATORS)) is not None:
            operator_span = scan.since(at)
            right = self._list_value(operator)
        else:
            raise self._no_operator(left)
        self._leave()
        return Comparison(left, operator, modifier, right, operator_span, scan.since(start))

    def _modifier(self) -> str | None:
        """Modifier ::= Blank* ( 'oneof ' | 'anyof ' | 'allof ' ) Blank*, before '(' or a list's name only."""
        scan = self._scan
        before = scan.at
        scan.skip_blanks()
        word = scan.take_one(_MODIFIERS)
        if word is not None:
            scan.skip_blanks()
            if scan.looking_at("("):
                return word.rstrip()
            name = IDENTIFIER.match(scan.input, scan.at)
            if name is not None and name[0] not in {"and", "or", "not"}:
                return word.rstrip()
        scan.at = before
        return None

    def _order_value(self, operator: str) -> RightSide:
        """OrderTest ::= ( '<=' | '<' | '>=' | '>' ) Blank* ( Number | RightOperand )."""
        scan = self._scan
        scan.skip_blanks()
        start = scan.at
        other = self._right_operand()
        if other is not None:
            return other
        number = self._number()
        if number is None:
            raise scan.fault(
                f"expected a number after '{operator}', or val(field) or a transformer, found {scan.here()}"
            )
        return Literal(number, False, scan.since(start))

    def _string_value(self, operator: str) -> RightSide:
        """StringTest ::= StringOperator ( Blank* ( String | RightOperand ) | Modifier List )."""
        self._scan.skip_blanks()
        other = self._right_operand()
        if other is not None:
            return other
        literal = self._string()
        if literal is None:
            raise self._no_value(f"expected a value after '{operator}', or val(field) or a transformer")
        return literal

    def _list_value(self, operator: str) -> RightSide:
        """ListTest ::= ( 'intersects' | 'in' | 'pmatch' ) Blank* ( List | RightOperand )."""
        self._scan.skip_blanks()
        return self._right_operand() or self._list(operator)

    def _list(self, operator: str) -> LiteralList:
        """List ::= '(' Blank* ( String Blank* ( ',' Blank* String Blank* )* )? ')' | Identifier."""
        scan = self._scan
        start = scan.at
        if not scan.take("("):
            name = scan.take_match(IDENTIFIER)
            if name is None:
                raise scan.fault(
                    f"expected a list in parentheses or a list's name after '{operator}', found {scan.here()}"
                )
            span = scan.since(start)
            return LiteralList((Literal(name, False, span),), False, span)
        items: list[Literal] = []
        scan.skip_blanks()
        if not scan.looking_at(")"):
            items.append(self._list_item())
            while scan.take(","):
                scan.skip_blanks()
                items.append(self._list_item())
        self._close(start, "the list")
        return LiteralList(tuple(items), True, scan.since(start))

    def _list_item(self) -> Literal:
        literal = self._string()
        if literal is None:
            raise self._no_value("expected a value in the list")
        self._scan.skip_blanks()
        return literal

    def _right_operand(self) -> FieldValue | TransformerCall | None:
        """RightOperand ::= Transformer | 'val(' Blank* Field Blank* ')'."""
        scan = self._scan
        start = scan.at
        if not scan.take(_VALUE_CALL):
            return self._transformer()
        opened = scan.at - 1
        scan.skip_blanks()
        ref = self._field()
        if ref is None:
            raise scan.fault(f"expected a field inside val(...), found {scan.here()}")
        scan.skip_blanks()
        self._close(opened, "val(...)")
        if scan.looking_at("["):
            raise scan.fault("val(...) takes no argument in brackets; the field inside it may")
        return FieldValue(ref, scan.since(start))

    # Faults

    def _unexpected(self, *, inside: bool = False) -> Exception:
        scan = self._scan
        if scan.looking_at(")") and not inside:
            return scan.fault("this ')' closes nothing")
        expected = "'and', 'or' or ')'" if inside else "'and' or 'or'"
        return scan.fault(f"expected {expected}, found {scan.here()}")

    def _no_operator(self, left: Operand) -> Exception:
        scan = self._scan
        word = scan.here().strip("'")
        near = get_close_matches(word.lower(), OPERATORS, 1)
        name = left.name if isinstance(left, FieldRef) else f"{left.name}(...)"
        if word in STRING_OPERATORS:
            hint: str | None = f"'{word}' needs a blank behind it"
        elif near:
            hint = f"did you mean '{near[0]}'?"
        else:
            hint = f"the operators are: {', '.join(OPERATORS)}"
        return scan.fault(
            f"expected an operator after '{name}', found {scan.here()}",
            Span(scan.at, scan.at + max(1, len(word))) if word and scan.at < len(scan.input) else None,
            suggestion=hint,
        )
