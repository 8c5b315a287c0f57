"""Conditions that are long, deep or broken at their far end are judged quickly and cleanly."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

import pytest

from refengine.condition.nodes import And, Not, Or
from refengine.condition.operand_parser import DEPTH_LIMIT, DESCRIBE_DEPTH_LIMIT
from refengine.condition.parser import parse
from refengine.condition.printer import print_condition
from refengine.errors import ConditionError
from tests.condition.evaluate import fault, holds

LONG = 100_000


@pytest.fixture(autouse=True)
def quickly() -> Iterator[None]:
    before = sys.getrecursionlimit()
    start = time.thread_time()
    yield
    assert time.thread_time() - start < 5
    assert sys.getrecursionlimit() == before


def nested(depth: int, inner: str, opening: str = "(") -> str:
    return opening * depth + inner + ")" * depth


@pytest.mark.parametrize(
    ("opening", "inner", "limit", "deepest"),
    [
        ("(", "a", DEPTH_LIMIT, 199),
        ("(", "a.b = c", DEPTH_LIMIT, 198),
        ("(", "a.b exists", DEPTH_LIMIT, 198),
        ("a and(", "a", DEPTH_LIMIT, 331),
        ("(", "a", DESCRIBE_DEPTH_LIMIT, 19),
        ("(", "a.b = c", DESCRIBE_DEPTH_LIMIT, 18),
        ("a and(", "a", DESCRIBE_DEPTH_LIMIT, 31),
    ],
)
def test_nesting_ends_where_the_language_says(opening: str, inner: str, limit: int, deepest: int) -> None:
    parse(nested(deepest, inner, opening), depth_limit=limit)
    with pytest.raises(ConditionError, match=f"nests deeper than {limit} levels"):
        parse(nested(deepest + 1, inner, opening), depth_limit=limit)


def test_the_place_of_too_deep_a_nesting_is_shown() -> None:
    (found, *_) = fault(nested(200, "a")).split("\n")
    assert found == (
        "<condition>:1:201: error: the condition nests deeper than 1000 levels [LOAD_ERR_COMPILE_CONDITION]"
    )


@pytest.mark.parametrize("opening", ["(", "not(", "a and(", "a or(", "tolower(", "join('',("])
def test_ten_thousand_levels_are_refused(opening: str) -> None:
    assert "nests deeper than 1000 levels" in fault(opening * 10_000)


def test_a_deep_condition_is_evaluated_as_any_other() -> None:
    deep = nested(198, "proc.name = cat", "not(")
    assert holds(deep, {"proc.name": "cat"})
    assert not holds(deep, {"proc.name": "dog"})
    wide = nested(330, "proc.name = cat", "proc.pid = 1 and(")
    assert holds(wide, {"proc.name": "cat", "proc.pid": 1})
    assert not holds(wide, {"proc.name": "dog", "proc.pid": 1})


def test_nesting_of_transformers_counts_too() -> None:
    assert fault(f"{nested(90, 'proc.name', 'tolower(')} = cat") == ""
    assert "nests deeper" in fault(f"{nested(1000, 'proc.name', 'tolower(')} = cat")


def test_long_conditions_parse() -> None:
    many = " or ".join(["proc.name = cat"] * (LONG // 19))
    tree = parse(many)
    assert isinstance(tree, Or)
    assert len(tree.children) == LONG // 19
    assert parse(print_condition(tree)) == tree
    assert isinstance(parse(" and ".join(["a"] * (LONG // 6))), And)
    negated = parse("not " * (LONG // 4 + 1) + "a")
    assert isinstance(negated, Not)
    for text in (f"a.b in ({', '.join(['x'] * (LONG // 3))})", "a" * LONG, f"a{' ' * LONG}and b"):
        assert parse(text).span.end == len(text)


@pytest.mark.parametrize(
    "text",
    [
        f"a.b = '{'x' * LONG}",
        "a.b = '" + "\\'" * (LONG // 2),
        f"a.b in ({'x,' * (LONG // 2)}",
        "a and " * (LONG // 6),
        "not " * (LONG // 4),
        " " * LONG,
        f"{'a.' * (LONG // 2)}",
        f"a.b[{'x' * LONG}",
        f"a.b = {'x' * LONG}(",
        "'" * LONG,
        "\0" * LONG,
        ")" * LONG,
    ],
)
def test_long_faults_are_short_to_read(text: str) -> None:
    shown = fault(text)
    assert shown.startswith("<condition>:1:")
    assert len(shown) < 1000
