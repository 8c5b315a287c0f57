"""The state machine: waits for stops of the tracees and lets the tracees run on.

A system call that is traced stops twice, at its entry by the seccomp filter and at its exit, unless it is clear at
the entry that no rule can match. At the exit one read of the registers gives the number, the arguments and the
result. The thread stays
stopped after its event has been handed out until the next one is asked for, so that whoever reads `/proc` for it
sees the moment of the event.
"""

from __future__ import annotations

import os
import signal
import time
from typing import Final

from refengine.backends.ptrace import binding
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
    EventMessage,
    SyscallInfo,
    resume,
)
from refengine.backends.ptrace.clock import Clock
from refengine.backends.ptrace.observer import Observer
from refengine.backends.ptrace.plan import CLONES, Plan
from refengine.event import Event

STOPPED: Final = 0x7F
"""The lowest byte of the wait status of a thread that has stopped."""

SYSCALL_STOP: Final = 0x80 | signal.SIGTRAP  # wait statuses without their lowest byte
_CALL_STATUS: Final = SYSCALL_STOP << 8 | STOPPED
_SECCOMP_STATUS: Final = EVENT_SECCOMP << 16 | signal.SIGTRAP << 8 | STOPPED
_STOPPING: Final = frozenset({signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU})
BIRTHS: Final = frozenset({EVENT_FORK, EVENT_VFORK, EVENT_CLONE})


class Tracer:
    """Watches a set of threads, and every thread and process that they make.

    `filtered` says whether a seccomp filter picks the system calls; without one every call of the tracees is
    stopped at, twice, and looked at. `command_pid` is the child process that is going to execute a command;
    until it does, nothing is an event. `clock` bounds the time of waiting.
    """

    def __init__(self, plan: Plan, observer: Observer, clock: Clock, *, filtered: bool) -> None:
        self.plan = plan
        self.clock = clock
        self.filtered = filtered
        self.threads: set[int] = set()
        self.expected: set[int] = set()
        self.command_pid = 0
        self.started = True
        self.exit_code: int | None = None
        self._observer = observer
        self._info = SyscallInfo().read
        self.event_message = EventMessage().read
        self._held: tuple[int, int] | None = None
        self._looked_at = plan.creations | plan.foresights.keys()
        self._unmatched: set[int] = set()
        self._leaving: set[int] = set()
        self._unannounced: set[int] = set()
        self._go = PTRACE_CONT if filtered else PTRACE_SYSCALL
        traces_clones = any(watched.name in CLONES for watched in plan.calls.values())
        self._after_birth = PTRACE_SYSCALL if traces_clones or not filtered else PTRACE_CONT

    def watch_command(self, pid: int) -> None:
        """Take on a child process that is going to execute the command."""
        self.threads.add(pid)
        self.command_pid = pid
        self.started = False

    @property
    def alive(self) -> bool:
        """True while there is anything to watch."""
        return bool(self.threads or self.expected)

    def release(self) -> None:
        """Let the thread of the last event run on."""
        if self._held is not None:
            tid, how = self._held
            self._held = None
            resume(how, tid, 0, 0)

    def next_event(self, timeout: float) -> Event | None:
        """Return the next event, None after `timeout` seconds without one, or at the end (not `alive`)."""
        self.release()
        deadline = time.monotonic() + timeout
        waitpid, clock, threads, expected = os.waitpid, self.clock, self.threads, self.expected
        matters = self._observer.call_matters if self._looked_at else None
        syscall_stop = self._call_left if self.filtered else self._unpicked
        while True:
            try:
                # Once nothing is known to live, only a child may be left whose maker was killed while making it.
                tid, status = waitpid(-1, WALL if threads or expected else WALL | os.WNOHANG)
            except ChildProcessError:
                threads.clear()
                expected.clear()
                return None
            if status == _SECCOMP_STATUS:
                # Far more often than anything else.
                resume(PTRACE_SYSCALL if matters is None or matters(tid) else PTRACE_CONT, tid, 0, 0)
                continue
            if status == _CALL_STATUS:
                event = syscall_stop(tid)
            elif status & 0xFF != STOPPED:
                if tid == 0:
                    return None
                event = self._ended(tid, status)
            elif tid == clock.pid:
                clock.resume()
                if time.monotonic() >= deadline:
                    return None
                continue
            else:
                event = self._other_stop(tid, status >> 8 & 0xFF, status >> 16)
            if event is not None:
                return event

    def _unpicked(self, tid: int) -> Event | None:
        """Deal with the entry or the exit of a system call where no filter has picked it."""
        info = self._info(tid)
        if info is None:
            return None
        operation, architecture, number = info
        if operation == SYSCALL_EXIT and architecture == binding.AUDIT_ARCH_X86_64:
            if tid not in self._unmatched:
                return self._call_left(tid)
            self._unmatched.discard(tid)
        elif (
            operation == SYSCALL_ENTRY and self._is_looked_at(number) and not self._observer.call_matters(tid)
        ):
            self._unmatched.add(tid)
        resume(PTRACE_SYSCALL, tid, 0, 0)
        return None

    def _is_looked_at(self, number: int) -> bool:
        return number & ~X32_BIT in self._looked_at

    def _call_left(self, tid: int) -> Event | None:
        """Deal with the exit of a system call."""
        return self._hold(tid, self._observer.call_left(tid) if self.started else None)

    def _hold(self, tid: int, event: Event | None) -> Event | None:
        """Leave a thread stopped until the next event is asked for; let it run on where there is no event."""
        if event is None:
            resume(self._go, tid, 0, 0)
        else:
            self._held = (tid, self._go)
        return event

    def _other_stop(self, tid: int, number: int, event: int) -> Event | None:
        """Deal with the stops of a thread's life and with signals; `number` is the stop's signal."""
        if event == 0:
            seen = self._observer.signalled(tid, number) if self.plan.signals and self.started else None
            resume(self._go, tid, 0, number)
            return seen
        if event == EVENT_STOP:
            if tid not in self.threads:
                self.threads.add(tid)
                if tid in self.expected:
                    self.expected.discard(tid)
                else:
                    self._unannounced.add(tid)
                return self._hold(tid, self._observer.born(tid))
            # In a job control stop the thread has to stay stopped, and to notice that it is continued.
            resume(PTRACE_LISTEN if number in _STOPPING else self._go, tid, 0, 0)
            return None
        if event in BIRTHS:
            self._announced(self.event_message(tid))
            resume(self._after_birth, tid, 0, 0)
            return None
        if event == EVENT_EXEC:
            return self._executed(tid)
        if event == EVENT_EXIT and self.plan.exits and self.started:
            self._leaving.add(tid)
            return self._hold(tid, self._observer.ended(tid, self.event_message(tid) or 0))
        resume(self._go, tid, 0, 0)
        return None

    def _announced(self, child: int | None) -> None:
        """Take note of a child that its maker tells of; it may have stopped already, and even have ended since."""
        if child is None:
            return
        if child in self._unannounced:
            self._unannounced.discard(child)
        elif child not in self.threads:
            self.expected.add(child)

    def _executed(self, tid: int) -> Event | None:
        """Take note of an execution; a thread that executes takes the id of its process's first thread."""
        former = self.event_message(tid)
        if former is not None and former != tid:
            self.threads.discard(former)
            self._leaving.discard(tid)  # that was the first thread's end
            self._unmatched.discard(tid)
            self._observer.forget(former)
        self._observer.forget(tid)
        self.threads.add(tid)
        self.started = self.started or tid == self.command_pid
        return self._hold(tid, self._observer.executed(tid) if self.started else None)

    def _ended(self, tid: int, status: int) -> Event | None:
        """Take note of a thread's end; its event is made here where there was none when it was about to end.

        Rules may not have asked for that stop, and a thread that is killed need not make it.
        """
        if tid not in self.threads:
            if tid in self.expected:
                self.expected.discard(tid)
            else:
                self._unannounced.add(tid)  # killed before its first stop, or a child that is no tracee
            return None
        self.threads.discard(tid)
        self._unmatched.discard(tid)
        self._observer.forget(tid)
        if tid == self.command_pid:
            code = os.waitstatus_to_exitcode(status)
            self.exit_code = code if code >= 0 else 128 - code
        if tid in self._leaving:
            self._leaving.discard(tid)
            return None
        if not self.started:
            return None
        return self._observer.ended(tid, status)
