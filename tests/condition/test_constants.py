"""What the text of a right-hand value means, by the type on the left and the operator."""

from __future__ import annotations

import pytest

from refengine.condition.constants import ConstantError, check_event_name, parse_constant
from refengine.condition.glob import Glob
from refengine.condition.networks import Network
from refengine.condition.regex import Regex
from refengine.condition.types import INTEGER_BITS
from refengine.values import Value, ValueType

NUMBERS = [
    (ValueType.INT8, "127", 127),
    (ValueType.INT8, "128", -128),
    (ValueType.INT8, "300", 44),
    (ValueType.INT8, "-129", 127),
    (ValueType.UINT8, "300", 44),
    (ValueType.UINT8, "-1", 255),
    (ValueType.INT16, "32768", -32768),
    (ValueType.UINT16, "65536", 0),
    (ValueType.INT32, "2147483648", -(1 << 31)),
    (ValueType.UINT32, "-1", (1 << 32) - 1),
    (ValueType.UINT32, "4294967297", 1),
    (ValueType.INT64, "9223372036854775807", (1 << 63) - 1),
    (ValueType.INT64, "99999999999999999999", (1 << 63) - 1),
    (ValueType.INT64, "-99999999999999999999", -(1 << 63)),
    (ValueType.UINT64, "18446744073709551615", (1 << 64) - 1),
    (ValueType.UINT64, "99999999999999999999", (1 << 64) - 1),
    (ValueType.UINT64, "-1", (1 << 64) - 1),
    (ValueType.PID, "-1", -1),
    (ValueType.FD, "+7", 7),
    (ValueType.INT32, " \t\n7", 7),
    (ValueType.INT32, "007", 7),
    (ValueType.RELTIME, "1000000000", 1_000_000_000),
    (ValueType.DOUBLE, "-3", -3),
    (ValueType.MODE, "420", 420),
    (ValueType.PORT, "", 0),
    (ValueType.PORT, "443", 443),
    (ValueType.PORT, "65537", 1),
    (ValueType.PORT, "http", 80),
]


@pytest.mark.parametrize(("type", "text", "value"), NUMBERS)
def test_numbers_wrap_at_the_width_of_their_type(type: ValueType, text: str, value: int) -> None:
    assert parse_constant(text, type, "=") == value


@pytest.mark.parametrize("type", sorted({*INTEGER_BITS} - {ValueType.PORT}))
@pytest.mark.parametrize("text", ["", "x", "1x", "1.5", "1e+3", "7 ", "--1", "+", "٣", "1_0"])
def test_other_texts_are_no_numbers(type: ValueType, text: str) -> None:
    with pytest.raises(ConstantError, match="is not a whole number"):
        parse_constant(text, type, "=")


def test_hexadecimal_numbers_are_explained() -> None:
    with pytest.raises(ConstantError) as raised:
        parse_constant("0x1F", ValueType.INT64, "=")
    assert raised.value.suggestion == "write it in decimal: 31"
    with pytest.raises(ConstantError):
        parse_constant("1.5", ValueType.DOUBLE, "=")


OTHERS: list[tuple[ValueType, str, Value]] = [
    (ValueType.BOOL, "true", True),
    (ValueType.BOOL, "false", False),
    (ValueType.CHARBUF, "", ""),
    (ValueType.FSPATH, "/etc", "/etc"),
    (ValueType.BYTEBUF, "é", b"\xc3\xa9"),
    (ValueType.BYTEBUF, "a\0b", b"a\0b"),
    (ValueType.IPADDR, "127.0.0.1", b"\x7f\0\0\1"),
    (ValueType.IPADDR, "::1", bytes(15) + b"\1"),
    (ValueType.IPV4ADDR, "10.0.0.1", b"\x0a\0\0\1"),
]


@pytest.mark.parametrize(("type", "text", "value"), OTHERS)
def test_values_of_other_types(type: ValueType, text: str, value: Value) -> None:
    found = parse_constant(text, type, "=")
    assert found == value
    assert type is not ValueType.BOOL or isinstance(found, bool)


REFUSED = [
    (ValueType.BOOL, "=", "True", "'True' is not a boolean: write true or false"),
    (ValueType.BOOL, "=", "1", "'1' is not a boolean: write true or false"),
    (
        ValueType.PORT,
        "=",
        "no-such-service",
        "'no-such-service' is neither a port number nor the name of a service",
    ),
    (ValueType.PORT, "=", "-1", "'-1' is neither a port number nor the name of a service"),
    (ValueType.PORT, "=", "a\0b", "'a\0b' is neither a port number nor the name of a service"),
    (ValueType.CHARBUF, "=", "a\0b", "a value of text cannot have a NUL byte in it"),
    (
        ValueType.CHARBUF,
        "=",
        "x" * 256,
        "a value of 256 bytes is too long: constants have 255 bytes at most",
    ),
    (
        ValueType.CHARBUF,
        "=",
        "é" * 128,
        "a value of 256 bytes is too long: constants have 255 bytes at most",
    ),
    (
        ValueType.BYTEBUF,
        "=",
        "x" * 256,
        "a value of 256 bytes is too long: constants have 255 bytes at most",
    ),
    (ValueType.CHARBUF, "regex", "(", "invalid regular expression '(': this '(' is never closed"),
    (
        ValueType.BYTEBUF,
        "bcontains",
        "abc",
        "'bcontains' takes bytes as pairs of hexadecimal digits, not 'abc'",
    ),
    (
        ValueType.BYTEBUF,
        "bstartswith",
        "zz",
        "'bstartswith' takes bytes as pairs of hexadecimal digits, not 'zz'",
    ),
    (ValueType.IPADDR, "=", "1.2.3", "'1.2.3' is not an IPv4 address"),
    (ValueType.IPADDR, "=", "01.2.3.4", "'01.2.3.4' is not an IPv4 address"),
    (ValueType.IPADDR, "=", "servers", "'servers' is not an IPv6 address"),
    (ValueType.IPADDR, "=", "::ffff:1.2.3.4", "'::ffff:1.2.3.4' is not an IPv4 address"),
    (ValueType.IPADDR, "=", "", "'' is not an IPv6 address"),
    (ValueType.IPNET, "=", "10.0.0.0", "'10.0.0.0' is not a network: it needs a prefix length, as in 10.0.0.0/24"),
    (ValueType.IPNET, "=", "10.0.0.0/33", "'33' is not a prefix length from 0 to 32"),
    (ValueType.IPNET, "=", "::/0", "'0' is not a prefix length from 1 to 128"),
    (ValueType.IPNET, "=", "::/129", "'129' is not a prefix length from 1 to 128"),
    (ValueType.IPNET, "=", "10.0.0.0/", "'' is not a prefix length from 0 to 32"),
    (ValueType.IPNET, "=", "x/8", "'x' is not an IPv6 address"),
    (ValueType.UID, "=", "0", "values of type uid cannot be compared with a constant"),
]  # fmt: skip


@pytest.mark.parametrize(("type", "operator", "text", "message"), REFUSED)
def test_values_that_mean_nothing_are_refused(
    type: ValueType, operator: str, text: str, message: str
) -> None:
    with pytest.raises(ConstantError) as raised:
        parse_constant(text, type, operator)
    assert str(raised.value) == message


def test_a_text_may_have_255_bytes() -> None:
    assert parse_constant("x" * 255, ValueType.CHARBUF, "=") == "x" * 255
    assert parse_constant("é" * 127, ValueType.CHARBUF, "=") == "é" * 127


def test_patterns_and_hexadecimal_bytes_are_prepared() -> None:
    assert isinstance(parse_constant("a*", ValueType.CHARBUF, "glob"), Glob)
    folding = parse_constant("a*", ValueType.FSPATH, "iglob")
    assert isinstance(folding, Glob)
    assert folding.folding
    assert isinstance(parse_constant("a.*", ValueType.CHARBUF, "regex"), Regex)
    assert parse_constant("7f454C46", ValueType.BYTEBUF, "bstartswith") == b"\x7fELF"
    assert parse_constant("", ValueType.BYTEBUF, "bcontains") == b""
    assert parse_constant("7f45", ValueType.BYTEBUF, "contains") == b"7f45"


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("10.1.0.0/16", ["10.1.0.0", "10.1.255.255"], ["10.2.0.0", "9.1.0.0", "::1"]),
        ("10.1.2.3/16", ["10.1.0.0"], ["10.2.2.3"]),
        ("0.0.0.0/0", ["255.255.255.255"], ["::"]),
        ("1.2.3.4/32", ["1.2.3.4"], ["1.2.3.5"]),
        ("10.0.0.0/9", ["10.127.0.1"], ["10.128.0.1"]),
        ("fe80::/10", ["febf::1", "fe80::"], ["fec0::", "1.2.3.4"]),
        ("::1/128", ["::1"], ["::2"]),
    ],
)
def test_networks_hold_the_addresses_with_their_prefix(
    text: str, inside: list[str], outside: list[str]
) -> None:
    network = parse_constant(text, ValueType.IPNET, "=")
    assert isinstance(network, Network)
    for address in inside + outside:
        packed = parse_constant(address, ValueType.IPADDR, "=")
        assert isinstance(packed, bytes)
        assert network.contains(packed) is (address in inside), address


def test_event_names_are_those_of_the_tables() -> None:
    for name in ("openat", "execve", "procexit", "getpid", ""):
        check_event_name(name)
    with pytest.raises(ConstantError) as raised:
        check_event_name("opennat")
    assert (str(raised.value), raised.value.suggestion) == (
        "unknown event type 'opennat'",
        "did you mean 'openat'?",
    )
