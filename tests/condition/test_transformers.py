"""What transformers make of values, and what getopt makes of words beside the C library's own."""

from __future__ import annotations

import ctypes
import platform

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refengine.condition.interpret import Interpreter
from refengine.condition.transformers import getopt
from refengine.condition.typed import Existence, Transform
from refengine.event import RecordedEvent
from refengine.values import Value
from tests.condition.evaluate import READER, holds, typed


def value(operand: str, **values: Value) -> Value | None:
    """Return the value of an operand on an event with these fields; `name` is proc.name, and so on."""
    condition = typed(f"{operand} exists")
    assert isinstance(condition, Existence)
    assert isinstance(condition.left, Transform)
    fields = {"name": "proc.name", "pname": "proc.pname", "buffer": "evt.buffer", "types": "fd.types"}
    event = RecordedEvent({fields[key]: given for key, given in values.items()})
    return Interpreter(READER).value(condition.left, event)


ONE: list[tuple[str, Value, Value | None]] = [
    ("tolower(proc.name)", "CaT", "cat"),
    ("tolower(proc.name)", "CAFÉ İ", "cafÉ İ"),
    ("toupper(proc.name)", "cafß", "CAFß"),
    ("toupper(proc.name)", "a\udcff", "A\udcff"),
    ("basename(proc.name)", "/usr/bin/cat", "cat"),
    ("basename(proc.name)", "cat", "cat"),
    ("basename(proc.name)", "/usr/bin/", ""),
    ("basename(proc.name)", "", ""),
    ("b64(proc.name)", "Y2F0", "cat"),
    ("b64(proc.name)", "Y2E=", "ca"),
    ("b64(proc.name)", "Y2E", "ca"),
    ("b64(proc.name)", "Yw==", "c"),
    ("b64(proc.name)", "Yw", "c"),
    ("b64(proc.name)", "", ""),
    ("b64(proc.name)", "w6k=", "é"),
    ("b64(proc.name)", "/w==", "\udcff"),
    ("b64(proc.name)", "Y2F0!", None),
    ("b64(proc.name)", "Y", None),
    ("b64(proc.name)", "Y2 F0", None),
    ("len(proc.name)", "cat", 3),
    ("len(proc.name)", "café", 5),
    ("len(proc.name)", "\udcff", 1),
    ("len(proc.name)", "", 0),
    ("len(b64(proc.name))", "Y2F0", 3),
    ("toupper(b64(proc.name))", "Y2F0", "CAT"),
    ("concat(proc.name,\"-\",proc.name)", "a", "a-a"),
    ("concat(proc.name,1)", "a", "a1"),
    ("concat(proc.name,'\\xa9')", "\udcc3", "é"),  # two bytes that are a character only together
    ("join(',', (proc.name,'b',tolower(proc.name)))", "A", "A,b,a"),
    ("join('\\xa9', (proc.name,'b'))", "\udcc3", "éb"),
    ("join(',', getopt(('-a',proc.name),'a:'))", "x", "a,x"),
    ("getopt(('-a',proc.name),'a:')", "x", ("a", "x")),
    ("getopt(('-a',proc.name),'a:')[a]", "x", "x"),
    ("getopt(('-a',proc.name),'a:')[b]", "x", None),
    ("len(getopt(('-a',proc.name),'a:'))", "x", 2),
    ("tolower(getopt(('-a',proc.name),'a:'))", "X", ("a", "x")),
    ("basename(getopt(('-a',proc.name),'a:'))", "/b/X", ("a", "X")),
    ("b64(getopt((proc.name),'a:'))", "-aY2F0", None),  # one item is no base64
]  # fmt: skip


@pytest.mark.parametrize(("operand", "name", "expected"), ONE)
def test_transformers_of_text(operand: str, name: Value, expected: Value | None) -> None:
    assert value(operand, name=name) == expected


@pytest.mark.parametrize("operand", sorted({operand for operand, _, _ in ONE}))
def test_an_absent_argument_makes_the_result_absent(operand: str) -> None:
    assert value(operand) is None


def test_buffers_and_lists() -> None:
    assert value("b64(evt.buffer)", buffer=b"Y2F0/w") == b"cat\xff"
    assert value("b64(evt.buffer)", buffer=b"!") is None
    assert value("len(evt.buffer)", buffer=b"\xff\0a") == 3
    assert value("len(fd.types)", types=("file", "ipv4")) == 2
    assert value("len(fd.types)", types=()) is None


def test_transformed_values_compare_like_others() -> None:
    assert holds("tolower(proc.name) = cat", {"proc.name": "CAT"})
    assert holds("len(proc.name) >= 3", {"proc.name": "cat"})
    assert holds("basename(proc.name) in (cat, dog)", {"proc.name": "/bin/cat"})
    assert holds("toupper(proc.name) = toupper(proc.pname)", {"proc.name": "Cat", "proc.pname": "cAT"})
    assert holds("getopt(('-x', proc.name), 'x:') intersects (cat)", {"proc.name": "cat"})
    assert not holds("getopt(('-x', proc.name), 'x:') in (cat)", {"proc.name": "cat"})
    assert holds("getopt(('-x', proc.name), 'x:') in (x, cat)", {"proc.name": "cat"})
    assert holds("not b64(proc.name) exists", {"proc.name": "!"})


GETOPT: list[tuple[tuple[str, ...], str, list[tuple[str, str | None]]]] = [
    ((), "a", []),
    (("-a",), "a", [("a", None)]),
    (("-ab",), "ab", [("a", None), ("b", None)]),
    (("-abx",), "ab:", [("a", None), ("b", "x")]),
    (("-b", "x", "-a"), "ab:", [("b", "x"), ("a", None)]),
    (("-b", "-a"), "ab:", [("b", "-a")]),
    (("-b",), "ab:", [("b", "")]),
    (("-z", "-a"), "a", [("?", None), ("a", None)]),
    (("x", "-a"), "a", []),
    (("-a", "--", "-a"), "a", [("a", None)]),
    (("-", "-a"), "a", []),
    (("--long", "-a"), "a", [("a", None)]),
    (("-:",), "a:", [("?", None)]),
    (("",), "a", []),
]


@pytest.mark.parametrize(("words", "options", "expected"), GETOPT)
def test_getopt_reads_short_options(
    words: tuple[str, ...], options: str, expected: list[tuple[str, str | None]]
) -> None:
    assert getopt(words, options) == expected


def test_the_list_form_has_one_empty_item_for_a_missing_value_and_the_last_value_counts() -> None:
    assert value("getopt(('-z','-a',proc.name),'ab:')", name="-b") == ("?", "a", "")
    assert value("getopt(('-b1', proc.name),'b:')[b]", name="-b2") == "2"
    assert value("getopt(('-b1', proc.name),'b:')[b]", name="-b") == ""
    assert value("getopt((proc.name),'b')[b]", name="-b") == ""


def test_getopt_counts_bytes() -> None:
    assert value("getopt((proc.name),'a')", name="-é") == ("?", "?")
    assert value("getopt((proc.name),'a:')[a]", name="-aé") == "é"
    assert value("getopt((proc.name),'é')", name="-é") == ("\udcc3", "\udca9")


WORDS = st.lists(
    st.one_of(
        st.text(alphabet="abc:-x", max_size=4).filter(lambda word: not word.startswith("--") or word == "--"),
        st.sampled_from(["-a", "-b", "-c", "-bx", "-abc", "--", "-"]),
    ),
    max_size=5,
)


@given(WORDS, st.sampled_from(["", "a", "ab:", "b:a", "a:b:c", "abc", "cb:"]))
def test_getopt_agrees_with_the_c_library(words: list[str], options: str) -> None:
    if platform.libc_ver()[0] != "glibc":
        pytest.skip("the C library is not the one that Falco is built with")
    libc = ctypes.CDLL(None)
    libc.getopt.restype = ctypes.c_int
    index, silent, argument, unknown = (
        ctypes.c_int.in_dll(libc, "optind"),
        ctypes.c_int.in_dll(libc, "opterr"),
        ctypes.c_char_p.in_dll(libc, "optarg"),
        ctypes.c_int.in_dll(libc, "optopt"),
    )
    index.value, silent.value = 0, 0
    argv = (ctypes.c_char_p * (len(words) + 2))(b"program", *(word.encode() for word in words), None)
    expected: list[tuple[str, str | None]] = []
    # '+' stops at the first word that is no option; ':' tells a missing value from an unknown option
    while (found := libc.getopt(len(words) + 1, argv, f"+:{options}".encode())) != -1:
        if found == ord(":"):
            expected.append((chr(unknown.value), ""))
        else:
            text = argument.value
            taken = found != ord("?") and options[options.index(chr(found)) + 1 :].startswith(":")
            expected.append((chr(found), text.decode() if taken and text is not None else None))
    assert getopt(tuple(words), options) == expected
