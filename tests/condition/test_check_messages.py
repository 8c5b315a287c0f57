"""Faults of meaning: what is said, where, and what is suggested."""

from __future__ import annotations

import pytest

from refengine.condition.check import Checker
from refengine.condition.nodes import MacroUse, Node, Or
from refengine.condition.parser import parse
from refengine.condition.typed import AllOf, AnyOf, Macro, Negation
from refengine.errors import Phase
from refengine.report import render
from refengine.source import Span, Text
from tests.condition.evaluate import check, fault, typed

CASES: list[tuple[str, str, str, str | None]] = [
    # text, the part under the carets, message, help
    ("proc.nam = x", "proc.nam", "unknown field 'proc.nam'", "did you mean 'proc.name'?"),
    ("xyzzy.plugh exists", "xyzzy.plugh", "unknown field 'xyzzy.plugh'", None),
    ("ka.verb = get", "ka.verb", "field 'ka.verb' exists for events of source k8s_audit, not for syscall", None),
    ("proc.name[1] = x", "proc.name[1]", "field 'proc.name' takes no argument", None),
    ("evt.arg = x", "evt.arg", "field 'evt.arg' needs an argument, as in evt.arg[...]", None),
    ("evt.arg[x] = x", "evt.arg[x]", "field 'evt.arg' takes a number in brackets, not 'x'", None),
    ("evt.arg.flag = x", "evt.arg.flag", "no event has a parameter 'flag'", "did you mean 'flags'?"),
    ("evt.arg.flags[1] = x", "evt.arg.flags[1]",
     "'evt.arg.flags' has its argument behind the dot and takes no other in brackets", None),
    ("evt.rawarg[1] = x", "evt.rawarg[1]", "'evt.rawarg' takes the name of a parameter, as in evt.rawarg.flags", None),
    ("evt.type.is.opn = 1", "evt.type.is.opn", "unknown event type 'opn' for 'evt.type.is'", "did you mean 'open'?"),
    ("evt.abspath.x = x", "evt.abspath.x", "'evt.abspath' may only be followed by .src or .dst", None),
    ("proc.aname[x] = x", "proc.aname[x]", "field 'proc.aname' takes a number in brackets, not 'x'", None),
    ("evt.type = opennat", "opennat", "unknown event type 'opennat'", "did you mean 'openat'?"),
    ("proc.pid = x", "x", "'x' is not a whole number", None),
    ("proc.pid in (1, 0x10)", "0x10", "'0x10' is not a whole number", "write it in decimal: 16"),
    ("evt.num contains 1", "contains", "'contains' does not compare numbers, and field 'evt.num' has the type uint64",
     "the operators of numbers are !=, <, <=, =, ==, >, >=, in, intersects and exists"),
    ("fd.cip = anyof (::1) and fd.cip > 1", ">",
     "'>' does not compare addresses and networks, and field 'fd.cip' has the type ipaddr",
     "the operators of addresses and networks are !=, =, ==, in, intersects and exists"),
    ("fd.types = file", "=", "field 'fd.types' is a list, and '=' does not compare lists",
     "the operators of lists are in, intersects and exists"),
    ("evt.rawarg.euid = 0", "=", "field 'evt.rawarg.euid' has the type uid, which no operator but 'exists' compares", None),
    ("tolower(proc.pid) = x", "proc.pid", "'tolower' does not take values of type int64", None),
    ("tolower(proc.name, proc.pname) = x", "tolower(proc.name, proc.pname)", "'tolower' takes one argument, not 2", None),
    ("tolower(proc.name)[x] = x", "tolower(proc.name)[x]", "'tolower(...)' takes no argument in brackets", None),
    ("tolower(proc.aname[1]) = x", "proc.aname[1]", "field 'proc.aname[1]' cannot be transformed", None),
    ("join(proc.name) = x", "join(proc.name)", "'join' takes a separator and a list", None),
    ("join((proc.name), ('a')) = x", "(proc.name)", "the separator of 'join' is a single value of text", None),
    ("join(',', proc.name) = x", "proc.name", "the second argument of 'join' is a list of text", None),
    ("join(',', (proc.pid)) = x", "proc.pid", "the items of a list here are single values of text", None),
    ("concat(proc.name) = x", "concat(proc.name)", "'concat' takes two arguments or more", None),
    ("concat(proc.name, proc.pid) = x", "proc.pid", "the arguments of 'concat' are single values of text", None),
    ("getopt(('a')) in (x)", "getopt(('a'))", "'getopt' takes a list of words and the options", None),
    ("getopt(proc.args,'a') in (x)", "proc.args", "the first argument of 'getopt' is a list of text", None),
    ("getopt(('a'),('b')) in (x)", "('b')", "the options of 'getopt' are a single value of text", None),
    ("getopt(('a'),'b')[xy] = x", "getopt(('a'),'b')[xy]", "the selector of 'getopt' is one option's character", None),
    ("getopt(('a'),'b')['é'] = x", "getopt(('a'),'b')['é']", "the selector of 'getopt' is one option's character", None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "part", "message", "help"), CASES)
def test_a_fault_is_shown_under_the_part_concerned(
    text: str, part: str, message: str, help: str | None
) -> None:
    (found,) = (error for error in check(text)[1] if error.is_error)
    at = text.rindex(part) if part in ("contains", ">") else text.index(part)
    if part == "x":
        at = text.index(" x") + 1
    assert (found.message, found.suggestion) == (message, help)
    lines = [
        f"<condition>:1:{at + 1}: error: {message} [LOAD_ERR_COMPILE_CONDITION]",
        f"  1 | {text}",
        f"    | {' ' * at}{'^' * len(part)}",
    ]
    assert render(found) == "\n".join(lines if help is None else [*lines, f"  help: {help}"])
    assert found.phase is Phase.CHECK


def test_every_fault_of_a_condition_is_found() -> None:
    _, found = check(
        "proc.nam = a or proc.pid = b and (not evt.num contains 1 or proc.pid in (x, 1, y)) and mac"
    )
    assert [error.message.split(",")[0] for error in found] == [
        "unknown field 'proc.nam'",
        "'b' is not a whole number",
        "'contains' does not compare numbers",
        "'x' is not a whole number",
        "'y' is not a whole number",
        "undefined macro 'mac'",
    ]


def test_macros_are_errors_of_the_rules_file() -> None:
    assert fault("spawned_process and evt.num = 1") == "\n".join(
        [
            "<condition>:1:1: error: undefined macro 'spawned_process' [LOAD_ERR_VALIDATE]",
            "  1 | spawned_process and evt.num = 1",
            "    | ^^^^^^^^^^^^^^^",
        ]
    )


def using(*names: str) -> tuple[Node, Text, Text]:
    """Return a condition that uses macros with one body, its text, and that of the body."""
    inner = Text.of("proc.nam = x or evt.dir = <", "macros.yaml")
    body = parse(inner)
    outer = Text.of(" or ".join(names), "rules.yaml")
    uses: list[Node] = []
    at = 0
    for name in names:
        uses.append(MacroUse(name, body, inner, Span(at, at + len(name))))
        at += len(name) + 4
    return (uses[0] if len(uses) == 1 else Or(tuple(uses), Span(0, len(outer.value)))), outer, inner


def test_a_fault_in_a_macro_tells_of_both_places() -> None:
    tree, text, _ = using("bad")
    checked = Checker().check(tree, text)
    assert checked.condition is None
    (error,) = checked.errors
    assert render(error) == "\n".join(
        [
            "macros.yaml:1:1: error: unknown field 'proc.nam' [LOAD_ERR_COMPILE_CONDITION]",
            "  1 | proc.nam = x or evt.dir = <",
            "    | ^^^^^^^^",
            "  note: rules.yaml:1:1: in the macro 'bad', which is used here",
            "  1 | bad",
            "    | ^^^",
            "  help: did you mean 'proc.name'?",
        ]
    )
    warnings = [found for found in checked.diagnostics if not found.is_error]
    assert [(str(found.code), found.notes) for found in warnings] == [("LOAD_DEPRECATED_ITEM", ())]


def test_a_macro_that_is_used_twice_is_one_object() -> None:
    inner = Text.of("proc.name = x", "macros.yaml")
    body = parse(inner)
    tree = Or(tuple(MacroUse("m", body, inner, Span(0, 1)) for _ in range(2)), Span(0, 1))
    condition = Checker().check(tree, Text.of("m or m")).condition
    assert isinstance(condition, AnyOf)
    first, second = condition.children
    assert isinstance(first, Macro)
    assert first is second
    assert first.name == "m"


def test_nested_logic_of_one_kind_is_flattened() -> None:
    condition = typed("evt.num = 1 and (evt.num = 2 and evt.num = 3) and not (evt.num = 4 or evt.num = 5)")
    assert isinstance(condition, AllOf)
    assert len(condition.children) == 4
    last = condition.children[-1]
    assert isinstance(last, Negation)
    assert isinstance(last.child, AnyOf)
