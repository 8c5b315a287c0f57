"""Equal conditions are one object, and alternatives about one value are one comparison."""

from __future__ import annotations

import pytest

from refengine.condition.intern import Interner
from refengine.condition.merge import merged
from refengine.condition.typed import AllOf, AnyOf, Condition, Negation
from refengine.condition.typed import Test as Comparison
from tests.condition.evaluate import typed


def shape(condition: Condition) -> object:
    """Return a condition in a form that can be compared."""
    if isinstance(condition, AllOf | AnyOf):
        return [type(condition).__name__, *map(shape, condition.children)]
    if isinstance(condition, Negation):
        return ["not", shape(condition.child)]
    assert isinstance(condition, Comparison)
    modifier = "" if condition.modifier is None else f" {condition.modifier.value}"
    right = condition.right if isinstance(condition.right, tuple) else "a field"
    return (f"{condition.left.key} {condition.operator}{modifier}", right)


NAME = "proc.name in"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("proc.name = a or proc.name in (b, c)", (NAME, ("a", "b", "c"))),
        ("proc.name = a or proc.name = a", (NAME, ("a",))),
        (
            "proc.name = a or proc.pid = 1 or proc.name == b",
            ["AnyOf", (NAME, ("a", "b")), ("proc.pid =", (1,))],
        ),
        (
            "proc.name startswith a or proc.name startswith anyof (b, c)",
            ("proc.name startswith anyof", ("a", "b", "c")),
        ),
        ("not proc.name = a and not proc.name = b", ["not", (NAME, ("a", "b"))]),
        ("tolower(proc.name) = a or tolower(proc.name) = b", ("tolower(proc.name) in", ("a", "b"))),
    ],
)
def test_alternatives_merge(text: str, expected: object) -> None:
    condition = typed(text)
    assert isinstance(condition, AllOf | AnyOf)
    assert shape(merged(condition)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "proc.name = a and proc.name = b",
        "proc.name != a or proc.name != b",
        "not proc.name = a or not proc.name = b",
        "proc.name = a or proc.pname = b",
        "proc.name = a or proc.name startswith b",
        "proc.name = oneof (a, b) or proc.name = c",
        "proc.name startswith allof (a, b) or proc.name startswith c",
        "proc.name = val(proc.pname) or proc.name = c",
        "proc.name contains a or proc.name contains b",
        "fd.port = 1 or fd.port = 2",
        "proc.aname = a or proc.aname = b",
        "fd.types in (a) or fd.types in (b)",
        "fd.cnet = 10.0.0.0/8 or fd.cnet = 11.0.0.0/8",
        "proc.name in () or proc.name in ()",
    ],
)
def test_what_means_something_else_together_stays_apart(text: str) -> None:
    condition = typed(text)
    assert isinstance(condition, AllOf | AnyOf)
    assert merged(condition) is condition


SAME = [
    ("proc.name = a", "proc.name = 'a'"),
    ("proc.name exists", "proc.name exists"),
    ("proc.name in (a, b)", "proc.name in ('a','b')"),
    ("proc.name regex 'a.*'", "proc.name regex 'a.*'"),
    ("proc.name pmatch (/a)", "proc.name pmatch (/a)"),
    ("tolower( proc.name ) = val( proc.pname )", "tolower(proc.name) = val(proc.pname)"),
]
DIFFERENT = [
    ("proc.name = a", "proc.name == a"),
    ("proc.name = a", "proc.pname = a"),
    ("proc.name = a", "proc.name = anyof (a)"),
    ("proc.name glob 'a*'", "proc.name iglob 'a*'"),
    ("proc.name in (a, b)", "proc.name in (b, a)"),
    ("proc.name exists", "proc.pname exists"),
    ("proc.name = proc.pname", "proc.name = val(proc.pname)"),
    ("evt.is_open_read = true", "evt.is_open_read = false"),
    ("fd.cnet = 10.0.0.0/8", "fd.cnet = 10.0.0.0/9"),
]


@pytest.mark.parametrize(
    ("one", "other", "same"), [(*pair, True) for pair in SAME] + [(*pair, False) for pair in DIFFERENT]
)
def test_equal_conditions_are_found(one: str, other: str, same: bool) -> None:
    interner = Interner()
    first = interner.intern(typed(one))
    second = interner.intern(typed(other))
    assert (first is second) is same
    opposite = interner.intern(Negation(first))
    assert (interner.intern(Negation(second)) is opposite) is same
