"""The system calls: names, x86-64 numbers, and the event types of their entry and exit."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from refengine.tables.event_types import BY_ENUM, EventType
from refengine.tables.load import read_table


class Syscall(NamedTuple):
    """A system call; `number` is its x86-64 number, None where that architecture has none."""

    name: str
    code: int
    number: int | None
    enter: EventType
    exit: EventType


SYSCALLS: tuple[Syscall, ...] = tuple(
    Syscall(row["name"], row["sc_code"], row.get("x86_64"), BY_ENUM[row["enter"]], BY_ENUM[row["exit"]])
    for row in read_table("syscalls")
)

BY_NAME: Mapping[str, Syscall] = MappingProxyType({call.name: call for call in SYSCALLS})
BY_NUMBER: Mapping[int, Syscall] = MappingProxyType(
    {call.number: call for call in SYSCALLS if call.number is not None}
)
BY_CODE: Mapping[int, Syscall] = MappingProxyType({call.code: call for call in SYSCALLS})
"""By the capture format's own code, which generic events carry in their `ID` parameter."""
