"""The event types: one row for each kind of event, with the parameters that it carries, in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from refengine.tables.load import read_table
from refengine.values import Format, ValueType


class Parameter(NamedTuple):
    """One parameter of an event type.

    `flag_table` names the table (see `flags`) of a flags or enumeration parameter; `dirfd_param` is the index
    of the parameter that a relative path is relative to; `alternatives` are the types of a `dyn` parameter.
    """

    name: str
    type: ValueType
    format: Format
    flag_table: str | None = None
    dirfd_param: int | None = None
    alternatives: tuple[ValueType, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class EventType:
    """A row of the event table; compared by identity, since each code has exactly one."""

    code: int
    enum: str
    name: str
    is_exit: bool
    source: str
    category: str
    flags: frozenset[str]
    params: tuple[Parameter, ...]
    index: Mapping[str, int]
    """Position of each parameter by name; the first where a name occurs twice."""

    def __repr__(self) -> str:
        return f"<EventType {self.code} {self.enum}>"


def _read() -> tuple[EventType, ...]:
    # Enumerations take long to look something up in, for some thousand parameters.
    types = {each.value: each for each in ValueType}
    formats = {each.value: each for each in Format}
    rows = []
    for row in read_table("events"):
        params = tuple(
            [
                Parameter(
                    param["name"],
                    types[param["type"]],
                    formats[param["format"]],
                    param.get("flag_table"),
                    param.get("dirfd_param"),
                    tuple([types[option["type"]] for option in param["dyn"]]) if "dyn" in param else (),
                )
                for param in row["params"]
            ]
        )
        index: dict[str, int] = {}
        for position, param in enumerate(params):
            index.setdefault(param.name, position)
        rows.append(
            EventType(
                row["code"],
                row["enum"],
                row["name"],
                row["direction"] == "exit",
                row["source"],
                row["category"],
                frozenset(row["flags"]),
                params,
                MappingProxyType(index),
            )
        )
    return tuple(rows)


EVENT_TYPES: tuple[EventType, ...] = _read()
"""Every event type, at the index of its code."""

BY_ENUM: Mapping[str, EventType] = MappingProxyType({row.enum: row for row in EVENT_TYPES})
"""The event types by their constant names, for example `SYSCALL_OPENAT_2_X`."""
