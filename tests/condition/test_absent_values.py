"""A comparison with an absent value is false, whatever the operator; `not` negates, `exists` asks."""

from __future__ import annotations

import pytest

from refengine.condition.vocabulary import LIST_OPERATORS, MODIFIERS, ORDER_OPERATORS, STRING_OPERATORS
from refengine.values import Value
from tests.condition.evaluate import holds

RIGHT = {
    **dict.fromkeys(ORDER_OPERATORS, "0"),
    **dict.fromkeys(STRING_OPERATORS, "x"),
    **dict.fromkeys(LIST_OPERATORS, "(x)"),
}
FIELD = {"bcontains": "evt.buffer", "bstartswith": "evt.buffer"}


@pytest.mark.parametrize("operator", sorted(RIGHT))
def test_every_operator_is_false_of_an_absent_field(operator: str) -> None:
    field = FIELD.get(operator, "proc.name")
    right = "00" if operator in FIELD else RIGHT[operator]
    test = f"{field} {operator} {right}"
    assert not holds(test, {})
    assert holds(f"not {test}", {})
    assert not holds(f"not not {test}", {})


@pytest.mark.parametrize("modifier", MODIFIERS)
@pytest.mark.parametrize("operator", ["=", "!=", "startswith", "glob"])
def test_modifiers_do_not_change_that(operator: str, modifier: str) -> None:
    assert not holds(f"proc.name {operator} {modifier} (x, y)", {})


@pytest.mark.parametrize(
    "field", ["proc.pid", "fd.cip", "fd.cnet", "evt.is_open_read", "fd.port", "evt.buffer"]
)
def test_unequal_is_false_of_an_absent_field_of_any_type(field: str) -> None:
    value = {"fd.cip": "::1", "fd.cnet": "::/1", "evt.is_open_read": "true"}.get(field, "7")
    assert not holds(f"{field} != {value}", {})
    assert holds(f"not {field} = {value}", {})


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("proc.name exists", {}, False),
        ("proc.name exists", {"proc.name": ""}, True),
        ("proc.pid exists", {"proc.pid": 0}, True),
        ("evt.is_open_read exists", {"evt.is_open_read": False}, True),
        ("not proc.name exists", {}, True),
        ("tolower(proc.name) exists", {}, False),
        ("b64(proc.name) exists", {"proc.name": "!"}, False),
        ("proc.name = val(proc.pname)", {"proc.name": "a"}, False),
        ("proc.name != val(proc.pname)", {"proc.name": "a"}, False),
        ("proc.name != val(proc.pname)", {"proc.pname": "a"}, False),
        ("proc.name = val(proc.pname)", {}, False),
        ("proc.name != b64(proc.pname)", {"proc.name": "a", "proc.pname": "!"}, False),
        ("concat(proc.name, proc.pname) = a", {"proc.name": "a"}, False),
        ("join(',', (proc.name, 'x')) = x", {}, False),
        ("proc.name = <NA>", {}, False),
        ("proc.name != <NA>", {}, False),
        ("evt.type = open", {}, False),
        ("evt.type != open", {}, False),
        ("not evt.type = open", {}, True),
        ("evt.type exists", {}, False),
        ("proc.name != a or proc.pname = b", {"proc.pname": "b"}, True),
        ("proc.name != a and proc.pname = b", {"proc.pname": "b"}, False),
        ("not (proc.name = a or proc.name != a)", {}, True),
    ],
)  # fmt: skip
def test_absent_values(text: str, values: dict[str, Value], expected: bool) -> None:
    assert holds(text, values) is expected
