from __future__ import annotations

import json

import pytest

from refengine.output.escape import single_line, valid_unicode


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("plain", "plain"),
        ('quotes " and \\ stay', 'quotes " and \\ stay'),
        ("two\nlines", "two\\nlines"),
        ("\t\b\f\r", "\\t\\b\\f\\r"),
        ("\x1b[31mred", "\\u001b[31mred"),
        ("\x7f\x9b", "\\u007f\\u009b"),
        ("Grüße 日本", "Grüße 日本"),
        ("a\udcffb", "a\ufffdb"),
        ("\udce2\udc82x", "\ufffdx"),
        ("\ud800", "\ufffd"),
        ("", ""),
    ],
)
def test_a_line_has_no_control_characters_and_is_utf8(text: str, line: str) -> None:
    assert single_line(text) == line
    line.encode()


def test_control_characters_read_back_from_json() -> None:
    text = "".join(map(chr, range(1, 32)))
    assert json.loads(f'"{single_line(text)}"') == text


def test_bytes_that_join_to_a_character_are_that_character() -> None:
    assert valid_unicode("\udcc3\udca4") == "ä"
