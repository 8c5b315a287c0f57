"""Text that is compared byte by byte."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from refengine.condition.bytewise import byte_text, from_bytes, has_loose_bytes, lower, to_bytes, upper
from refengine.condition.operators import OPERATORS

BYTES = st.lists(st.sampled_from([b"a", b"A", b"\xc3", b"\xa9", b"\xf0", b"\x9f", b"\xff", b"z"]), max_size=6).map(
    b"".join
)  # fmt: skip


@given(st.binary(max_size=12))
def test_nothing_is_lost(data: bytes) -> None:
    assert to_bytes(from_bytes(data)) == data
    assert byte_text(from_bytes(data)) == data.decode("latin-1")


@given(BYTES)
def test_letters_change_case_one_byte_at_a_time(data: bytes) -> None:
    assert to_bytes(lower(from_bytes(data))) == data.lower()
    assert to_bytes(upper(from_bytes(data))) == data.upper()


def test_loose_bytes_are_those_outside_of_characters() -> None:
    assert not has_loose_bytes("abc é 🦀")
    assert has_loose_bytes("a\udcc3")


@given(BYTES, BYTES)
def test_operators_say_of_text_what_they_say_of_bytes(left: bytes, right: bytes) -> None:
    expected = {
        "=": left == right,
        "!=": left != right,
        "<": left < right,
        "<=": left <= right,
        ">": left > right,
        ">=": left >= right,
        "contains": right in left,
        "icontains": right.lower() in left.lower(),
        "startswith": left.startswith(right),
        "endswith": left.endswith(right),
        "in": left == right,
    }
    for operator, verdict in expected.items():
        assert OPERATORS[operator](from_bytes(left), from_bytes(right)) is verdict, operator
