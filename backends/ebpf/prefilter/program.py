"""Prefilters in C: for each system call a program that lets pass what some rule may match.

What costs little is looked at first: after each step the formula is asked with all that is not known yet taken
for true, and an event that cannot fulfil it any more is done with.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, reduce
from operator import or_
from typing import Final, TypeAlias

from refengine.backends.ebpf.plan import EXECUTIONS, Plan
from refengine.backends.ebpf.prefilter.atom import Atom
from refengine.backends.ebpf.prefilter.facts import Facts, Level
from refengine.backends.ebpf.prefilter.sockets import USES
from refengine.backends.ebpf.prefilter.table import OPENS, PATHS, atom
from refengine.backends.ebpf.prefilter.text import COMPONENT_MAX
from refengine.backends.ebpf.prefilter.values import names_key
from refengine.backends.precondition import AllOf, Comparison, Precondition

TRUE, FALSE = "1", "0"

_FLAGS: Final[Mapping[str, int | None]] = {"open": 1, "openat": 2, "openat2": None}
"""Of calls that open files, the argument with the flags, None where they are in a structure."""


_Steps: TypeAlias = "tuple[tuple[Level, str], ...]"
"""The levels at which something is decided, each with the formula in C."""


_FAILURES: Final[_Steps] = ((Level.RESULT, "f->result < 0"),)

_FIRST_PART: Final = 2
"""The place of the first second part among the continuations."""

_FACT: Final = re.compile(r"\bf->")
"""A fact in a formula. Where few calls come, it is read from memory each time: of what is in a register the verifier
learns something by each comparison, and has to look at each combination of what it has learnt."""

_TEXT_MAX: Final = 120_000
"""Characters of a program that the compiler is done with soon: half a million keep it busy for minutes."""

_TOO_LONG: Final = "its text is too long to be compiled"

_REMEMBERED: Final = 4096
"""Comparisons whose atoms are remembered: each is asked for at every level, and for its cost."""


@dataclass(frozen=True, slots=True)
class Prefilters:
    """The prefilters of a set of rules.

    `texts` is the C of each function by its name, `functions` the name of the one for each system call that has one,
    which calls with the same formula share, `parts` the second parts that some go on with, by their names, and their places
    among the continuations, `never` the calls of which no event can match any rule, `names` the sets of names that are
    looked up, by their keys. `left_out` are functions and parts that are not in the texts, with the reason: then their events pass.
    """

    texts: Mapping[str, str]
    functions: Mapping[int, str]
    parts: Mapping[str, int]
    never: frozenset[int]
    names: Mapping[int, frozenset[bytes]]
    left_out: Mapping[str, str]


def make_prefilters(plan: Plan, preconditions: Mapping[str, Precondition]) -> Prefilters:
    """Return the prefilters for the system calls of `plan`."""
    groups: dict[tuple[_Steps, frozenset[Level], int], dict[int, str]] = {}
    never: set[int] = set()
    names: dict[int, frozenset[bytes]] = {}
    for number, watched in plan.calls.items():
        if watched.name in EXECUTIONS:
            # One that went well is told of where the new program is in place.
            groups.setdefault((_FAILURES, frozenset(), 0), {})[number] = watched.name
            continue
        precondition = preconditions.get(watched.name)
        if precondition is None:
            continue
        if precondition is False:
            never.add(number)
            continue
        steps = tuple(_steps(watched.name, precondition))
        if steps:
            levels = frozenset(_levels(watched.name, precondition))
            lengths = _lengths(precondition)
            groups.setdefault((steps, levels, lengths), {})[number] = watched.name
            names.update((names_key(found), found) for found in _names(watched.name, precondition) if found)
    functions: dict[int, str] = {}
    parts: dict[str, int] = {}
    texts: dict[str, str] = {}
    left_out: dict[str, str] = {}
    for (steps, levels, lengths), members in groups.items():
        name = f"prefilter_{min(members)}"
        first, second = _parted(steps, levels)
        looks = _Looks(members, levels, lengths)
        functions.update(dict.fromkeys(members, name))
        ending = "pass(ctx, s)"
        place = _FIRST_PART + len(parts)
        text = _function(name, looks, first, f"go_on(ctx, s, {place})" if second else ending, counts=True)
        if len(text) > _TEXT_MAX:
            left_out[name] = _TOO_LONG
            continue
        texts[name] = text
        if second:
            # The place is taken in any case: where there is no second part, going on there lets the event pass.
            part = second_part(name)
            parts[part] = place
            text = _function(part, looks, second, ending)
            if len(text) > _TEXT_MAX:
                left_out[part] = _TOO_LONG
            else:
                texts[part] = text
    return Prefilters(texts, functions, parts, frozenset(never), names, left_out)


def second_part(function: str) -> str:
    """Return the name of what a prefilter goes on with, if it does."""
    return f"{function}_name"


def _parted(steps: _Steps, levels: frozenset[Level]) -> tuple[_Steps, _Steps]:
    """Return the steps of the first and of the second part, which few calls come to: that is where names are made.

    The first is small, so that it is quick, and the kernel takes it where the second is too large.
    """
    first = tuple(step for step in steps if step[0] < Level.NAME)
    return (first, steps[len(first) :]) if first and Level.NAME in levels else (steps, ())


def _lengths(precondition: Precondition) -> int:
    """Return how long the last components of directories are that are compared: a bit for each length."""
    if isinstance(precondition, Comparison):
        texts = precondition.constants if precondition.field == "fd.directory" else ()
        found = {len(os.fsencode(str(text).rpartition("/")[2])) for text in texts}
        return sum(1 << length for length in found if length <= COMPONENT_MAX)
    if isinstance(precondition, bool):
        return 0
    return reduce(or_, map(_lengths, precondition.parts), 0)


def _steps(event_type: str, precondition: Precondition) -> Iterator[tuple[Level, str]]:
    """Yield the levels at which something can be decided, each with the formula."""
    before = TRUE
    for level in Level:
        formula = expression(event_type, precondition, level)
        if formula not in (TRUE, before):
            yield level, formula
            before = formula


def expression(event_type: str, precondition: Precondition, level: Level) -> str:
    """Return the formula in C, with what lies beyond `level` taken for true."""
    if isinstance(precondition, bool):
        return TRUE if precondition else FALSE
    if isinstance(precondition, Comparison):
        found = _atom(event_type, precondition).at(level)
        return TRUE if found is None else found.wanted(precondition.holds)
    is_all = isinstance(precondition, AllOf)
    neutral, decisive = (TRUE, FALSE) if is_all else (FALSE, TRUE)
    ordered = sorted(precondition.parts, key=lambda part: _cost(event_type, part))
    parts = [expression(event_type, part, level) for part in ordered]
    if decisive in parts:
        return decisive
    kept = [part for part in dict.fromkeys(parts) if part != neutral]
    if not kept:
        return neutral
    return kept[0] if len(kept) == 1 else f"({' && '.join(kept)})" if is_all else f"({' || '.join(kept)})"


def _cost(event_type: str, precondition: Precondition) -> tuple[int, int]:
    """Return what orders the parts of a formula: the highest level, then the number of comparisons."""
    if isinstance(precondition, bool):
        return 0, 0
    if isinstance(precondition, Comparison):
        return _atom(event_type, precondition).level, len(precondition.constants)
    costs = [_cost(event_type, part) for part in precondition.parts]
    return max(level for level, _ in costs), sum(count for _, count in costs)


def _names(event_type: str, precondition: Precondition) -> Iterator[frozenset[bytes]]:
    """Yield the sets of names that a formula looks up."""
    if isinstance(precondition, Comparison):
        yield _atom(event_type, precondition).names
    elif not isinstance(precondition, bool):
        for part in precondition.parts:
            yield from _names(event_type, part)


def _levels(event_type: str, precondition: Precondition) -> Iterator[Level]:
    """Yield the levels that a formula looks at."""
    if isinstance(precondition, Comparison):
        found: Atom | None = _atom(event_type, precondition)
        while found is not None:
            yield found.level
            found = found.hint
    elif not isinstance(precondition, bool):
        for part in precondition.parts:
            yield from _levels(event_type, part)


def passes(event_type: str, precondition: Precondition, facts: Facts) -> bool:
    """Return what the prefilter decides, in Python: for tests, and to show what it would do."""
    return all(_passes(event_type, precondition, facts, level) for level in Level)


def _passes(event_type: str, precondition: Precondition, facts: Facts, level: Level) -> bool:
    if isinstance(precondition, bool):
        return precondition
    if isinstance(precondition, Comparison):
        found = _atom(event_type, precondition).at(level)
        outcome = None if found is None else found.holds(facts)
        return outcome is None or outcome is precondition.holds
    outcomes = (_passes(event_type, part, facts, level) for part in precondition.parts)
    return all(outcomes) if isinstance(precondition, AllOf) else any(outcomes)


@lru_cache(_REMEMBERED)
def _atom(event_type: str, comparison: Comparison) -> Atom:
    found = atom(event_type, comparison)
    assert found is not None, "preconditions have only what is decided"
    return found


@dataclass(frozen=True, slots=True)
class _Looks:
    """What a program has to look at: the calls it is for, names by number, which differ in their arguments only.

    What a level looks at is read where it is one of `levels`, or others do with it; `lengths` are those of `_lengths`.
    """

    members: Mapping[int, str]
    levels: frozenset[Level]
    lengths: int


def _function(name: str, looks: _Looks, steps: _Steps, ending: str, *, counts: bool = False) -> str:
    """Return a program that asks `steps`, and ends with what `ending` says; where it `counts`, events are new to it."""
    lines = [
        f"int {name}(struct exit_context *ctx)",
        "{",
        "    struct scratch *s = own_scratch();",
        "    if (!s)",
        "        return 0;",
        *(["    s->counters[SEEN]++;"] if counts else []),
        "    struct facts *f = begin_facts(s, CALL_RESULT(ctx));",
        "    volatile struct facts *now = f;",
    ]
    reached = Level.RESULT
    for level, formula in steps:
        # A formula of one level may have parts of every lower one, though alone they decided nothing.
        for passed in map(Level, range(reached + 1, level + 1)):
            if passed in looks.levels or passed is Level.ARGUMENTS:
                lines += _READS[passed](looks)
        reached = level
        if level >= Level.NAME:
            formula = _FACT.sub("now->", formula)
        lines += [f"    if (!({formula}))", "        return reject(s);"]
    return "\n".join([*lines, f"    return {ending};", "}", ""])


def _read_arguments(looks: _Looks) -> list[str]:
    lines = ["    const char *task = (const char *)bpf_get_current_task_btf();", "    read_call(f, task);"]
    for number, name in looks.members.items():
        if name in OPENS:
            flags = _FLAGS[name]
            read = "read_how(f, f->args[2])" if flags is None else f"use_flags(f, f->args[{flags}])"
            lines += [f"    if (CALL_NUMBER(ctx) == {number})", f"        {read};"]
    return lines


def _read_text(looks: _Looks) -> list[str]:
    """Return the reading of the path: its place among the arguments differs, its reading is in the program once."""
    lines = [
        "    struct given_text text;",
        "    u64 address = f->args[0];",
        "    s64 directory = WORKING_DIRECTORY_NUMBER;",
    ]
    beside_folder = [number for number, name in looks.members.items() if PATHS[name] == (0, 1)]
    if beside_folder:
        condition = " || ".join(f"CALL_NUMBER(ctx) == {number}" for number in beside_folder)
        lines += [
            f"    if ({condition}) {{",
            "        directory = f->args[0];",
            "        address = f->args[1];",
            "    }",
        ]
    return [*lines, f"    read_text(f, &text, address, directory, task, {looks.lengths:#x});"]


def _read_socket(looks: _Looks) -> list[str]:
    uses = {number: USES[name] for number, name in looks.members.items()}
    lines = ["    struct ends *e = own_ends();", f"    u32 use = {min(uses.values()).name};"]
    for number, use in uses.items():
        if use is not min(uses.values()):
            lines += [f"    if (CALL_NUMBER(ctx) == {number})", f"        use = {use.name};"]
    return [*lines, "    if (!e)", "        return pass(ctx, s);", "    read_ends(f, e, use);"]


_READS: Final[Mapping[Level, Callable[[_Looks], list[str]]]] = {
    Level.ARGUMENTS: _read_arguments,
    Level.CONTAINER: lambda _: ["    bool on_host = is_on_host();"],
    Level.SOCKET: _read_socket,
    Level.TEXT: _read_text,
    Level.NAME: lambda _: ["    read_name(s, f, &text, directory);"],
    Level.THREAD: lambda _: ["    read_thread(f);"],
}
"""What has to be read to reach a level from the one below it."""
