"""Tokens: what may stand at a place of a condition."""

from __future__ import annotations

import re

import pytest

from refengine.condition.scanner import (
    BARE_STRING,
    FIELD_ARGUMENT,
    FIELD_NAME,
    HEX_NUMBER,
    IDENTIFIER,
    NOT,
    NUMBER,
    Scanner,
)
from refengine.source import Span, Text

TOKENS: list[tuple[re.Pattern[str], str, str | None]] = [
    (IDENTIFIER, "open_read1 x", "open_read1"),
    (IDENTIFIER, "_x", None),
    (IDENTIFIER, "1x", None),
    (IDENTIFIER, "éx", None),
    (IDENTIFIER, "a-b", "a"),
    (FIELD_NAME, "proc.name=", "proc.name"),
    (FIELD_NAME, "a.b.c.1", "a.b.c"),
    (FIELD_NAME, "proc", None),
    (FIELD_NAME, "proc.", None),
    (FIELD_NAME, "proc.1", None),
    (FIELD_NAME, "proc._x", None),
    (FIELD_ARGUMENT, "a/b:c,d(=)]", "a/b:c,d(=)"),
    (FIELD_ARGUMENT, "a b", "a"),
    (FIELD_ARGUMENT, "[", None),
    (FIELD_ARGUMENT, "'a'", None),
    (HEX_NUMBER, "0x1fG", "0x1f"),
    (HEX_NUMBER, "0XAB", "0XAB"),
    (HEX_NUMBER, "0x", None),
    (NUMBER, "12)", "12"),
    (NUMBER, "-1.5e+10", "-1.5e+10"),
    (NUMBER, "+1.", "+1."),
    (NUMBER, "1e5", "1"),  # an exponent has a sign
    (NUMBER, ".5", None),
    (NUMBER, "1.2.3", "1.2"),
    (BARE_STRING, "/etc/*:[x]{}<>!&;", "/etc/*:[x]{}<>!&;"),
    (BARE_STRING, "a\bb", "a\bb"),
    (BARE_STRING, "a\vb", "a"),
    (BARE_STRING, "a=b", "a"),
    (BARE_STRING, "a,b", "a"),
    (BARE_STRING, "a(b", "a"),
    (BARE_STRING, "é\u2028x y", "é\u2028x"),
    (BARE_STRING, "'a", None),
    (NOT, "not a", "not "),
    (NOT, "not\v\f\na", "not\v\f\n"),
    (NOT, "not\ba", None),
    (NOT, "nota", None),
    (NOT, "not\u00a0a", None),
]


@pytest.mark.parametrize(("pattern", "text", "token"), TOKENS)
def test_tokens(pattern: re.Pattern[str], text: str, token: str | None) -> None:
    scanner = Scanner(Text.of(text))
    assert scanner.take_match(pattern) == token
    assert scanner.at == len(token or "")


QUOTED = [
    ("'abc' d", ("'", "abc"), 5),
    ('"abc"', ('"', "abc"), 5),
    ("''", ("'", ""), 2),
    ("'a\"b'", ("'", 'a"b'), 5),
    ("'a\\'b'", ("'", "a\\'b"), 6),
    ("'a\nb'", ("'", "a\nb"), 5),
    ("'a\\\\'b'", ("'", "a\\\\'b"), 7),  # only the character directly before the quote counts
    ("'abc", None, 0),
    ("'abc\\'", None, 0),
    ("'abc\"", None, 0),
    ("abc'", None, 0),
    ("", None, 0),
]


@pytest.mark.parametrize(("text", "token", "end"), QUOTED)
def test_quoted_strings_end_at_the_first_bare_quote(
    text: str, token: tuple[str, str] | None, end: int
) -> None:
    scanner = Scanner(Text.of(text))
    assert scanner.take_quoted() == token
    assert scanner.at == end


def test_blanks_are_five_characters() -> None:
    scanner = Scanner(Text.of(" \t\b\r\n\vx"))
    assert scanner.skip_blanks()
    assert scanner.at == 5
    assert not scanner.skip_blanks()


def test_words_are_taken_in_the_order_given() -> None:
    scanner = Scanner(Text.of("intersects"))
    assert scanner.take_one(("exists", "intersects", "in")) == "intersects"
    scanner.at = 0
    assert scanner.take_one(("in", "intersects")) == "in"
    assert scanner.take_one(("x", "y")) is None
    assert scanner.since(0) == Span(0, 2)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the end of the condition"),
        ("abc d", "'abc'"),
        ("(a", "'('"),
        (", a", "','"),
        ("\n", "'\n'"),
        ("x" * 100, f"'{'x' * 24}'"),
    ],
)
def test_what_stands_here_is_said_in_words(text: str, words: str) -> None:
    assert Scanner(Text.of(text)).here() == words
