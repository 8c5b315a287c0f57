"""Each fault of syntax, with the whole text that is shown for it."""

from __future__ import annotations

import pytest

from refengine.condition.parser import parse
from refengine.errors import Code, ConditionError, Phase
from refengine.source import Source, Span, Text
from tests.condition.evaluate import fault

END = "the end of the condition"
CASES: list[tuple[str, int, str, int]] = [
    # text, offset of the caret, message, number of carets
    ("", 0, "the condition is empty", 1),
    (" ", 1, f"expected a field, a macro or '(', found {END}", 1),
    (")", 0, "expected a field, a macro or '(', found ')'", 1),
    ("1", 0, "expected a field, a macro or '(', found '1'", 1),
    ("'a' = b", 0, "expected a field, a macro or '(', found ''a''", 1),
    ("a b", 2, "expected 'and' or 'or', found 'b'", 1),
    ("a)", 1, "this ')' closes nothing", 1),
    ("(a", 0, "this '(' is never closed", 1),
    ("a and (b or (c)", 6, "this '(' is never closed", 1),
    ("not(a", 3, "this '(' is never closed", 1),
    ("a and(b", 5, "this '(' is never closed", 1),
    ("(a b)", 3, "expected 'and', 'or' or ')', found 'b'", 1),
    ("()", 1, "expected a field, a macro or '(', found ')'", 1),
    ("a and", 2, "expected a blank or '(' after 'and'", 3),
    ("a andb", 2, "expected a blank or '(' after 'and'", 4),
    ("a or)", 2, "expected a blank or '(' after 'or'", 3),
    ("a ornot(b)", 2, "expected a blank or '(' after 'or'", 3),
    ("a and\vb", 2, "expected a blank or '(' after 'and'", 4),
    ("andnot(a)", 6, "expected 'and' or 'or', found '('", 1),
    ("a and ", 6, f"expected a field, a macro or '(', found {END}", 1),
    ("a and or b", 9, "expected 'and' or 'or', found 'b'", 1),
    ("a.b =", 5, f"expected a value after '=', or val(field) or a transformer, found {END}", 1),
    ("a.b = )", 6, "expected a value after '=', or val(field) or a transformer, found ')'", 1),
    ("a.b = = c", 6, "expected a value after '=', or val(field) or a transformer, found '='", 1),
    ("a.b = 'x", 6, "this quoted string never ends", 1),
    ("a.b = 'x\\'", 6, "this quoted string never ends", 1),
    ("a.b = \"x'", 6, "this quoted string never ends", 1),
    ('a.b = "x\\\\"', 6, "this quoted string never ends", 1),
    ('a.b = "x" "y"', 10, "expected 'and' or 'or', found '\"y\"'", 1),
    ("a.b = 'x\\q'", 8, "unknown escape \\q", 2),
    ("a.b = 'x\\\"'", 8, '\\" is an escape only between " quotes', 2),
    ("a.b = '\\xZZ'", 7, "invalid \\x escape: 'ZZ' are not two hexadecimal digits", 4),
    ("a.b = '\\x4'", 7, "truncated \\x escape: two hexadecimal digits are needed", 3),
    ("a.b > x", 6, "expected a number after '>', or val(field) or a transformer, found 'x'", 1),
    ("a.b > '1'", 6, "expected a number after '>', or val(field) or a transformer, found ''1''", 1),
    ("a.b in", 6, f"expected a list in parentheses or a list's name after 'in', found {END}", 1),
    ("a.b in 'x'", 7, "expected a list in parentheses or a list's name after 'in', found ''x''", 1),
    ("a.b in 1", 7, "expected a list in parentheses or a list's name after 'in', found '1'", 1),
    ("a.b in (x", 7, "this '(' is never closed", 1),
    ("a.b in (x,)", 10, "expected a value in the list, found ')'", 1),
    ("a.b in (,x)", 8, "expected a value in the list, found ','", 1),
    ("a.b in (x,,y)", 10, "expected a value in the list, found ','", 1),
    ("a.b in (x y)", 10, "expected ',' or ')' in the list, found 'y'", 1),
    ("a.b in ((x))", 8, "expected a value in the list, found '('", 1),
    ("a.b in (x, 'y)", 11, "this quoted string never ends", 1),
    ("a.b in (val(c.d))", 11, "expected ',' or ')' in the list, found '('", 1),
    ("a.b = anyof (x", 12, "this '(' is never closed", 1),
    ("a.b[", 4, f"expected an argument for the field, bare or in quotes, found {END}", 1),
    ("a.b[]", 4, "expected an argument for the field, bare or in quotes, found ']'", 1),
    ("a.b['x]", 4, "expected an argument for the field, bare or in quotes, found ''x]'", 1),
    ("a.b[x", 3, "this '[' is never closed", 1),
    ("a.b[x y]", 5, "expected ']' after the field's argument, found ' '", 1),
    ("a.b = val(", 10, f"expected a field inside val(...), found {END}", 1),
    ("a.b = val(c)", 10, "expected a field inside val(...), found 'c'", 1),
    ("a.b = val(len(c.d))", 10, "expected a field inside val(...), found 'len'", 1),
    ("a.b = val(c.d", 9, "this '(' is never closed", 1),
    ("a.b = val(c.d)[1]", 14, "val(...) takes no argument in brackets; the field inside it may", 1),
    ("a.b = val(c.d, e.f)", 13, "expected ',' or ')' in val(...), found ','", 1),
    (
        "tolower()",
        8,
        "expected an argument: a field, a transformer, a quoted string, a number or a list, found ')'",
        1,
    ),
    (
        "tolower(x) = y",
        8,
        "expected an argument: a field, a transformer, a quoted string, a number or a list, found 'x'",
        1,
    ),
    (
        "join(',', (a)) = x",
        11,
        "expected a list item: a field, a transformer, a quoted string or a number, found 'a'",
        1,
    ),
    ("join(',', (1 2)) = x", 13, "expected ',' or ')' in the list, found '2'", 1),
    ("concat('a' 'b') = x", 11, "expected ',' or ')' in the transformer's arguments, found ''b''", 1),
    ("len(a.b", 3, "this '(' is never closed", 1),
    ("len(a.b, c.d", 3, "this '(' is never closed", 1),
]


@pytest.mark.parametrize(("text", "at", "message", "carets"), CASES)
def test_a_fault_is_shown_where_it_is(text: str, at: int, message: str, carets: int) -> None:
    shown = fault(text).split("\n")
    assert shown[0] == f"<condition>:1:{at + 1}: error: {message} [LOAD_ERR_COMPILE_CONDITION]"
    assert shown[1:] == [f"  1 | {text}".replace("\v", "?"), f"    | {' ' * at}{'^' * carets}"]


OPERATORS = (
    "the operators are: exists, <=, <, >=, >, ==, =, !=, glob, iglob, contains, icontains, bcontains, "
    "startswith, bstartswith, endswith, regex, intersects, in, pmatch"
)


@pytest.mark.parametrize(
    ("text", "found", "carets", "help"),
    [
        ("a.b", END, 1, OPERATORS),
        ("a.b glob", "'glob'", 4, "'glob' needs a blank behind it"),
        ("a.b contain x", "'contain'", 7, "did you mean 'contains'?"),
        ("a.b EndsWith x", "'EndsWith'", 8, "did you mean 'endswith'?"),
        ("a.b ~ x", "'~'", 1, OPERATORS),
        ("a.b and c", "'and'", 3, OPERATORS),
    ],
)
def test_a_missing_operator_is_helped_out(text: str, found: str, carets: int, help: str) -> None:
    at = min(len(text), 4) if found != END else 3
    message = f"expected an operator after 'a.b', found {found}"
    assert fault(text) == "\n".join(
        [
            f"<condition>:1:{at + 1}: error: {message} [LOAD_ERR_COMPILE_CONDITION]",
            f"  1 | {text}",
            f"    | {' ' * at}{'^' * carets}",
            f"  help: {help}",
        ]
    )


def test_a_fault_behind_a_transformer_names_it() -> None:
    assert "expected an operator after 'len(...)', found 'a'" in fault("len(a.b) a")


def test_lines_and_columns_count_from_one() -> None:
    assert fault("a\n  and b\n  or c d\n  or e") == "\n".join(
        [
            "<condition>:3:8: error: expected 'and' or 'or', found 'd' [LOAD_ERR_COMPILE_CONDITION]",
            "  3 |   or c d",
            "    |        ^",
        ]
    )


def test_a_fault_is_data() -> None:
    text = Text.whole(Source("rules.yaml", "proc.name = 'x"))
    with pytest.raises(ConditionError) as raised:
        parse(text)
    (found,) = raised.value.diagnostics
    assert (found.code, found.phase, found.span) == (Code.COMPILE_CONDITION, Phase.PARSE, (12, 13))
    assert found.place is not None
    assert found.place.source.name == "rules.yaml"
    assert found.place.span == Span(12, 13)
    assert str(found) == "rules.yaml:1:13: LOAD_ERR_COMPILE_CONDITION: this quoted string never ends"
