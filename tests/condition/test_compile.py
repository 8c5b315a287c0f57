"""Compiled rules: which match, and how little they read for that."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from refengine.condition.compile import Match, compile_conditions
from refengine.condition.reader import Read
from refengine.condition.typed import AllOf, AnyOf, Condition, Macro, Negation
from refengine.errors import UnsupportedFieldError
from refengine.event import RecordedEvent
from refengine.fields.catalogue import CATALOGUE
from refengine.fields.extractor import AttributePath
from refengine.fields.readers import SystemReader
from refengine.fields.reading import FieldRead
from refengine.fields.registry import EXTRACTORS
from refengine.values import Value
from tests.condition.evaluate import READER, typed
from tests.events import applied, machine, made


class CountingReader:
    """Reads recorded events and counts how often each field is read."""

    def __init__(self) -> None:
        self.bound: Counter[str] = Counter()
        self.read: Counter[str] = Counter()

    def bind(self, field: FieldRead) -> Read:
        self.bound[field.key] += 1
        inner = READER.bind(field)

        def read(event: Any) -> Value | None:
            self.read[field.key] += 1
            return inner(event)

        return read


def program(*conditions: Condition | str, first_only: bool = False) -> tuple[Match, CountingReader]:
    reader = CountingReader()
    whole = [typed(each) if isinstance(each, str) else each for each in conditions]
    match = compile_conditions(
        enumerate(whole), reader, event_type="open", first_only=first_only, numbered=False
    )
    return match, reader


def event(**values: Value) -> RecordedEvent:
    """Return an event of type open; `name` is proc.name, and so on."""
    return RecordedEvent({"evt.type": "open", **{f"proc.{name}": value for name, value in values.items()}})


def test_all_or_the_first_of_the_rules_that_match() -> None:
    conditions = ("proc.name = a", "proc.name = b", "proc.pid = 1", "evt.type = open")
    every, _ = program(*conditions)
    assert every(event(name="b", pid=1)) == (1, 2, 3)
    assert every(event()) == (3,)
    first, _ = program(*conditions, first_only=True)
    assert first(event(name="b", pid=1)) == (1,)
    assert first(event(pid=1)) == (2,)
    assert first(event()) == (3,)


def test_rules_keep_the_indices_that_they_were_given() -> None:
    match = compile_conditions(
        [(40, typed("proc.name = a")), (7, typed("proc.name = a"))],
        READER,
        event_type=None,
        first_only=False,
    )
    assert match(event(name="a")) == (40, 7)


def test_no_rules_match_nothing() -> None:
    for first_only in (True, False):
        match, reader = program("evt.type = close", first_only=first_only)
        assert match(event()) == ()
        assert not reader.bound
        empty, _ = program(first_only=first_only)
        assert empty(event()) == ()


def test_rules_behind_one_that_always_matches_first_are_left_out() -> None:
    match, reader = program("evt.type = open", "proc.name = a", first_only=True)
    assert match(event(name="a")) == (0,)
    assert not reader.bound


def test_a_field_is_read_once_an_event_however_many_rules_use_it() -> None:
    rules = [
        f"proc.name = n{number} or (proc.name startswith x and proc.pid = {number})" for number in range(50)
    ]
    match, reader = program(*rules)
    assert match(event(name="n3")) == (3,)
    assert reader.read == {"proc.name": 1}
    assert match(event(name="x", pid=7)) == (7,)
    assert reader.read == {"proc.name": 2, "proc.pid": 1}
    assert match(event()) == ()
    assert reader.read["proc.name"] == 3
    assert reader.bound == {"proc.name": 1, "proc.pid": 1}


def test_a_field_is_read_only_when_it_is_needed() -> None:
    match, reader = program(
        "proc.pid = 1 and proc.name = a",
        "proc.pid = 2 or proc.name = a",
        "not (proc.pid != 1 or proc.cwd = b)",
    )
    assert match(event(pid=2, name="a")) == (1,)
    assert reader.read == {"proc.pid": 1}
    reader.read.clear()
    assert match(event(pid=1, name="a", cwd="c")) == (0, 1, 2)
    assert reader.read == {"proc.pid": 1, "proc.name": 1, "proc.cwd": 1}


def test_a_field_that_only_some_ways_read_is_still_read_once() -> None:
    match, reader = program(
        "(proc.pid = 1 and proc.name = a) or proc.ppid = 9",
        "proc.name = a",
        "(proc.ppid = 9 or proc.name = a) and proc.name = val(proc.cwd)",
    )
    for pid in (1, 2):
        for ppid in (8, 9):
            reader.read.clear()
            match(event(pid=pid, ppid=ppid, name="a", cwd="a"))
            assert max(reader.read.values()) == 1


def test_transformed_fields_are_computed_once() -> None:
    match, reader = program("tolower(proc.name) = a", "tolower(proc.name) = b", "len(tolower(proc.name)) = 1")
    assert match(event(name="B")) == (1, 2)
    assert reader.read["proc.name"] <= 2  # once for each different operand


def shared(text: str) -> Macro:
    return Macro("shared", typed(text))


def test_a_shared_macro_is_evaluated_at_most_once_an_event() -> None:
    macro = shared("proc.name in (a, b) and tolower(proc.cwd) = /x")
    rest = [typed(f"proc.pid = {number}") for number in range(4)]
    match, reader = program(
        *(AllOf((macro, each)) for each in rest),
        AllOf((rest[1], Negation(macro))),
        AnyOf((rest[3], macro)),
    )
    assert match(event(name="a", cwd="/X", pid=2)) == (2, 5)
    assert reader.read == {"proc.name": 1, "proc.cwd": 1, "proc.pid": 1}
    reader.read.clear()
    assert match(event(name="c", pid=1)) == (4,)
    assert reader.read == {"proc.name": 1, "proc.pid": 1}


def test_a_macro_first_met_on_a_way_not_taken_is_evaluated_later() -> None:
    macro = shared("proc.name = a and proc.cwd = /x")
    match, _ = program(AllOf((typed("proc.pid = 1"), macro)), AnyOf((typed("proc.pid = 2"), macro)), macro)
    for pid, name, cwd in [(1, "a", "/x"), (2, "a", "/x"), (3, "a", "/x"), (3, "b", "/x"), (1, "a", "/")]:
        holds = name == "a" and cwd == "/x"
        expected = [pid == 1 and holds, pid == 2 or holds, holds]
        assert match(event(pid=pid, name=name, cwd=cwd)) == tuple(
            index for index, verdict in enumerate(expected) if verdict
        )


@pytest.mark.parametrize("value", ["')", '"); import os; ("', "\\x", "{}", "%s", "k1", "event", "é\n"])
def test_constants_never_become_code(value: str) -> None:
    quoted = '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    match, _ = program(
        f"proc.name = {quoted}", f"proc.name in ({quoted}, other)", f"proc.name contains {quoted}"
    )
    assert match(event(name=value)) == (0, 1, 2)
    code = match.__code__
    assert value not in code.co_consts
    assert value not in code.co_names


def test_keys_of_fields_never_become_code() -> None:
    match, _ = program("proc.env['x\"); (\\''] = 1", "proc.env[v0] = 1")
    assert match(RecordedEvent({"evt.type": "open", "proc.env[v0]": "1"})) == (1,)


def test_a_field_that_cannot_be_read_is_an_error_when_rules_are_compiled() -> None:
    class Refusing:
        def bind(self, field: FieldRead) -> Read:
            raise UnsupportedFieldError(field.key)

    with pytest.raises(UnsupportedFieldError, match=r"proc\.name"):
        compile_conditions([(0, typed("proc.name = a"))], Refusing(), event_type=None, first_only=True)
    assert compile_conditions([], Refusing(), event_type=None, first_only=True)(event()) == ()


def attribute_paths() -> dict[str, AttributePath]:
    """Return the fields that are read by following attributes, by their names."""
    bound = {
        name: each.bind("0") for name, each in EXTRACTORS.items() if not CATALOGUE[name].argument_required
    }
    # The type of an event, which decides where a rule is evaluated, is compared with constants only.
    return {
        name: read for name, read in bound.items() if isinstance(read, AttributePath) and name != "evt.type"
    }


def test_attributes_that_are_written_out_are_what_their_extractors_read() -> None:
    paths = attribute_paths()
    assert {"proc.name", "proc.pname", "fd.ino", "evt.num", "evt.hostname"} <= set(paths)
    state = machine((100, 50, "cat"), (50, 1, "sh"), (200, 60, "lost"))
    with_parent = applied(state, "SYSCALL_OPENAT_2_X", 100, fd=3, name="/x", ino=7)
    for at in (with_parent, applied(state, "SYSCALL_CLOSE_X", 200), made("SYSCALL_CLOSE_X", 100)):
        for name, read in paths.items():
            match = compile_conditions(
                [(0, typed(f"{name} exists")), (1, typed(f"{name} = val({name})"))],
                SystemReader(),
                event_type=None,
                first_only=False,
            )
            assert match(at) == (() if read(at) is None else (0, 1)), name


def test_compiled_rules_follow_attributes_to_their_values() -> None:
    state = machine((100, 50, "cat"), (50, 1, "sh"))
    conditions = ["proc.name = cat", "proc.pname = sh", "proc.pid = 100", "proc.pname = cat"]
    match = compile_conditions(
        [(index, typed(text)) for index, text in enumerate(conditions)],
        SystemReader(),
        event_type="close",
        first_only=False,
    )
    assert match(applied(state, "SYSCALL_CLOSE_X", 100)) == (0, 1, 2)
    assert match(applied(state, "SYSCALL_CLOSE_X", 50)) == ()
