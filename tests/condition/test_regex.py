"""`regex` has the syntax and the meaning of RE2 in POSIX mode, with and without that library."""

from __future__ import annotations

import sys
import time
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refengine.condition import automaton
from refengine.condition.regex import Regex, RegexError

try:
    import re2
except ImportError:
    re2 = None

ENGINES = [
    pytest.param(None, id="without-re2"),
    pytest.param(re2, id="with-re2", marks=pytest.mark.skipif(re2 is None, reason="re2 is not installed")),
]

MATCHES = [
    ("", "", True),
    ("", "a", False),
    ("a", "ab", False),
    ("a.*", "abc", True),
    (".*", "a\nb", False),
    ("[^x]*", "a\nb", True),
    ("a|b", "b", True),
    ("ab|a", "a", True),
    ("(a|ab)(c|bcd)", "abcd", True),
    ("^a$", "a", True),
    ("a^", "a", False),
    ("x{2,3}", "xxx", True),
    ("x{2,3}", "xxxx", False),
    ("x{2}", "xx", True),
    ("x{,2}", "x{,2}", True),
    ("x{", "x{", True),
    ("[[:alpha:]_]+", "foo_bar", True),
    ("[[:^digit:]]", "é", True),
    ("[[:word:]]", "é", False),
    ("[]a]", "]", True),
    ("[a-]", "-", True),
    ("[\\]]", "]", True),
    ("\\.\\*\\_\\/", ".*_/", True),
    ("\\x41\\x{e9}\\101", "AéA", True),
    ("\\n\\t\\a", "\n\t\x07", True),
    ("caf.", "café", True),
    (".", "\udcff", True),  # a byte that is no UTF-8 counts as one U+FFFD
    ("\\x{fffd}", "\udcff", True),
    ("A", "a", False),
    ("/(usr/)?s?bin/.*", "/usr/sbin/x", True),
]


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "re2", request.param)


@pytest.mark.parametrize(("pattern", "value", "fits"), MATCHES)
def test_a_match_is_of_the_whole_value(engine: None, pattern: str, value: str, fits: bool) -> None:
    assert Regex(pattern).matches(value) is fits


REFUSED = [
    ("(", "this '(' is never closed", 0),
    ("a)", "this ')' closes nothing", 1),
    ("[a", "this '[' is never closed", 0),
    ("a\\", "a backslash at the end escapes nothing", 1),
    ("*a", "'*' repeats nothing", 0),
    ("a|+", "'+' repeats nothing", 2),
    ("a{1001}", "invalid repetition {1001}: counts go up to 1000", 1),
    ("(a{100}){11}", "invalid repetition {11}: counts go up to 1000", 8),
    ("a{3,2}", "invalid repetition {3,2}: counts go up to 1000", 1),
    ("(a)\\1", "RE2's POSIX syntax, which conditions use, has no back-references", 3),
    ("(?i)a", "RE2's POSIX syntax, which conditions use, has no (?...) groups", 0),
    ("(?=a)", "RE2's POSIX syntax, which conditions use, has no (?...) groups", 0),
    (
        "\\d+",
        "RE2's POSIX syntax, which conditions use, has no \\d; write a class such as [0-9] or [[:space:]]",
        0,
    ),
    ("\\bword", "invalid escape \\b", 0),
    ("\\é", "invalid escape \\é", 0),
    ("\\x4", "invalid \\x escape: two hexadecimal digits, or some in braces, are needed", 0),
    ("[z-a]", "the range z-a is upside down", 1),
    ("[a-b-c]", "'-' in a class stands first, last, or between two ends", 4),
    ("[[:nonsense:]]", "invalid class [:nonsense:]", 1),
]


@pytest.mark.parametrize(("pattern", "message", "offset"), REFUSED)
def test_what_the_syntax_lacks_is_refused(engine: None, pattern: str, message: str, offset: int) -> None:
    with pytest.raises(RegexError) as raised:
        Regex(pattern)
    assert (str(raised.value), raised.value.offset) == (message, offset)


def test_long_and_deep_expressions_are_accepted_or_refused(engine: None) -> None:
    assert Regex("a?" * 200).matches("a" * 200)
    assert Regex("|".join(f"/opt/{number}/.*" for number in range(500))).matches("/opt/321/x")
    with pytest.raises(RegexError):
        Regex("a{1000}{2}")


PIECES = st.sampled_from(
    [
        *"abA.*+?{}()|^$-],0_ \n",
        "é",
        "{2}",
        "{1,3}",
        "{0,}",
        "{1001}",
        "(a|b)",
        "[ab]",
        "[^a]",
        "[[:alpha:]]",
        "[[:^digit:]x]",
        "[[:none:]]",
        "[a-c]",
        "[]a]",
        "[a-]",
        "[\\n]",
        "(?:",
        "(?i)",
        "*?",
        *(f"\\{code}" for code in (".", "n", "d", "b", "pL", "Q", "1", "01", "101", "A", "z", "C", "_", "é")),
        "\\x41",
        "\\x{e9}",
    ]
)
PATTERNS = st.lists(PIECES, max_size=6).map("".join)
VALUES = st.text(alphabet="abAcé€\n0-.]{_ 1,\udcff", max_size=6)


@pytest.mark.skipif(re2 is None, reason="re2 is not installed")
@pytest.mark.parametrize("engine_module", [re2, None], ids=["with-re2", "without-re2"])
@given(PATTERNS, st.lists(VALUES, min_size=3, max_size=3))
@settings(max_examples=300)
def test_verdicts_and_matches_agree_with_re2(
    engine_module: ModuleType | None, pattern: str, values: list[str]
) -> None:
    options = re2.Options()
    options.posix_syntax = options.longest_match = True
    options.log_errors = False
    try:
        expected = re2.compile(pattern, options)
    except re2.error:
        expected = None
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "re2", engine_module)
        if expected is None:
            with pytest.raises(RegexError):
                Regex(pattern)
            return
        ours = Regex(pattern)
    for value in values:
        shown = value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        assert ours.matches(value) is (expected.fullmatch(shown) is not None), value


@pytest.mark.parametrize(
    "pattern", ["(a*)*b", "(a|a)*b", "(a?){200}a{200}b", "(.*a){20}b", ".*a.*a.*a.*a.*b", "(x+x+)+y"]
)
def test_no_value_takes_long(engine: None, pattern: str) -> None:
    start = time.thread_time()
    fits = Regex(pattern)
    assert not fits.matches("a" * 5000)
    assert not fits.matches("x" * 5000)
    assert time.thread_time() - start < 5


def test_line_edges_hold_at_every_line(engine: None) -> None:
    fits = Regex("(^[a-z]*$\\n?)*")
    assert fits.matches("ab\n\ncd")
    assert not fits.matches("ab\n1")
    assert Regex("(^|x)*$").matches("xx")


def test_an_automaton_may_forget_and_still_know(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(automaton, "MOST_MOVES", 10)
    monkeypatch.setitem(sys.modules, "re2", None)
    fits = Regex("[^x]*(ab|ba){1,3}")
    for number in range(200):
        assert fits.matches(f"{chr(0x4E00 + number)}{number}abba")
        assert not fits.matches(f"{number}xabba")
