"""Old events as current ones: what becomes of each event type, and where a current exit's parameters come from.

Older recorders wrote an event at the entry of a system call and one at its end. Today the end carries
everything. An exit is brought up to date by taking each parameter of the current type, by name, from the old exit,
else from the entry that the same thread had before it. Names do not always agree and a few are treated
specially; those cases are the tables here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from refengine.tables.event_types import BY_ENUM, EVENT_TYPES, EventType


class Action(Enum):
    """What becomes of an event when everything is of interest."""

    DROP = "drop"
    STORE = "store"
    STORE_AND_COUNT = "store and count"
    """Falco numbers these entries of system calls, but shows them to no rule."""
    DELIVER = "deliver"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a parameter of the current type comes from: positions in the old exit and in the entry, -1 for neither.

    `zero` is set where a parameter that is in neither becomes zero rather than absent.
    """

    own: int
    enter: int
    zero: bool = False


@dataclass(frozen=True, slots=True)
class Conversion:
    """How events of one type become events of `target`; `sources` are None where they stay as they are."""

    action: Action
    target: EventType
    sources: tuple[Source, ...] | None = None

    @property
    def uses_enter(self) -> bool:
        """True when parameters may come from the entry of the same system call."""
        return self.sources is not None and any(source.enter >= 0 for source in self.sources)


SUCCESSORS: Mapping[str, str] = {
    "SOCKET_ACCEPT4_X": "SOCKET_ACCEPT4_6_X",
    "SOCKET_ACCEPT4_5_X": "SOCKET_ACCEPT4_6_X",
}
"""Current types that the name alone does not tell."""

RENAMED: Mapping[str, Mapping[str, str]] = {
    "SYSCALL_BRK_1_X": {"vm_size": "size"},
    "SYSCALL_BPF_X": {"fd": "res_or_fd"},
    "SYSCALL_DUP_X": {"oldfd": "fd"},
    "SYSCALL_DUP_1_X": {"oldfd": "fd"},
    "SYSCALL_DUP2_X": {"oldfd": "fd"},
    "SYSCALL_DUP3_X": {"oldfd": "fd"},
}
"""The old names of parameters, by the old exit's type and the current name."""

UNRELATED: Mapping[str, frozenset[str]] = {"SYSCALL_EXECVEAT_X": frozenset({"flags"})}
"""Parameters of an entry that mean something else than those of the same name at the exit."""

ZERO: Mapping[str, frozenset[str]] = {
    "SOCKET_ACCEPT_5_X": frozenset({"queuelen", "queuemax"}),
    "SOCKET_ACCEPT4_6_X": frozenset({"queuelen", "queuemax"}),
    "SOCKET_SOCKET_X": frozenset({"flags"}),
    "SYSCALL_FCNTL_X": frozenset({"arg"}),
    "SOCKET_SENDMMSG_X": frozenset({"res"}),
    "SOCKET_RECVMMSG_X": frozenset({"res"}),
}
"""Parameters of current types that are zero where no older event has them."""


def _current_types() -> dict[tuple[str, bool], EventType]:
    return {(row.name, row.is_exit): row for row in EVENT_TYPES if not row.flags & {"old_version", "unused"}}


def _sources(old: EventType, target: EventType) -> tuple[Source, ...]:
    enter = EVENT_TYPES[old.code - 1].index if old.is_exit else {}
    renamed = RENAMED.get(old.enum, {})
    unrelated = UNRELATED.get(old.enum, frozenset())
    zero = ZERO.get(target.enum, frozenset())
    sources = []
    for param in target.params:
        name = renamed.get(param.name, param.name)
        own = old.index.get(name, old.index.get(param.name, -1))
        from_enter = -1 if name in unrelated else enter.get(name, -1)
        sources.append(Source(own, from_enter, param.name in zero))
    return tuple(sources)


def _conversions() -> tuple[Conversion, ...]:
    current = _current_types()
    stored = {row.code - 1 for row in EVENT_TYPES if row.is_exit and "converter_managed" in row.flags}
    rows = []
    for row in EVENT_TYPES:
        successor = SUCCESSORS.get(row.enum)
        target = BY_ENUM[successor] if successor else current.get((row.name, row.is_exit))
        if "unused" in row.flags or (target is None and row.code not in stored):
            rows.append(Conversion(Action.DROP, row))
        elif target is None:
            rows.append(Conversion(Action.STORE, row))
        elif target is row and not row.is_exit:
            action = Action.STORE_AND_COUNT if row.code in stored else Action.DELIVER
            rows.append(Conversion(action, row))
        elif not row.is_exit and row.code in stored:
            # The entry of an old version of a call whose current entry is still numbered.
            rows.append(Conversion(Action.STORE, row))
        elif target is row and "converter_managed" not in row.flags:
            rows.append(Conversion(Action.DELIVER, row))
        else:
            rows.append(Conversion(Action.DELIVER, target, _sources(row, target)))
    return tuple(rows)


CONVERSIONS: tuple[Conversion, ...] = _conversions()
"""The conversion of every event type, at the index of its code."""
