"""Every production of the grammar and the tree that it makes."""

from __future__ import annotations

import pytest

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
    Node,
    Not,
    Operand,
    Or,
    RightSide,
    TransformerCall,
    walk,
)
from refengine.condition.operand_parser import parse_operand
from refengine.condition.parser import parse
from refengine.condition.vocabulary import LIST_OPERATORS, MODIFIERS, ORDER_OPERATORS, STRING_OPERATORS
from refengine.errors import ConditionError
from refengine.source import Span, Text

S = Span(0, 0)
"""Spans take no part in comparing nodes."""
A, B, C = (Identifier(name, S) for name in "abc")
NAME = FieldRef("proc.name", None, S)


def literal(value: str) -> Literal:
    return Literal(value, False, S)


def values(*items: str) -> LiteralList:
    return LiteralList(tuple(map(literal, items)), True, S)


def comparison(operator: str, right: RightSide, left: Operand = NAME, modifier: str | None = None) -> Node:
    return Comparison(left, operator, modifier, right, S, S)


LOGIC: list[tuple[str, Node]] = [
    ("a", A),
    ("  a\n", A),
    ("(a)", A),
    ("((a) )", A),
    ("a and b", And((A, B), S)),
    ("a or b", Or((A, B), S)),
    ("a and b and c", And((A, B, C), S)),
    ("a or b or c", Or((A, B, C), S)),
    ("a or b and c", Or((A, And((B, C), S)), S)),
    ("a and b or c", Or((And((A, B), S), C), S)),
    ("(a or b) and c", And((Or((A, B), S), C), S)),
    ("a and (b and c)", And((A, And((B, C), S)), S)),
    ("a\tand\r\nb", And((A, B), S)),
    ("a and\bb", And((A, B), S)),
    ("(a)and(b)", And((A, B), S)),
    ("(a)or(b)", Or((A, B), S)),
    ("a and(b)or c", Or((And((A, B), S), C), S)),
    ("a and (b) or (c)", Or((And((A, B), S), C), S)),
    ("not a", Not(A, S)),
    ("not(a)", Not(A, S)),
    ("not (a)", Not(A, S)),
    ("not\va", Not(A, S)),
    ("not not a", A),
    ("not not not a", Not(A, S)),
    ("not not(a)", A),
    ("not (not a)", Not(Not(A, S), S)),
    ("not a and b", And((Not(A, S), B), S)),
    ("not a or b", Or((Not(A, S), B), S)),
    ("a and not b", And((A, Not(B, S)), S)),
    ("not_a", Identifier("not_a", S)),
    ("notz", Identifier("notz", S)),
    ("and_macro or or_macro", Or((Identifier("and_macro", S), Identifier("or_macro", S)), S)),
    ("not", Identifier("not", S)),
    ("and", Identifier("and", S)),
    ("not and", Not(Identifier("and", S), S)),
]


@pytest.mark.parametrize(("text", "tree"), LOGIC)
def test_logic(text: str, tree: Node) -> None:
    assert parse(text) == tree


COMPARISONS: list[tuple[str, Node]] = [
    ("proc.name exists", Exists(NAME, S)),
    ("proc.nameexists exists", Exists(FieldRef("proc.nameexists", None, S), S)),
    ("proc.name=cat", comparison("=", literal("cat"))),
    ("proc.name==cat", comparison("==", literal("cat"))),
    ("proc.name!=cat", comparison("!=", literal("cat"))),
    ("proc.name = 'a b'", comparison("=", literal("a b"))),
    ("proc.name = a.b", comparison("=", literal("a.b"))),
    ("proc.name = a\\nb", comparison("=", literal("a\\nb"))),
    ("proc.name = 'a\nb'", comparison("=", literal("a\nb"))),
    ('proc.name = "it\'s"', comparison("=", literal("it's"))),
    ("proc.name = <NA>", comparison("=", literal("<NA>"))),
    ("proc.name startswith <", comparison("startswith", literal("<"))),
    ("proc.name = oneof", comparison("=", literal("oneof"))),
    ("proc.name = anyof and a", And((comparison("=", literal("anyof")), A), S)),
    ("proc.name = allof or a", Or((comparison("=", literal("allof")), A), S)),
    ("proc.name = and", comparison("=", literal("and"))),
    ("proc.name = in and a", And((comparison("=", literal("in")), A), S)),
    ("proc.name in ()", comparison("in", values())),
    ("proc.name in()", comparison("in", values())),
    ("proc.name in ( )", comparison("in", values())),
    ("proc.name in (a)", comparison("in", values("a"))),
    ("proc.name in ( a , 'b c',\"d\" )", comparison("in", values("a", "b c", "d"))),
    ("proc.name in (a.b,and,1.5,*)", comparison("in", values("a.b", "and", "1.5", "*"))),
    ("proc.name in shells", comparison("in", LiteralList((literal("shells"),), False, S))),
    ("proc.name inshells", comparison("in", LiteralList((literal("shells"),), False, S))),
    ("proc.name intersects(a)", comparison("intersects", values("a"))),
    ("proc.name pmatch (/etc, /usr)", comparison("pmatch", values("/etc", "/usr"))),
    ("proc.name in val(fd.name)", comparison("in", FieldValue(FieldRef("fd.name", None, S), S))),
    ("proc.name = val( fd.name )", comparison("=", FieldValue(FieldRef("fd.name", None, S), S))),
    ("proc.name = val", comparison("=", literal("val"))),
    ("proc.name = tolower", comparison("=", literal("tolower"))),
    ("proc.name < 5", comparison("<", literal("5"))),
    ("proc.name <=-5", comparison("<=", literal("-5"))),
    ("proc.name > 0x1F", comparison(">", literal("0x1F"))),
    ("proc.name >= +1.5e+3", comparison(">=", literal("+1.5e+3"))),
    ("proc.name >= 5.", comparison(">=", literal("5."))),
]


@pytest.mark.parametrize(("text", "tree"), COMPARISONS)
def test_comparisons(text: str, tree: Node) -> None:
    assert parse(text) == tree


@pytest.mark.parametrize("operator", STRING_OPERATORS)
def test_operators_of_strings_take_one_value(operator: str) -> None:
    assert parse(f"proc.name {operator} x") == comparison(operator, literal("x"))


@pytest.mark.parametrize("operator", ORDER_OPERATORS)
def test_operators_of_order_take_a_number(operator: str) -> None:
    assert parse(f"proc.name {operator} 1") == comparison(operator, literal("1"))


@pytest.mark.parametrize("operator", LIST_OPERATORS)
def test_operators_of_lists_take_a_list(operator: str) -> None:
    assert parse(f"proc.name {operator} (x, y)") == comparison(operator, values("x", "y"))


@pytest.mark.parametrize("operator", STRING_OPERATORS)
@pytest.mark.parametrize("modifier", MODIFIERS)
def test_modifiers_stand_between_an_operator_and_a_list(operator: str, modifier: str) -> None:
    expected = comparison(operator, values("x", "y"), modifier=modifier)
    assert parse(f"proc.name {operator} {modifier} (x, y)") == expected
    lone = comparison(operator, LiteralList((literal("names"),), False, S), modifier=modifier)
    assert parse(f"proc.name {operator} {modifier} names") == lone


@pytest.mark.parametrize("operator", [name for name in STRING_OPERATORS if name[0].isalpha()])
def test_operators_that_are_words_need_a_blank(operator: str) -> None:
    with pytest.raises(ConditionError):
        parse(f"proc.name {operator}'x'")


FIELDS = [
    ("a.b", FieldRef("a.b", None, S)),
    ("a1_.b2_.c", FieldRef("a1_.b2_.c", None, S)),
    ("a.b[1]", FieldRef("a.b", "1", S)),
    ("a.b[x/y.z-1]", FieldRef("a.b", "x/y.z-1", S)),
    ("a.b['x y']", FieldRef("a.b", "x y", S)),
    ('a.b["x]y"]', FieldRef("a.b", "x]y", S)),
    ('a.b["\\x41"]', FieldRef("a.b", "A", S)),
    ("and.x", FieldRef("and.x", None, S)),
    ("val.x", FieldRef("val.x", None, S)),
]


@pytest.mark.parametrize(("text", "field"), FIELDS)
def test_fields_and_their_arguments(text: str, field: FieldRef) -> None:
    assert parse(f"{text} exists") == Exists(field, S)


def call(name: str, *arguments: FieldRef | TransformerCall | Literal | ArgumentList) -> TransformerCall:
    return TransformerCall(name, arguments, None, S)


TRANSFORMERS = [
    ("tolower(proc.name)", call("tolower", NAME)),
    ("tolower( proc.name )", call("tolower", NAME)),
    ("toupper(b64(basename(proc.name)))", call("toupper", call("b64", call("basename", NAME)))),
    ("len('a b')", call("len", literal("a b"))),
    ("len(0x1f)", call("len", literal("0x1f"))),
    ("concat(proc.name,\"-\",1.5)", call("concat", NAME, literal("-"), literal("1.5"))),
    ("join(',',())", call("join", literal(","), ArgumentList((), S))),
    (
        "join( ',' , ( proc.name , 'a' , tolower(proc.name) , 3 ) )",
        call("join", literal(","), ArgumentList((NAME, literal("a"), call("tolower", NAME), literal("3")), S)),
    ),
    ("getopt(fd.types,'ab:')[a]", TransformerCall("getopt", (FieldRef("fd.types", None, S), literal("ab:")), "a", S)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "operand"), TRANSFORMERS)
def test_transformers_stand_on_both_sides(text: str, operand: TransformerCall) -> None:
    assert parse(f"{text} = {text}") == comparison("=", operand, operand)
    assert parse(f"{text} exists") == Exists(operand, S)


def test_an_operand_can_be_read_from_the_middle_of_any_text() -> None:
    text = Text.of("name: %proc.name[1], and so on")
    operand = parse_operand(text, 7)
    assert operand == FieldRef("proc.name", "1", S)
    assert operand is not None
    assert operand.span == Span(7, 19)
    assert parse_operand(text, 0) is None


def test_spans_cover_what_was_written() -> None:
    text = "  not a.b = 'x y'  and (c or tolower(d.e) in (1, 22))  "
    spans = [text[node.span.start : node.span.end] for node in walk(parse(text))]
    assert spans == [
        "not a.b = 'x y'  and (c or tolower(d.e) in (1, 22))",
        "not a.b = 'x y'",
        "a.b = 'x y'",
        "c or tolower(d.e) in (1, 22)",
        "c",
        "tolower(d.e) in (1, 22)",
    ]
    node = parse("a.b[1] startswith anyof ('x', yz)")
    assert isinstance(node, Comparison)
    assert isinstance(node.right, LiteralList)
    parts = [node.left.span, node.operator_span, node.right.span, *(item.span for item in node.right.items)]
    assert [(part.start, part.end) for part in parts] == [(0, 6), (7, 17), (24, 33), (25, 28), (30, 32)]
