"""What each operator says of present values, by both evaluators."""

from __future__ import annotations

import pytest

from refengine.values import Value
from tests.condition.evaluate import holds

TEXT = [
    ("= cat", "cat", True),
    ("= cat", "Cat", False),
    ("== ''", "", True),
    ("!= cat", "dog", True),
    ("!= cat", "cat", False),
    ("contains at", "cat", True),
    ("contains ''", "cat", True),
    ("contains AT", "cat", False),
    ("icontains AT", "cat", True),
    ("icontains É", "é", False),
    ("icontains caFÉ", "xCAfÉ", True),
    ("startswith ca", "cat", True),
    ("startswith at", "cat", False),
    ("endswith at", "cat", True),
    ("endswith ca", "cat", False),
    ("glob c*", "cat", True),
    ("glob C*", "cat", False),
    ("iglob C*", "cat", True),
    ("regex 'c.t'", "cat", True),
    ("regex 'c.'", "cat", False),
    ("in (cat, dog)", "dog", True),
    ("in (cat, dog)", "do", False),
    ("in ()", "", False),
    ("in cat", "cat", True),
    ("intersects (cat, dog)", "cat", True),
    ("pmatch (/etc)", "/etc/passwd", True),
    ("pmatch ()", "/etc", False),
    ("= oneof (cat, cat)", "cat", False),
    ("= oneof (cat, dog)", "cat", True),
    ("= anyof (cat, dog)", "dog", True),
    ("= anyof ()", "dog", False),
    ("= allof (cat, cat)", "cat", True),
    ("= allof (cat, dog)", "cat", False),
    ("= allof ()", "cat", False),
    ("!= allof (cat, dog)", "cow", True),
    ("!= allof (cat, dog)", "cat", False),
    ("!= allof ()", "cat", False),
    ("!= anyof (cat, dog)", "cat", True),
    ("!= anyof (cat)", "cat", False),
    ("!= oneof (cat, dog)", "cat", True),
    ("!= oneof (cat, dog)", "cow", False),
    ("startswith anyof (/etc, /usr)", "/usr/bin", True),
    ("startswith anyof ()", "/usr/bin", False),
    ("startswith allof (/u, /usr)", "/usr/bin", True),
    ("endswith anyof (.so, .a)", "x.a", True),
    ("contains oneof (a, b)", "ab", False),
    ("contains oneof (a, b)", "a", True),
    ("icontains anyof (X, A)", "cat", True),
    ("glob anyof (a*, c*)", "cat", True),
    ("glob allof (c*, *t)", "cat", True),
    ("regex oneof ('c.*', '.*t')", "cat", False),
    ("= cat", "<NA>", False),
    ("= <NA>", "<NA>", True),
]


@pytest.mark.parametrize(("test", "value", "expected"), TEXT)
def test_text(test: str, value: str, expected: bool) -> None:
    assert holds(f"proc.name {test}", {"proc.name": value}) is expected


ORDER = [
    ("a", "b", True),
    ("b", "a", False),
    ("a", "a", False),
    ("", "a", True),
    ("Z", "a", True),
    ("a", "ab", True),
    ("z", "é", True),
    ("\uffff", "\U00010000", True),
    ("\U00010000", "\udcff", True),  # by its bytes: f0 90 80 80, then ff
    ("\udc80", "é", True),  # 80, then c3 a9
    ("é", "\udcc3", False),
]


@pytest.mark.parametrize(("left", "right", "less"), ORDER)
def test_text_is_ordered_by_its_bytes(left: str, right: str, less: bool) -> None:
    values = {"proc.name": left, "proc.pname": right}
    assert holds("proc.name < val(proc.pname)", values) is less
    assert holds("proc.name <= val(proc.pname)", values) is (less or left == right)
    assert holds("proc.name > val(proc.pname)", values) is (not less and left != right)
    assert holds("proc.name >= val(proc.pname)", values) is not less


def test_text_is_ordered_against_the_digits_of_a_number() -> None:
    assert holds("proc.name < 10", {"proc.name": "1"})
    assert holds("proc.name > 10", {"proc.name": "9"})
    assert not holds("proc.name >= 10", {"proc.name": "01"})


LOOSE = [
    # one byte of a character of two: c3 a9
    ('contains "\\xc3"', "é", True),
    ('contains "\\xa9x"', "éx", True),
    ('contains "\\xc3"', "e", False),
    ('startswith "\\xc3"', "éa", True),
    ('endswith "\\xa9"', "aé", True),
    ('icontains "\\xa9X"', "éx", True),
    ('startswith anyof ("\\xc3", b)', "éa", True),
    ('endswith anyof ("\\xa9", b)', "aé", True),
    ('contains allof ("\\xc3", "\\xa9")', "é", True),
    ('= "\\xc3\\xa9"', "é", True),
    ('= "\\xff"', "\udcff", True),
    ('in ("\\xff", b)', "\udcff", True),
    ('!= "\\xff"', "\udcfe", True),
    ('glob "?\\xa9"', "é", True),
    ('pmatch ("/\\xff")', "/\udcff/x", True),
]


@pytest.mark.parametrize(("test", "value", "expected"), LOOSE)
def test_text_is_compared_byte_by_byte(test: str, value: str, expected: bool) -> None:
    assert holds(f"proc.name {test}", {"proc.name": value}) is expected


OTHERS: list[tuple[str, str, Value, bool]] = [
    ("proc.pid", "= 7", 7, True),
    ("proc.pid", "!= 7", 8, True),
    ("proc.pid", "< 7", 6, True),
    ("proc.pid", "<= 7", 7, True),
    ("proc.pid", "> -1", 0, True),
    ("proc.pid", ">= 8", 7, False),
    ("proc.pid", "in (1, 7)", 7, True),
    ("proc.pid", "intersects (1, 7)", 8, False),
    ("proc.pid", "= anyof (1, 7)", 7, True),
    ("proc.pid", "!= allof (1, 7)", 7, False),
    ("user.uid", "= -1", 4294967295, True),
    ("thread.cpu", "> 1", 1.5, True),
    ("thread.cpu", "= 1", 1.0, True),
    ("evt.is_open_read", "= true", True, True),
    ("evt.is_open_read", "= true", False, False),
    ("evt.is_open_read", "!= true", False, True),
    ("evt.is_open_read", "in (true, false)", False, True),
    ("fd.sport", "= http", 80, True),
    ("evt.buffer", "= abc", b"abc", True),
    ("evt.buffer", "contains b", b"\xffb", True),
    ("evt.buffer", "bcontains ff62", b"\xffb", True),
    ("evt.buffer", "bstartswith ff", b"\xffb", True),
    ("evt.buffer", "bstartswith 62", b"\xffb", False),
    ("evt.buffer", "endswith é", b"x\xc3\xa9", True),
    ("evt.buffer", "in (a, b)", b"b", True),
    ("evt.buffer", "contains anyof (x, b)", b"\xffb", True),
    ("fd.cip", "= 10.0.0.1", "10.0.0.1", True),
    ("fd.cip", "!= 10.0.0.1", "10.0.0.2", True),
    ("fd.cip", "= ::1", "127.0.0.1", False),
    ("fd.cip", "!= ::1", "127.0.0.1", True),
    ("fd.cip", "in (10.0.0.1, ::1)", "::1", True),
    ("fd.cnet", "= 10.0.0.0/8", "10.9.9.9", True),
    ("fd.cnet", "!= 10.0.0.0/8", "10.9.9.9", False),
    ("fd.cnet", "!= 10.0.0.0/8", "::1", True),
    ("fd.cnet", "in (10.0.0.0/8, ::/1)", "::1", True),
    ("fd.cnet", "in (10.0.0.0/8, fe80::/10)", "11.0.0.1", False),
]


@pytest.mark.parametrize(("field", "test", "value", "expected"), OTHERS)
def test_values_that_are_not_text(field: str, test: str, value: Value, expected: bool) -> None:
    assert holds(f"{field} {test}", {field: value}) is expected


FIELDS: list[tuple[str, dict[str, Value], bool]] = [
    ("proc.name = val(proc.pname)", {"proc.name": "a", "proc.pname": "a"}, True),
    ("proc.name != val(proc.pname)", {"proc.name": "a", "proc.pname": "b"}, True),
    ("proc.cmdline contains val(proc.name)", {"proc.cmdline": "cat /x", "proc.name": "cat"}, True),
    ("proc.cmdline startswith tolower(proc.name)", {"proc.cmdline": "cat", "proc.name": "CAT"}, True),
    ("proc.name glob val(proc.pname)", {"proc.name": "cat", "proc.pname": "c*"}, True),
    ("proc.name iglob val(proc.pname)", {"proc.name": "cat", "proc.pname": "C*"}, True),
    ("proc.name in val(proc.pname)", {"proc.name": "a", "proc.pname": "a"}, True),
    ("len(proc.name) = len(proc.pname)", {"proc.name": "é", "proc.pname": "ab"}, True),
    ("proc.pid = val(proc.ppid)", {"proc.pid": 1, "proc.ppid": 1}, True),
    ("fd.cip = val(fd.sip)", {"fd.cip": "::1", "fd.sip": "::1"}, True),
    ("fd.cip != val(fd.sip)", {"fd.cip": "::1", "fd.sip": "1.2.3.4"}, True),
]


@pytest.mark.parametrize(("text", "values", "expected"), FIELDS)
def test_fields_compare_with_fields(text: str, values: dict[str, Value], expected: bool) -> None:
    assert holds(text, values) is expected
