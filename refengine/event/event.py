"""The event: the one contract between the system side and the rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from refengine.event.sockets import SocketAddress, SocketTuple
from refengine.tables.event_types import EventType
from refengine.tables.syscalls import BY_CODE

if TYPE_CHECKING:
    from refengine.state.descriptors import Descriptor
    from refengine.state.system import SystemState
    from refengine.state.threads import Thread

ParamValue: TypeAlias = "int | str | bytes | float | SocketAddress | SocketTuple | tuple[ParamValue, ...]"
"""A decoded parameter: integers (flags in the capture format's bits), text, bytes, socket addresses."""


GENERIC = "syscall"
"""The name of the event types of system calls that have none of their own."""


class Event:
    """Something that a thread did, or that happened to it.

    `name` is the value of `evt.type`: the type's name, or the system call's own name for a generic event.
    `time` is in nanoseconds since the epoch; `number` counts from 1 in the order of the source; `params` are in
    the order of `type.params`, None where absent, and may be shorter than the table when an older recorder
    wrote them; `params` may be any sequence that decodes its items when they are first asked for. `thread` and
    `descriptor` are what the state knew of the acting thread and of the file descriptor that the event
    concerns, set by `state` before any rule sees the event; `state` is that state of the whole machine.
    """

    __slots__ = (
        "cpu",
        "descriptor",
        "name",
        "number",
        "params",
        "source",
        "state",
        "thread",
        "tid",
        "time",
        "type",
    )

    def __init__(
        self,
        type: EventType,
        time: int,
        tid: int,
        params: Sequence[ParamValue | None] = (),
        *,
        number: int = 0,
        cpu: int = 0,
        source: str = "syscall",
    ) -> None:
        self.type = type
        self.name = type.name if type.name != GENERIC else _syscall_name(params)
        self.time = time
        self.tid = tid
        self.params = params
        self.number = number
        self.cpu = cpu
        self.source = source
        self.thread: Thread | None = None
        self.descriptor: Descriptor | None = None
        self.state: SystemState | None = None

    def param(self, name: str) -> ParamValue | None:
        """Return the parameter called `name`, None where the event has none or it is absent."""
        position = self.type.index.get(name)
        if position is None or position >= len(self.params):
            return None
        return self.params[position]

    def __repr__(self) -> str:
        return f"<Event {self.number} {self.name} tid={self.tid}>"


def _syscall_name(params: Sequence[ParamValue | None]) -> str:
    """Return the name of the system call of a generic event, whose first parameter is the call's code."""
    code = params[0] if params else None
    call = BY_CODE.get(code) if isinstance(code, int) else None
    return GENERIC if call is None else call.name
