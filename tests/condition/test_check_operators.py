"""Which operators each type of field has, with and without modifiers, and what may stand on the right."""

from __future__ import annotations

import pytest

from refengine.condition.vocabulary import MODIFIERS, OPERATORS, STRING_OPERATORS
from tests.condition.evaluate import check, fault

EQUALITY = {"=", "==", "!="}
SETS = {"in", "intersects"}
NUMBER = {*EQUALITY, *SETS, "<", "<=", ">", ">="}
TEXT = {*NUMBER, "contains", "icontains", "startswith", "endswith", "glob", "iglob", "pmatch", "regex"}
BUFFER = {*EQUALITY, *SETS, "contains", "startswith", "endswith", "bcontains", "bstartswith"}

ALLOWED: list[tuple[str, set[str], str]] = [
    ("proc.name", TEXT, "1"),  # charbuf
    ("fs.path.name", TEXT, "1"),  # fspath
    ("evt.rawarg.path", TEXT, "1"),
    ("proc.pid", NUMBER, "1"),  # int64
    ("user.uid", NUMBER, "1"),  # uint32
    ("evt.num", NUMBER, "1"),  # uint64
    ("evt.cpu", NUMBER, "1"),  # int16
    ("thread.cpu", NUMBER, "1"),  # double
    ("fd.sport", NUMBER, "1"),  # port
    ("evt.reltime", NUMBER, "1"),  # reltime
    ("evt.rawtime", NUMBER, "1"),  # abstime
    ("evt.rawarg.flags", NUMBER, "1"),  # flags32
    ("evt.is_open_read", EQUALITY | SETS, "true"),
    ("evt.buffer", BUFFER, "10"),
    ("fd.cip", EQUALITY | SETS, "::1"),
    ("fd.cnet", EQUALITY | SETS, "::/1"),
    ("fd.types", SETS, "file"),
    ("evt.rawarg.euid", set(), "1"),  # uid
    ("evt.rawarg.addr", set(), "1"),  # sockaddr
    ("len(proc.name)", NUMBER, "1"),
    ("tolower(proc.name)", TEXT, "1"),
    ("b64(evt.buffer)", BUFFER, "10"),
    ('getopt(("a"),"b")', SETS, "1"),
]


@pytest.mark.parametrize("operator", [name for name in OPERATORS if name != "exists"])
@pytest.mark.parametrize(("left", "allowed", "value"), ALLOWED)
def test_a_type_has_its_operators(left: str, allowed: set[str], value: str, operator: str) -> None:
    if operator in ("<", "<=", ">", ">=") and not value.isdigit():
        value = "1"
    right = f"({value})" if operator in ("in", "intersects", "pmatch") else f"{value}"
    shown = fault(f"{left} {operator} {right}")
    assert (shown == "") is (operator in allowed), shown


@pytest.mark.parametrize(("left", "allowed", "value"), ALLOWED)
def test_existence_may_be_asked_of_every_type(left: str, allowed: set[str], value: str) -> None:
    assert fault(f"{left} exists") == ""


@pytest.mark.parametrize("modifier", MODIFIERS)
@pytest.mark.parametrize("operator", STRING_OPERATORS)
@pytest.mark.parametrize(("left", "allowed", "value"), ALLOWED)
def test_modifiers_go_with_the_operators_of_the_type(
    left: str, allowed: set[str], value: str, operator: str, modifier: str
) -> None:
    is_list = left in ("fd.types", 'getopt(("a"),"b")')
    shown = fault(f"{left} {operator} {modifier} ({value})")
    assert (shown == "") is (operator in allowed and not is_list), shown


def test_lists_of_audit_events_may_be_asked_for_any_item() -> None:
    for operator in sorted(TEXT - {"<", "<=", ">", ">="}):
        right = "(dev)" if operator in ("in", "intersects", "pmatch") else "dev"
        assert fault(f"ka.user.groups {operator} {right}", "k8s_audit") == ""
    assert "does not compare" in fault("ka.user.groups bcontains 00", "k8s_audit")


RIGHT_SIDES = [
    ("proc.name = val(proc.pname)", ""),
    ("proc.pid > val(proc.ppid)", ""),
    ("fd.sip = val(fd.cip)", ""),
    ("len(proc.name) = val(evt.num)", ""),
    ("proc.name in tolower(proc.pname)", ""),
    ("proc.name glob val(proc.pname)", ""),
    ("proc.name = val(proc.aname[1])", "field 'proc.aname[1]' cannot stand on the right-hand side"),
    ("proc.name = val(proc.pid)", "field 'proc.name' is charbuf, but field 'proc.pid' is int64"),
    ("user.uid = val(proc.pid)", "field 'user.uid' is uint32, but field 'proc.pid' is int64"),
    ("proc.name regex val(proc.pname)", "'regex' compares with constants only, not with another field"),
    ("proc.name pmatch val(proc.pname)", "'pmatch' compares with constants only, not with another field"),
    (
        "fd.cnet = val(fd.snet)",
        "field 'fd.cnet' is compared with constants only, not with another field",
    ),
    ("fd.ip = val(fd.cip)", "field 'fd.ip' is compared with constants only, not with another field"),
    ("proc.aname = val(proc.name)", "field 'proc.aname' is compared with constants only, not with another field"),
    ("fd.types in val(proc.name)", "field 'fd.types' is compared with constants only, not with another field"),
    ("evt.type contains val(proc.name)", ""),
    ("evt.type intersects val(proc.name)", ""),
    *(
        (
            f"{field} {operator} val(proc.name)",
            f"'{field}' is compared with constants only by '{operator}', since that decides where a rule is evaluated",
        )
        for field in ("evt.type", "syscall.type")
        for operator in ("=", "==", "!=", "in")
    ),
    ("proc.name = val(proc.nam)", "unknown field 'proc.nam'"),
    ("proc.name = len(proc.pname)", "field 'proc.name' is charbuf, but 'len(...)' is uint64"),
    (
        "proc.name in getopt(('a'),'b')",
        "field 'proc.name' is charbuf, but 'getopt(...)' is a list of charbuf",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), RIGHT_SIDES)
def test_fields_on_the_right_have_the_type_of_the_left(text: str, message: str) -> None:
    _, found = check(text)
    assert [error.message for error in found if error.is_error] == ([message] if message else [])
