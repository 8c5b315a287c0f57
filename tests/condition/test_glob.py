"""`glob` and `iglob` mean what fnmatch(3) of the C library means, in the C locale and with no flags."""

from __future__ import annotations

import ctypes
import locale
import platform
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refengine.condition.glob import Glob

FNM_CASEFOLD = 16

CASES = [
    ("", "", True),
    ("", "a", False),
    ("*", "", True),
    ("*", "/any/thing", True),
    ("/etc/*", "/etc/ssh/sshd_config", True),
    ("/etc/*", "/etc", False),
    ("*.so.?", "libc.so.6", True),
    ("*.so.?", "libc.so.", False),
    ("?", "/", True),
    ("?", "", False),
    (".*", "a", False),
    ("*hidden", ".hidden", True),
    ("a*b*c", "a-b-b-c", True),
    ("a*b*c", "a-c-b", False),
    ("**a**", "bab", True),
    ("a.c", "abc", False),
    ("a+(b)|c{1}$^", "a+(b)|c{1}$^", True),
    ("line*", "line\nfeed", True),
    ("[abc]", "b", True),
    ("[abc]", "d", False),
    ("[!abc]", "d", True),
    ("[^abc]", "b", False),
    ("[a-c]x", "bx", True),
    ("[c-a]", "b", False),
    ("[]a]", "]", True),
    ("[!]a]", "]", False),
    ("[a-]", "-", True),
    ("[", "[", True),
    ("[a", "[a", True),
    ("[-", "[-", True),
    ("[a-", "[a-", False),
    ("[a-", "a", False),
    ("[*-", "[*-", False),
    ("x*[a-", "x[a-", False),
    ("[[-", "[[-", True),
    ("[![-", "[![-", True),
    ("[a[=b]", "=", True),
    ("[a[=b]", "a", False),
    ("[!a[=b]", "a", False),
    ("[[[.", "[[.", False),
    ("[[[=", "[[[=", False),
    ("[[:digit:]]*", "7up", True),
    ("[[:digit:][:upper:]]", "X", True),
    ("[[:nonsense:]]", "n", False),
    ("[![:nonsense:]]", "n", False),
    ("[n[:nonsense:]]", "n", True),
    ("[[=a=]]", "a", True),
    ("[[.-.]]", "-", True),
    ("\\*", "*", True),
    ("\\*", "a", False),
    ("\\a", "a", True),
    ("a\\", "a\\", False),
    ("[\\]]", "]", True),
    ("ABC", "abc", False),
]


@pytest.mark.parametrize(("pattern", "value", "fits"), CASES)
def test_a_glob_fits_the_whole_value(pattern: str, value: str, fits: bool) -> None:
    assert Glob(pattern).matches(value) is fits


@pytest.mark.parametrize(
    ("pattern", "value", "fits"),
    [
        ("/ETC/*", "/etc/Passwd", True),
        ("[A-C]", "b", True),
        ("[!a]", "A", False),
        ("[[:upper:]]", "a", False),  # classes are not folded
        ("[[:upper:]]", "A", True),
        ("[Z-a]", "z", False),  # the ends of a range are folded: from z to a there is nothing
        ("É", "é", False),  # only the letters of ASCII have two cases
    ],
)
def test_folding_makes_the_cases_of_a_letter_equal(pattern: str, value: str, fits: bool) -> None:
    assert Glob(pattern, folding=True).matches(value) is fits


def test_patterns_count_bytes() -> None:
    assert not Glob("?").matches("é")
    assert Glob("??").matches("é")
    assert Glob("caf??").matches("café")
    assert Glob("a?").matches("a\udcff")
    assert Glob("[é]?").matches("é")


def test_many_stars_take_no_time() -> None:
    start = time.thread_time()
    assert not Glob("*a" * 100).matches("a" * 99 + "b" * 20_000)
    assert Glob("*a" * 100 + "*").matches("a" * 20_000)
    assert time.thread_time() - start < 2


def test_representations_name_the_pattern() -> None:
    assert repr(Glob("/etc/*")) == "Glob('/etc/*')"


@pytest.fixture(scope="module")
def c_locale() -> Iterator[None]:
    if platform.libc_ver()[0] != "glibc":
        pytest.skip("the C library is not the one that Falco is built with")
    before = locale.setlocale(locale.LC_ALL)
    locale.setlocale(locale.LC_ALL, "C")
    yield
    locale.setlocale(locale.LC_ALL, before)


PIECES = st.sampled_from(
    [
        *"abABZ0*?[]!^-\\./ \n.+(|{$",
        "é",
        "[a-c]",
        "[!a]",
        "[[:alpha:]]",
        "[[:upper:]0]",
        "[![:space:]b]",
        "[[:none:]]",
        "[a[:none:]b]",
        "[[=a=]]",
        "[[.Z.]]",
        "[[.a.]-C]",
        "[Z-a]",
        "[!-c]",
        "[\\]]",
        "[A-",
        "[",
        "]",
        "[=",
        "[.",
        "[:",
    ]
)
PATTERNS = st.lists(PIECES, max_size=8).map("".join)
VALUES = st.text(alphabet="abcABZz0[]!^-\\./ \né_\udcff+(|{$", max_size=7)


@given(PATTERNS, VALUES, st.sampled_from([0, FNM_CASEFOLD]))
def test_globs_agree_with_the_c_library(c_locale: None, pattern: str, value: str, flags: int) -> None:
    fnmatch = ctypes.CDLL(None).fnmatch
    expected = fnmatch(pattern.encode(), value.encode("utf-8", "surrogateescape"), flags) == 0
    assert Glob(pattern, folding=bool(flags)).matches(value) is expected
