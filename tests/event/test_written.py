"""Values of fields as JSON has them."""

from __future__ import annotations

from typing import Any

import pytest

from refengine.event.written import value_of, written_value


@pytest.mark.parametrize(
    ("json", "value"),
    [
        ("a", "a"),
        (1, 1),
        (True, True),
        ([1, ["a"]], (1, ("a",))),
        ({"bytes": "00ff"}, b"\x00\xff"),
        ({"text": "61ff"}, "a\udcff"),
        ({"int": "18446744073709551615"}, 2**64 - 1),
        ({"ip": "10.0.0.1"}, b"\x0a\x00\x00\x01"),
        ({"ip": "::1"}, bytes(15) + b"\x01"),
    ],
)
def test_json_stands_for_values(json: Any, value: object) -> None:
    assert value_of(json) == value


@pytest.mark.parametrize("json", [None, {}, {"what": "x"}, {"int": 1}, {"ip": "x"}, {"bytes": "0"}])
def test_other_values_are_refused(json: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        value_of(json)


@pytest.mark.parametrize("value", ["a", "\udcff", 1, True, b"\x00\xff", (1, ("a", b"x")), 2.5])
def test_values_survive_the_way_through_json(value: Any) -> None:
    assert value_of(written_value(value)) == value


def test_addresses_are_written_as_such_and_read_again() -> None:
    mapped = bytes(10) + b"\xff\xff\x0a\x00\x00\x01"
    addresses = (b"\x0a\x00\x00\x01", bytes(15) + b"\x01", mapped)
    written = written_value(addresses, is_address=True)
    assert written == [{"ip": "10.0.0.1"}, {"ip": "::1"}, {"ip": "::ffff:10.0.0.1"}]
    assert value_of(written) == addresses
