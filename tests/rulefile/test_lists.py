from __future__ import annotations

import pytest

from refengine.rulefile.definitions import ListDefinition
from refengine.rulefile.lists import ListTable
from refengine.source import Span, Text
from tests.rulefile.loading import codes, compiled, loaded, rule, shown, valid


def table(**lists: str) -> ListTable:
    """Return the lists with these items (between commas), defined in this order."""
    definitions = {}
    for number, (name, items) in enumerate(lists.items()):
        texts = tuple(Text.of(item) for item in items.split(",") if item)
        definitions[name] = ListDefinition(name, texts, (), number, number)
    return ListTable(definitions)


@pytest.mark.parametrize(
    ("condition", "result"),
    [
        ("a.b in (l)", "a.b in ( x, y )"),
        ("a.b in ( l )", "a.b in ( x, y )"),
        ("a.b in (z,l,w)", "a.b in (z, x, y ,w)"),
        ("a.b=l", "a.b= x, y "),
        ("a.b = 'has l inside'", "a.b = 'has x, y inside'"),
        ("a.b = 'l'", "a.b = 'l'"),
        ("a.b in (ll, l.l, l-l)", "a.b in (ll, l.l, l-l)"),
        ("l", "x, y "),
        ("(l l)", "( x, y x, y )"),
        ("(l,l)", "( x, y , x, y )"),
        ("a.b in\n(l)", "a.b in\n( x, y )"),
        ("(\n  l\n)", "( x, y )"),
    ],
)
def test_a_name_by_itself_is_replaced_anywhere(condition: str, result: str) -> None:
    assert table(l="x,y").substitute(Text.of(condition)).value == result


@pytest.mark.parametrize(
    ("condition", "result"),
    [
        ("a.b in (l)", "a.b in (  )"),
        ("a.b in (z, l)", "a.b in (z  )"),
        ("a.b in (l, z)", "a.b in (   z)"),
        ("a.b in (z, l, w)", "a.b in (z  , w)"),
    ],
)
def test_a_list_of_nothing_takes_a_comma_with_it(condition: str, result: str) -> None:
    assert table(l="").substitute(Text.of(condition)).value == result


def test_lists_are_put_in_in_the_order_of_definition() -> None:
    later = table(a="b", b="c")
    assert later.substitute(Text.of("(a)")).value == "( c )"
    assert later.used == {"a", "b"}


def test_a_list_in_a_list_is_expanded_by_one_level() -> None:
    lists = table(a="x", b="a,y", c="b")
    assert lists.items("b") == ("x", "y")
    assert lists.items("c") == ("a", "y")
    assert lists.substitute(Text.of("(c)")).value == "( a, y )"
    assert lists.used == {"a", "b", "c"}


def test_a_redefined_list_sees_what_was_defined_in_between() -> None:
    text = "- {list: a, items: [x]}\n- {list: b, items: [y]}\n- {list: a, items: [b], append: true}\n"
    assert compiled(text + rule("proc.name in (a)")) == "proc.name in (x, y)"


def test_items_with_blanks_get_quotes_unless_they_have_some() -> None:
    assert table(l="x y,'z w',v").substitute(Text.of("(l)")).value == "( \"x y\", 'z w', v )"


def test_an_undefined_list_is_its_own_name() -> None:
    assert compiled(rule("proc.name in nothing")) == "proc.name in nothing"


def test_each_part_keeps_its_place() -> None:
    text = table(l="x,y").substitute(Text.of("a.b in (l) and c.d = e"))
    item, after = text.value.index("y"), text.value.index("c.d")
    assert text.place(Span(item, item + 1)).span == Span(8, 9)
    assert text.place(Span(after, after + 3)).span == Span(15, 18)


def test_a_fault_in_an_item_names_the_list() -> None:
    (error,) = loaded("- {list: l, items: [1, x]}\n" + rule("evt.num in (l)")).errors
    assert shown(error) == "7:26 l"
    assert error.notes[0].place is not None
    assert str(error.notes[0].place) == "1.yaml:1:3"


def test_long_chains_of_lists_still_know_where_they_come_from() -> None:
    lines = [f"- {{list: l{n}, items: [l{n - 1}]}}\n" for n in range(700, 0, -1)]
    (error,) = loaded("".join(lines) + rule("proc.name in (l700) and evt.num = x")).errors
    assert shown(error).endswith(" x")


def test_lists_of_lists_are_bounded() -> None:
    lines = [f"- {{list: l{n}, items: [{', '.join([f'l{n - 1}'] * 10)}]}}\n" for n in range(30, 0, -1)]
    (error,) = loaded("".join(lines) + rule("proc.name in (l30)")).errors
    assert error.code.value == "LOAD_ERR_VALIDATE"
    assert "longer than" in error.message


def test_unused_lists_are_warned_of() -> None:
    text = "- {list: a, items: [x]}\n- {list: b, items: [a]}\n- {list: c, items: []}\n"
    result = valid(text + rule("proc.name in (b)"))
    assert codes(result) == ["LOAD_UNUSED_LIST"]
    assert "'c'" in result.diagnostics[0].message
