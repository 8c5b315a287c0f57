"""Warnings: conditions that are valid and still doubtful."""

from __future__ import annotations

import pytest

from refengine.condition.advice import is_plain
from refengine.report import render
from tests.condition.evaluate import check

CONDITION, NA, DEPRECATED = "LOAD_COMPILE_CONDITION", "LOAD_UNSAFE_NA_CHECK", "LOAD_DEPRECATED_ITEM"
CASES = [
    ("proc.name = cat", "syscall", []),
    ("proc.name = proc.pname", "syscall", [CONDITION]),
    ("proc.name = proc.aname[2]", "syscall", [CONDITION]),
    ("proc.name = proc.nam", "syscall", []),
    ("proc.name in (cat, proc.pname, fd.name)", "syscall", [CONDITION, CONDITION]),
    ("proc.name = 'tolower(x)'", "syscall", [CONDITION]),
    ("proc.name = 'val(x)'", "syscall", [CONDITION]),
    ("proc.name = 'f(x)'", "syscall", []),
    ("proc.name regex 'cat'", "syscall", [CONDITION]),
    ("proc.name regex 'c.t'", "syscall", []),
    ("proc.name = <NA>", "syscall", []),
    ("ka.verb = <NA>", "k8s_audit", [NA]),
    ("ka.verb != <NA>", "k8s_audit", [NA]),
    ("ka.verb in (get, <NA>)", "k8s_audit", [NA]),
    ("ka.verb startswith <NA>", "k8s_audit", []),
    ("tolower(ka.verb) = <NA>", "k8s_audit", [NA]),
    ("jevt.value[/a] = <NA>", "k8s_audit", [NA]),
    ("evt.dir = <", "syscall", [DEPRECATED]),
    ("evt.latency > 1", "syscall", [DEPRECATED]),
    ("evt.latency.human exists", "syscall", [DEPRECATED]),
]


@pytest.mark.parametrize(("text", "source", "codes"), CASES)
def test_doubts_have_codes(text: str, source: str, codes: list[str]) -> None:
    condition, found = check(text, source)
    assert condition is not None
    assert [str(warning.code) for warning in found] == codes
    assert not any(warning.is_error for warning in found)


def test_a_warning_is_shown_like_an_error() -> None:
    (warning,) = check("proc.name = proc.pname")[1]
    message = (
        "'proc.pname' is compared as text, but it is also a field; "
        "write val(proc.pname) to compare with its value"
    )
    assert render(warning) == "\n".join(
        [
            f"<condition>:1:13: warning: {message} [LOAD_COMPILE_CONDITION]",
            "  1 | proc.name = proc.pname",
            "    |             ^^^^^^^^^^",
        ]
    )


@pytest.mark.parametrize(
    ("pattern", "plain"),
    [
        ("abc", True),
        ("^abc$", True),
        (".*abc.*", True),
        (".+abc.?", True),
        ("^.*abc", True),
        ("", True),
        ("a.c", False),
        ("a|b", False),
        ("[ab]", False),
        ("a*", False),
        ("(a)", False),
        ("a\\.b", False),
        ("a^b", False),
    ],
)
def test_an_expression_is_plain_when_only_its_ends_are_special(pattern: str, plain: bool) -> None:
    assert is_plain(pattern) is plain
