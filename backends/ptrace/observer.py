"""From a stopped thread to an event: what is read at each kind of stop."""

from __future__ import annotations

import time
from typing import Final

from refengine.backends.ptrace import binding
from refengine.backends.ptrace.binding import X32_BIT, Registers, SyscallEntry
from refengine.backends.ptrace.creation import would_create
from refengine.backends.ptrace.entry import gates
from refengine.backends.ptrace.lifecycle import Lifecycle, exited
from refengine.backends.ptrace.memory import Memory
from refengine.backends.ptrace.opens import Acquaintance
from refengine.backends.ptrace.plan import CLONES, EXECUTIONS, PROCESS_EXIT, SIGNAL_DELIVERY, Plan
from refengine.backends.ptrace.process import processor
from refengine.backends.ptrace.tracees import Tracees
from refengine.backends.syscalls.call import Call
from refengine.event import Event, ParamValue
from refengine.tables.event_types import EventType
from refengine.tables.syscalls import BY_NAME

_CLONE_TYPES: Final = {BY_NAME[name].number: BY_NAME[name].exit for name in CLONES}
_NUMBER: Final = ~X32_BIT
_CLONE: Final = BY_NAME["clone"].exit
_EXECVE: Final = BY_NAME["execve"].exit
_VFORK_FLAGS: Final = 0x4000 | 0x100
"""What a vfork is in the kernel's flags of clone."""


class Observer:
    """Makes events of stops. `seen`, `unmatched`, `uninteresting` and `vanished` count calls and other happenings.

    `unmatched` are calls of which it was clear at their entry that no rule can match them. `vanished` are those
    whose thread was killed before its registers could be read. `acquaintance` tells what is known of threads.
    """

    def __init__(self, plan: Plan, snap_length: int, acquaintance: Acquaintance | None = None) -> None:
        self.plan = plan
        self.seen = 0
        self.unmatched = 0
        self.uninteresting = 0
        self.vanished = 0
        self._memory = Memory()
        self._tracees = Tracees()
        self._lifecycle = Lifecycle(plan.details, self._memory)
        self._call = Call(self._memory, self._tracees, snap_length, plan.identify)
        self._creating: set[int] = set()
        registers = Registers()
        self._entered = SyscallEntry(registers).read
        self._left = registers.read
        self._gates = gates(self._memory, plan.foresights, acquaintance)

    def call_matters(self, tid: int) -> bool:
        """Return, at the entry of a call, whether its exit may be an event that a rule matches."""
        words = self._entered(tid)
        if words is None:
            return True
        number = words[0] & _NUMBER
        gate = self._gates.get(number)
        if gate is not None and not gate(tid, words):
            self.unmatched += 1
            return False
        if number in self.plan.creations:
            call = self._call
            call.tid = tid
            call.args = words[1:]
            if would_create(call, self.plan.calls[number].name):
                self._creating.add(tid)
        return True

    def call_left(self, tid: int) -> Event | None:
        """Return the event of a call at its exit, None where nobody asked for it or it has one already."""
        registers = self._left(tid)
        if registers is None:
            self.vanished += 1
            return None
        a3, a5, a4, result, a2, a1, a0, number = registers
        watched = self.plan.calls.get(number & _NUMBER)
        arguments = (a0, a1, a2, a3, a4, a5)
        if watched is None or not (watched.test is None or watched.test.holds(arguments)):
            self.uninteresting += 1
            return None
        call = self._call
        call.tid = tid
        call.args = arguments
        call.result = result
        call.created = tid in self._creating
        if call.created:
            self._creating.discard(tid)
        params: list[ParamValue | None] | None
        if watched.name in EXECUTIONS:
            # The event of a successful one was made when the new program was in place.
            params = self._failed_execution(call, watched.name) if result < 0 else None
        elif watched.name in CLONES:
            # A child leaves the call too, with 0; its event was made when it first stopped.
            params = (
                self._lifecycle.cloned(result, tid, self._clone_flags(tid, number, a0)) if result else None
            )
        else:
            params = watched.decode(call)
        if params is None:
            self.uninteresting += 1
            return None
        return self._event(watched.type, tid, params)

    def born(self, tid: int) -> Event | None:
        """Return the event of a new thread or process: its own return, with 0, from the call that made it.

        The new thread starts with a copy of its maker's registers, which tell the call and its flags.
        """
        registers = self._left(tid)
        if registers is None:
            self.vanished += 1
            return None
        argument, number = registers[6:]
        params = self._lifecycle.cloned(0, tid, self._clone_flags(tid, number, argument))
        if params is None:
            self.vanished += 1
            return None
        return self._event(_CLONE_TYPES.get(number & _NUMBER, _CLONE), tid, params)

    def executed(self, tid: int) -> Event | None:
        """Return the event of a successful execution, the new program being in place.

        That of an `execveat` too is one of `execve`: the kernel makes it look so from here on.
        """
        params = self._lifecycle.executed(tid)
        if params is None:
            self.vanished += 1
            return None
        return self._event(_EXECVE, tid, params)

    def ended(self, tid: int, status: int) -> Event:
        """Return the event of a thread's end."""
        return self._event(PROCESS_EXIT, tid, exited(status, None))

    def signalled(self, tid: int, number: int) -> Event:
        """Return the event of a signal's delivery."""
        return self._event(SIGNAL_DELIVERY, tid, [binding.signal_sender(tid), tid, number])

    def forget(self, tid: int) -> None:
        """Drop what is remembered of a thread that has ended, or runs another program now."""
        self._memory.forget(tid)
        self._creating.discard(tid)
        self._tracees.forget(tid)

    def close(self) -> None:
        """Give back what is held open."""
        self._memory.close()

    def _event(self, type: EventType, tid: int, params: list[ParamValue | None]) -> Event:
        self.seen += 1
        event = Event(type, time.time_ns(), tid, params)
        if self.plan.cpu:
            event.cpu = processor(tid)
        return event

    def _failed_execution(self, call: Call, name: str) -> list[ParamValue | None] | None:
        path, argv, envp = call.args[1:4] if name == "execveat" else call.args[:3]
        return self._lifecycle.failed(name, call.tid, call.result, path, argv, envp)

    def _clone_flags(self, tid: int, number: int, argument: int) -> int:
        """Return the kernel's flags of a call of the clone family from its first argument."""
        type = _CLONE_TYPES.get(number & _NUMBER)
        name = "" if type is None else type.name
        if name == "clone":
            return argument & 0xFFFFFFFF
        if name == "clone3":
            data = self._memory.bytes_at(tid, argument, 8)
            return 0 if data is None else int.from_bytes(data, "little") & 0xFFFFFFFF
        return _VFORK_FLAGS if name == "vfork" else 0
