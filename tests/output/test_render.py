from __future__ import annotations

import math

import pytest

from refengine.output.render import JsonValue, buffer_base64, json_writer, text_writer
from refengine.values import Format, Value, ValueType

CASES: list[tuple[ValueType, Format, Value, str, JsonValue]] = [
    (ValueType.CHARBUF, Format.NA, "bash", "bash", "bash"),
    (ValueType.CHARBUF, Format.NA, "a\0b", "a", "a"),
    (ValueType.CHARBUF, Format.NA, "a\udcff", "a\udcff", "a\ufffd"),
    (ValueType.INT64, Format.DEC, -5, "-5", -5),
    (ValueType.UINT64, Format.DEC, 18446744073709551615, "18446744073709551615", 18446744073709551615),
    (ValueType.INT32, Format.HEX, 0xCAFE, "CAFE", "CAFE"),
    (ValueType.INT32, Format.HEX, -1, "FFFFFFFF", "FFFFFFFF"),
    (ValueType.INT64, Format.HEX, -1, "F" * 16, "F" * 16),
    (ValueType.UINT32, Format.OCT, 0o644, "644", "644"),
    (ValueType.RELTIME, Format.PADDED_DEC, 42, "000000042", 42),
    (ValueType.ABSTIME, Format.PADDED_DEC, 1234567890123, "1234567890123", 1234567890123),
    (ValueType.PORT, Format.DEC, 65535, "65535", 65535),
    (ValueType.BOOL, Format.NA, True, "true", True),
    (ValueType.BOOL, Format.NA, 0, "false", False),
    (ValueType.DOUBLE, Format.NA, 0.25, "0.2", 0.25),
    (ValueType.DOUBLE, Format.NA, math.nan, "nan", None),
    (ValueType.IPADDR, Format.NA, b"\x0a\x00\x00\x01", "10.0.0.1", "10.0.0.1"),
    (ValueType.IPADDR, Format.NA, bytes(15) + b"\x01", "::1", "::1"),
    (ValueType.BYTEBUF, Format.NA, b"\x7fELF\n ok\xff", ".ELF. ok.", ".ELF. ok."),
    (ValueType.DYN, Format.NA, 7, "7", 7),
]


@pytest.mark.parametrize(("type", "format", "value", "text", "json"), CASES)
def test_a_value_is_written_by_its_type_and_format(
    type: ValueType, format: Format, value: Value, text: str, json: JsonValue
) -> None:
    assert text_writer(type, format)(value) == text
    assert json_writer(type, format)(value) == json


def test_a_list_stands_in_parentheses_without_blanks() -> None:
    write = text_writer(ValueType.CHARBUF, Format.NA, is_list=True)
    assert write(("file", "ipv4", "a")) == "(file,ipv4,a)"
    assert write(("one",)) == "(one)"


def test_a_list_is_cut_at_1023_characters() -> None:
    write = text_writer(ValueType.CHARBUF, Format.NA, is_list=True)
    assert write(("x" * 600, "y" * 600)) == f"({'x' * 600},{'y' * 421}"


def test_a_list_is_an_array_in_json() -> None:
    write = json_writer(ValueType.IPADDR, Format.NA, is_list=True)
    assert write((b"\x7f\x00\x00\x01", bytes(16))) == ["127.0.0.1", "::"]
    assert json_writer(ValueType.UINT64, Format.DEC, is_list=True)((1, 2)) == [1, 2]


def test_buffers_can_be_base64_and_addresses_still_are_not() -> None:
    assert text_writer(ValueType.BYTEBUF, Format.NA, buffers=buffer_base64)(b"\0\1") == "AAE="
    assert json_writer(ValueType.BYTEBUF, Format.NA, buffers=buffer_base64)(b"\0\1") == "AAE="
    assert text_writer(ValueType.IPADDR, Format.NA, buffers=buffer_base64)(b"\1\2\3\4") == "1.2.3.4"
