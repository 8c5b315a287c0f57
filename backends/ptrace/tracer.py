"""The state machine: waits for stops of the tracees, turns them into events, and lets the tracees run on.

A system call that is traced stops twice. At its entry (a seccomp stop) nothing is read, the thread is only sent
on to the exit; there one read of the registers gives the number, the arguments and the result. The thread stays
stopped after its event has been handed out until the next one is asked for, so that whoever reads `/proc` for it
sees the moment of the event.
"""

from __future__ import annotations

import errno
import os
import signal
import time
from typing import Final

from refengine.backends.ptrace import binding, lifecycle
from refengine.backends.ptrace.binding import (
    EVENT_CLONE,
    EVENT_EXEC,
    EVENT_EXIT,
    EVENT_FORK,
    EVENT_SECCOMP,
    EVENT_STOP,
    EVENT_VFORK,
    PTRACE_CONT,
    PTRACE_LISTEN,
    PTRACE_SYSCALL,
    SYSCALL_ENTRY,
    SYSCALL_EXIT,
    WALL,
    X32_BIT,
    Registers,
    SyscallInfo,
    resume,
)
from refengine.backends.ptrace.call import Call
from refengine.backends.ptrace.clock import Clock
from refengine.backends.ptrace.creation import would_create
from refengine.backends.ptrace.memory import Memory
from refengine.backends.ptrace.plan import CLONES, EXECUTIONS, PROCESS_EXIT, SIGNAL_DELIVERY, Plan
from refengine.backends.ptrace.process import processor
from refengine.backends.ptrace.sockets import SocketEnds
from refengine.event import Event, ParamValue
from refengine.tables.event_types import EventType
from refengine.tables.syscalls import BY_NAME

_SECCOMP_STOP: Final = EVENT_SECCOMP << 8 | signal.SIGTRAP  # wait statuses without their lowest byte
_SYSCALL_STOP: Final = 0x80 | signal.SIGTRAP
_STOPPED: Final = 0x7F
_STOPPING: Final = frozenset({signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU})
_BIRTHS: Final = frozenset({EVENT_FORK, EVENT_VFORK, EVENT_CLONE})

_CLONE_TYPES: Final = {BY_NAME[name].number: BY_NAME[name].exit for name in CLONES}
_EXECVE: Final = BY_NAME["execve"].exit
_VFORK_FLAGS: Final = 0x4000 | 0x100  # what a fork and a vfork are in flags of clone

VANISHED: Final = "thread vanished"
"""The cause of drops: the thread was killed between its stop and the reading of its registers."""


class Tracer:
    """Watches a set of threads, and every thread and process that they make.

    `filtered` says whether a seccomp filter picks the system calls; without one every call of the tracees is
    stopped at, twice, and looked at.
    """

    def __init__(self, plan: Plan, *, filtered: bool, snap_length: int) -> None:
        self.plan = plan
        self.filtered = filtered
        self.threads: set[int] = set()
        self.started = True
        self.watched_pid = 0
        self.exit_code: int | None = None
        self.seen = 0
        self.filtered_out = 0
        self.vanished = 0
        self.clock: Clock | None = None
        self._memory = Memory()
        self._registers = Registers()
        self._info = SyscallInfo()
        self._call = Call(self._memory, SocketEnds(), snap_length, plan.identify)
        self._held: tuple[int, int] | None = None
        self._creating: set[int] = set()
        self._go = PTRACE_CONT if filtered else PTRACE_SYSCALL
        traces_clones = any(watched.name in CLONES for watched in plan.calls.values())
        self._after_birth = PTRACE_SYSCALL if traces_clones or not filtered else PTRACE_CONT

    @property
    def held(self) -> int | None:
        """The thread that is stopped until the next call of `next_event`."""
        return None if self._held is None else self._held[0]

    def release(self) -> None:
        """Let the thread of the last event run on."""
        if self._held is not None:
            tid, how = self._held
            self._held = None
            resume(how, tid, 0, 0)

    def next_event(self, timeout: float) -> Event | None:
        """Return the next event, None after `timeout` seconds without one, or at the end (no `threads` left)."""
        self.release()
        deadline = time.monotonic() + timeout
        waitpid, plain_entry = os.waitpid, not self.plan.creations
        while self.threads:
            try:
                tid, status = waitpid(-1, WALL)
            except ChildProcessError:
                self.threads.clear()
                return None
            if status & 0xFF != _STOPPED:
                event = self._ended(tid, status)
            else:
                stop = status >> 8
                if stop == _SECCOMP_STOP:
                    if not plain_entry:
                        self._look_ahead(tid)
                    resume(PTRACE_SYSCALL, tid, 0, 0)
                    continue
                if stop == _SYSCALL_STOP:
                    event = self._syscall_stop(tid)
                elif self.clock is not None and tid == self.clock.pid:
                    self.clock.resume()
                    if time.monotonic() >= deadline:
                        return None
                    continue
                else:
                    event = self._other_stop(tid, stop & 0xFF, stop >> 8)
            if event is not None:
                if self.started:
                    return event
                self.release()
        return None

    def _syscall_stop(self, tid: int) -> Event | None:
        """Deal with the entry or the exit of a system call; the exit of a watched one is an event."""
        if not self.filtered:
            info = self._info.read(tid)
            if info is None:
                return None
            operation, architecture, number = info
            if operation != SYSCALL_EXIT or architecture != binding.AUDIT_ARCH_X86_64:
                if operation == SYSCALL_ENTRY and number & ~X32_BIT in self.plan.creations:
                    self._look_ahead(tid)
                resume(PTRACE_SYSCALL, tid, 0, 0)
                return None
        registers = self._registers.read(tid)
        if registers is None:
            self.vanished += 1
            return None
        a3, a5, a4, result, a2, a1, a0, number = registers
        watched = self.plan.calls.get(number & ~X32_BIT)
        arguments = (a0, a1, a2, a3, a4, a5)
        if watched is None or not (self.filtered or watched.test is None or watched.test.holds(arguments)):
            self.filtered_out += 1
            resume(self._go, tid, 0, 0)
            return None
        call = self._call
        call.tid = tid
        call.args = arguments
        call.result = result
        call.created = tid in self._creating
        if call.created:
            self._creating.discard(tid)
        self.seen += 1
        params: list[ParamValue | None] | None
        if watched.name in EXECUTIONS:
            params = self._failed_execution(call, watched.name) if result < 0 else None
        elif watched.name in CLONES:
            # A child leaves the call too, with 0; its event was made when it first stopped.
            params = lifecycle.cloned(result, tid, self._clone_flags(tid, number, a0)) if result else None
        else:
            params = watched.decode(call)
        if params is None:
            self.filtered_out += 1
            resume(self._go, tid, 0, 0)
            return None
        return self._hold(watched.type, tid, params)

    def _hold(self, type: EventType, tid: int, params: list[ParamValue | None]) -> Event:
        """Return the event of a thread that stays stopped until the next one is asked for."""
        self._held = (tid, self._go)
        event = Event(type, time.time_ns(), tid, params)
        if self.plan.cpu:
            event.cpu = processor(tid)
        return event

    def _look_ahead(self, tid: int) -> None:
        """At the entry of an open, find out whether it is going to make the file."""
        registers = self._registers.read(tid)
        if registers is None:
            return
        a3, a5, a4, _, a2, a1, a0, number = registers
        watched = self.plan.calls.get(number & ~X32_BIT)
        if watched is None or number & ~X32_BIT not in self.plan.creations:
            return
        call = self._call
        call.tid = tid
        call.args = (a0, a1, a2, a3, a4, a5)
        if would_create(call, watched.name):
            self._creating.add(tid)

    def _failed_execution(self, call: Call, name: str) -> list[ParamValue | None] | None:
        path, argv, envp = call.args[1:4] if name == "execveat" else call.args[:3]
        params = lifecycle.execution_failed(self._memory, call.tid, call.result, path, argv, envp)
        if params is not None and name == "execveat":
            params.pop()  # its event type has no file name
        return params

    def _clone_flags(self, tid: int, number: int, argument: int) -> int:
        """Return the kernel's flags of a call of the clone family from its first argument."""
        name = self._clone_name(number)
        if name == "clone":
            return argument & 0xFFFFFFFF
        if name == "clone3":
            data = self._memory.bytes_at(tid, argument, 8)
            return 0 if data is None else int.from_bytes(data, "little") & 0xFFFFFFFF
        return _VFORK_FLAGS if name == "vfork" else 0

    @staticmethod
    def _clone_name(number: int) -> str:
        type = _CLONE_TYPES.get(number & ~X32_BIT)
        return "" if type is None else type.name

    def _other_stop(self, tid: int, number: int, event: int) -> Event | None:
        """Deal with the stops of a thread's life and with signals; `number` is the stop's signal."""
        if event == 0:
            return self._signal(tid, number)
        if event == EVENT_STOP:
            if tid not in self.threads:
                self.threads.add(tid)
                return self._born(tid)
            # A job control stop: the thread has to stay stopped, and to notice that it is continued.
            resume(PTRACE_LISTEN if number in _STOPPING else self._go, tid, 0, 0)
            return None
        if event in _BIRTHS:
            resume(self._after_birth, tid, 0, 0)
            return None
        if event == EVENT_EXEC:
            return self._executed(tid)
        if event == EVENT_EXIT and self.plan.exits:
            status = binding.event_message(tid)
            self.seen += 1
            return self._hold(PROCESS_EXIT, tid, lifecycle.exited(status or 0, None))
        resume(self._go, tid, 0, 0)
        return None

    def _signal(self, tid: int, number: int) -> Event | None:
        """Deliver a signal to its thread, after the event of it where rules want that."""
        if not self.plan.signals:
            resume(self._go, tid, 0, number)
            return None
        sender = binding.signal_sender(tid)
        self.seen += 1
        event = Event(SIGNAL_DELIVERY, time.time_ns(), tid, [sender, tid, number])
        resume(self._go, tid, 0, number)
        return event

    def _born(self, tid: int) -> Event | None:
        """Make the event of a new thread or process: its own return from the call that made it, with 0.

        The new thread starts with a copy of its maker's registers, which tell the call and its flags.
        """
        registers = self._registers.read(tid)
        if registers is None:
            return None
        number, argument = registers[7], registers[6]
        type = _CLONE_TYPES.get(number & ~X32_BIT, BY_NAME["clone"].exit)
        params = lifecycle.cloned(0, tid, self._clone_flags(tid, number, argument))
        if params is None:
            return None
        self.seen += 1
        return self._hold(type, tid, params)

    def _executed(self, tid: int) -> Event | None:
        """Make the event of a successful execution; a thread that executed takes its process's first thread's id."""
        former = binding.event_message(tid)
        if former is not None and former != tid:
            self.threads.discard(former)
            self._forget(former)
        self._forget(tid)
        self.threads.add(tid)
        if tid == self.watched_pid:
            self.started = True
        params = lifecycle.executed(self._memory, tid)
        if params is None:
            return None
        self.seen += 1
        # A successful execveat too: the kernel itself makes it look like execve from here on.
        return self._hold(_EXECVE, tid, params)

    def _ended(self, tid: int, status: int) -> Event | None:
        """Take note of a thread's end; a process's event is made here where no stop was asked for."""
        if tid not in self.threads:
            return None
        self.threads.discard(tid)
        self._forget(tid)
        if tid == self.watched_pid:
            self.exit_code = os.waitstatus_to_exitcode(status)
            if self.exit_code < 0:
                self.exit_code = 128 - self.exit_code
        if self.plan.exits:
            return None
        self.seen += 1
        return Event(PROCESS_EXIT, time.time_ns(), tid, lifecycle.exited(status, None))

    def _forget(self, tid: int) -> None:
        """Drop what is remembered of a thread that has ended, or runs another program now."""
        self._memory.forget(tid)
        self._creating.discard(tid)
        self._call.sockets.forget(tid)

    def close(self) -> None:
        """Give back what the tracer itself holds open."""
        self._memory.close()
        if self.clock is not None:
            self.clock.stop()
            self.clock = None

    def kill(self, grace: float) -> None:
        """End every tracee: ask first, and use force after `grace` seconds."""
        self.release()
        for number, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, 10.0)):
            for tid in list(self.threads):
                _send(tid, number)
                if number != signal.SIGKILL:
                    _send(tid, signal.SIGCONT)
            limit = time.monotonic() + patience
            while self.threads and time.monotonic() < limit:
                self.next_event(limit - time.monotonic())
            self.release()
            if not self.threads:
                return

    def detach(self, patience: float) -> None:
        """Let go of every tracee, which then runs on by itself."""
        self._held = None
        left = set()
        for tid in self.threads:
            if resume(binding.PTRACE_DETACH, tid, 0, 0) < 0:
                left.add(tid)
                resume(binding.PTRACE_INTERRUPT, tid, 0, 0)
        limit = time.monotonic() + patience
        while left and time.monotonic() < limit:
            try:
                tid, status = os.waitpid(-1, WALL)
            except ChildProcessError:
                break
            if self.clock is not None and tid == self.clock.pid:
                self.clock.resume()
                continue
            left.discard(tid)
            if status & 0xFF == _STOPPED:
                number = status >> 8 & 0xFF if status >> 16 == 0 else 0
                resume(binding.PTRACE_DETACH, tid, 0, 0 if number == _SYSCALL_STOP else number)
        self.threads.clear()


def _send(tid: int, number: int) -> None:
    try:
        os.kill(tid, number)
    except OSError as error:
        if error.errno not in (errno.ESRCH, errno.EPERM):
            raise
