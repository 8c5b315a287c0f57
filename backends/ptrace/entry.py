"""What is looked at when an open is entered: enough to tell whether an event of it may match."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, TypeAlias

from refengine.backends.ptrace.memory import Memory
from refengine.backends.ptrace.opens import Acquaintance, Foresight
from refengine.backends.syscalls.call import signed
from refengine.event.paths import AT_FDCWD
from refengine.tables.syscalls import BY_NAME

Gate: TypeAlias = "Callable[[int, tuple[int, ...]], bool]"
"""Tells whether the event of a call may match, given its thread and what it is called with (number, arguments)."""

_HOW = struct.Struct("=Q")


class _Places(NamedTuple):
    """Where a call has its directory, its path and its flags, or the address of these; 0 is its number."""

    directory: int | None
    path: int
    flags: int
    by_address: bool = False


_PLACES: Final[Mapping[int | None, _Places]] = {
    BY_NAME["open"].number: _Places(None, 1, 2),
    BY_NAME["openat"].number: _Places(1, 2, 3),
    BY_NAME["openat2"].number: _Places(1, 2, 3, by_address=True),
}


def gates(
    memory: Memory, foresights: Mapping[int, Foresight], acquaintance: Acquaintance | None
) -> Mapping[int, Gate]:
    """Return by system call number what tells whether it matters; `acquaintance` tells of threads, if anything."""
    return {
        number: _gate(memory, foresight, acquaintance, _PLACES[number])
        for number, foresight in foresights.items()
    }


def _gate(memory: Memory, foresight: Foresight, acquaintance: Acquaintance | None, places: _Places) -> Gate:
    # The hottest function of all: a build makes a thousand opens a file. Hence local names only.
    raw_string, unpack, decide = memory.raw_string, memory.unpack, foresight.may_match
    at_path, at_flags, by_address = places.path, places.flags, places.by_address
    name_of = None if acquaintance is None or not foresight.names else acquaintance.name

    def may_match(tid: int, words: tuple[int, ...]) -> bool:
        path = raw_string(tid, words[at_path])
        if path is None:
            return True
        flags = words[at_flags]
        if by_address:
            members = unpack(tid, flags, _HOW)
            if members is None:
                return True
            flags = members[0]
        comm = None if name_of is None else name_of(tid)
        if path[:1] == b"/":
            return decide(flags, path, "", False, comm)
        if acquaintance is None:
            return decide(flags, path, None, False, comm)
        directory = AT_FDCWD if places.directory is None else signed(words[places.directory])
        base = acquaintance.directory(tid, directory)
        return decide(flags, path, base, directory == AT_FDCWD, comm)

    return may_match
