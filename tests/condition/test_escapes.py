"""Escapes of quoted strings, read and written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refengine.condition.escapes import EscapeError, quoted_if_needed, unescape
from refengine.condition.scanner import Scanner
from refengine.source import Text

READ = [
    ("abc", "abc"),
    ("", ""),
    ("\\b\\f\\n\\r\\t\\\\\\/", "\b\f\n\r\t\\/"),
    ('\\"', '"'),
    ("a\\ b", "a\\b"),  # a backslash before a blank stands for itself, in place of the blank
    ("\\x41", "A"),
    ("\\x00", "\0"),
    ("\\xc3\\xa9", "é"),
    ("\\xff", "\udcff"),
    ("a\\xC3x", "a\udcc3x"),
    ("é\\x41\\n", "éA\n"),
]


@pytest.mark.parametrize(("body", "value"), READ)
def test_escapes_are_read(body: str, value: str) -> None:
    assert unescape(body, '"') == value


def test_each_quote_may_be_escaped_between_its_own() -> None:
    assert unescape("it\\'s", "'") == "it's"
    assert unescape('say \\"a\\"', '"') == 'say "a"'


@pytest.mark.parametrize(
    ("body", "quote", "message", "offset", "length"),
    [
        ("ab\\q", '"', "unknown escape \\q", 2, 2),
        ("\\u0041", '"', "unknown escape \\u", 0, 2),
        ("\\0", '"', "unknown escape \\0", 0, 2),
        ("\\\n", '"', "unknown escape \\\n", 0, 2),
        ("\\'", '"', "\\' is an escape only between ' quotes", 0, 2),
        ('\\"', "'", '\\" is an escape only between " quotes', 0, 2),
        ("a\\x4", '"', "truncated \\x escape: two hexadecimal digits are needed", 1, 3),
        ("a\\x", '"', "truncated \\x escape: two hexadecimal digits are needed", 1, 2),
        ("\\xzz", '"', "invalid \\x escape: 'zz' are not two hexadecimal digits", 0, 4),
        ("\\x 4", '"', "invalid \\x escape: ' 4' are not two hexadecimal digits", 0, 4),
        ("\\x+4", '"', "invalid \\x escape: '+4' are not two hexadecimal digits", 0, 4),
        ("\\x٣٣", '"', "invalid \\x escape: '٣٣' are not two hexadecimal digits", 0, 4),
        ("a\\", '"', "a backslash at the end escapes nothing", 1, 1),
    ],
)
def test_other_escapes_are_faults(body: str, quote: str, message: str, offset: int, length: int) -> None:
    with pytest.raises(EscapeError) as raised:
        unescape(body, quote)
    fault = raised.value
    assert (fault.message, fault.offset, fault.length) == (message, offset, length)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("abc", "abc"),
        ("/etc/*", "/etc/*"),
        ("", '""'),
        ("a b", '"a b"'),
        ("a=b", '"a=b"'),
        ("it's", '"it\'s"'),
        ('a"b', '"a\\"b"'),
        ("a\\b", '"a\\\\b"'),
        ("a\\", '"a\\x5c"'),
        ("a\\\\", '"a\\\\\\x5c"'),
        ("a\nb", '"a\\nb"'),
        ("a,b", '"a,b"'),
        ("(a)", '"(a)"'),
        ("\0", '"\\x00"'),
    ],
)
def test_values_are_quoted_where_they_must(value: str, text: str) -> None:
    assert quoted_if_needed(value) == text


@given(st.text(alphabet=st.sampled_from("ab \b\f\n\r\t\v\\\"'=(),/\0é\udcff[]")))
def test_what_is_written_reads_back(value: str) -> None:
    text = quoted_if_needed(value)
    if text.startswith('"'):
        assert Scanner(Text.of(text)).take_quoted() == ('"', text[1:-1])
        assert unescape(text[1:-1], '"') == value
    else:
        assert text == value
