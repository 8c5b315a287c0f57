"""The seccomp program, run by a small interpreter of its instructions."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import pytest

from refengine.backends.base import Interest
from refengine.backends.ptrace.filter import ArgumentTest, compile_filter
from refengine.backends.ptrace.plan import OBSERVABLE, make_plan
from refengine.tables.syscalls import BY_NAME

X86_64 = 0xC000003E
I386 = 0x40000003
X32 = 0x40000000
ALLOW, TRACE = 0x7FFF0000, 0x7FF00000


def action(
    program: bytes,
    number: int,
    architecture: int = X86_64,
    arguments: Sequence[int] = (),
    loads: set[int] | None = None,
) -> int:
    """Return what the program says to a call, and put the offsets of what it looks at into `loads`."""
    data = struct.pack("=IIQ6Q", number, architecture, 0, *arguments, *[0] * (6 - len(arguments)))
    instructions = list(struct.iter_unpack("=HBBI", program))
    accumulator, position = 0, 0
    while True:
        code, if_true, if_false, k = instructions[position]
        position += 1
        if code == 0x20:
            if loads is not None:
                loads.add(k)
            (accumulator,) = struct.unpack_from("=I", data, k)
        elif code == 0x54:
            accumulator &= k
        elif code == 0x15:
            position += if_true if accumulator == k else if_false
        elif code == 0x06:
            return int(k)
        else:
            raise AssertionError(f"an instruction that no filter should have: {code:#x}")


def test_only_the_calls_asked_for_are_traced() -> None:
    program = compile_filter({257: None, 59: None})
    assert {n for n in range(600) if action(program, n) == TRACE} == {59, 257}
    assert action(program, 59 | X32) == TRACE
    assert action(program, 58 | X32) == ALLOW


def test_of_a_call_that_is_not_traced_nothing_but_the_number_is_looked_at() -> None:
    """The kernel remembers such calls, and asks the filter no more."""
    program = compile_filter({157: ArgumentTest(0, frozenset({15})), 257: ArgumentTest(2, frozenset({0}), 3)})
    loads: set[int] = set()
    assert {action(program, n, loads=loads) for n in range(600) if n not in (157, 257)} == {ALLOW}
    assert loads == {0, 4}  # number and architecture


def test_calls_of_another_architecture_are_allowed() -> None:
    assert action(compile_filter({11: None}), 11, I386) == ALLOW


def test_nothing_to_trace() -> None:
    assert action(compile_filter({}), 0) == ALLOW


def test_an_argument_decides() -> None:
    program = compile_filter(
        {157: ArgumentTest(0, frozenset({15})), 158: None, 2: ArgumentTest(5, frozenset({7}))}
    )
    assert action(program, 157, arguments=[15]) == TRACE
    assert action(program, 157, arguments=[16]) == ALLOW
    assert action(program, 157, arguments=[15 | 1 << 32]) == TRACE  # the kernel looks at 32 bits
    assert action(program, 158, arguments=[16]) == TRACE
    assert action(program, 2, arguments=[0, 0, 0, 0, 0, 7]) == TRACE
    assert action(program, 2, arguments=[7]) == ALLOW


def test_every_call_at_once_still_fits() -> None:
    plan = make_plan(Interest(None))
    program = compile_filter({number: call.test for number, call in plan.calls.items()})
    assert len(program) // 8 <= 4096
    assert all(action(program, number) == TRACE for number in plan.calls)
    for name in ("exit", "exit_group", "rt_sigreturn"):
        assert BY_NAME[name].number not in plan.calls


@pytest.mark.parametrize("name", ["clone", "execve", "openat"])
def test_names_are_event_types(name: str) -> None:
    plan = make_plan(Interest(frozenset({name})))
    assert BY_NAME[name].number in plan.calls
    number = BY_NAME["prctl"].number
    assert number is not None
    assert plan.calls[number].test == ArgumentTest(0, frozenset({15}))


def test_an_event_type_named_otherwise_than_its_call() -> None:
    plan = make_plan(Interest(frozenset({"pread", "prlimit"})))
    assert {"pread64", "prlimit64"} <= {call.name for call in plan.calls.values()}


def test_costly_details_only_where_they_are_read() -> None:
    types = frozenset({"openat"})
    plain = make_plan(Interest(types, frozenset({"fd.name", "proc.name"})))
    asked = (plain.identify, plain.creations, plain.cpu, plain.exits, plain.signals)
    assert not any(asked)
    assert make_plan(Interest(types, frozenset({"fd.ino"}))).identify
    assert make_plan(Interest(types, frozenset({"evt.is_open_create"}))).creations == {257}
    assert make_plan(Interest(types, frozenset({"evt.arg.flags"}))).creations == {257}
    assert make_plan(Interest(types, frozenset({"evt.arg", "evt.arg[3]"}))).creations == {257}
    assert not make_plan(Interest(types, frozenset({"evt.arg", "evt.arg.name"}))).creations
    assert make_plan(Interest(types, frozenset({"evt.cpu"}))).cpu
    everything = make_plan(Interest(None))
    assert everything.identify
    assert everything.signals


def test_what_can_be_observed() -> None:
    assert {"openat", "pread", "clone3", "procexit", "signaldeliver", "syscall", "getppid"} <= OBSERVABLE
    assert OBSERVABLE.isdisjoint(
        {"exit_group", "rt_sigreturn", "page_fault", "switch", "drop", "container", ""}
    )
