"""The ptrace backend: watches a command and everything it starts, or processes that run already."""

from __future__ import annotations

import os
import platform
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from refengine.backends.base import Availability, Capabilities, Interest, Statistics
from refengine.backends.ptrace import binding, ending, launch
from refengine.backends.ptrace.binding import LoadableFilter
from refengine.backends.ptrace.clock import Clock
from refengine.backends.ptrace.filter import compile_filter
from refengine.backends.ptrace.observer import Observer
from refengine.backends.ptrace.opens import Acquaintance, decides
from refengine.backends.ptrace.plan import OBSERVABLE, Plan, make_plan
from refengine.backends.ptrace.tracer import Tracer
from refengine.errors import BackendError
from refengine.event import Event

VANISHED: Final = "thread vanished"
"""The cause of drops: the thread was killed between its stop and the reading of its registers."""

_ABSENT: Final[Mapping[str, str]] = {
    "proc.is_exe_upper_layer": "the layers of an overlay filesystem cannot be told apart from outside the kernel",
    "proc.is_exe_lower_layer": "the layers of an overlay filesystem cannot be told apart from outside the kernel",
    "fd.is_upper_layer": "the layers of an overlay filesystem cannot be told apart from outside the kernel",
    "fd.is_lower_layer": "the layers of an overlay filesystem cannot be told apart from outside the kernel",
}

CAPABILITIES: Final = Capabilities(
    source="syscall",
    event_types=OBSERVABLE,
    privileges="none for a command that it starts; for --pid the right to trace that process",
    absent_fields=_ABSENT,
    decides=decides,
)


class PtraceBackend:
    """Runs `command` and watches its whole tree, or watches the processes `pids`.

    Give one of the two. `snap_length` is how many bytes of a buffer an event carries. `grace` is how long, in
    seconds, `close` gives a command that is still running to end after it has been asked to. `acquaintance` tells
    what is known of threads, which saves stops where preconditions speak of their names or paths are relative.

    All methods have to be called in one thread: the kernel accepts requests from the tracing thread only.
    """

    name = "ptrace"
    capabilities = CAPABILITIES

    def __init__(
        self,
        command: Sequence[str] = (),
        pids: Sequence[int] = (),
        *,
        snap_length: int = 80,
        grace: float = 1.0,
        use_filter: bool = True,
        acquaintance: Acquaintance | None = None,
    ) -> None:
        self._command = tuple(command)
        self._pids = tuple(pids)
        self._snap_length = snap_length
        self._grace = grace
        self._use_filter = use_filter
        self._acquaintance = acquaintance
        self._tracer: Tracer | None = None
        self._observer: Observer | None = None
        self._first: Event | None = None
        self._closed = False
        self._delivered = 0

    def open(self, interest: Interest) -> None:
        """Start the command, or seize the processes.

        :raises BackendError: with the reason and the remedy; its `exit_code` is 127 for a command that is not
            found and 126 for one that cannot be executed.
        """
        if self._tracer is not None:
            raise BackendError("the ptrace backend is open already")
        if bool(self._command) == bool(self._pids):
            raise BackendError("the ptrace backend needs either a command to run or a process to attach to")
        _check_platform()
        plan = make_plan(interest)
        if self._pids:
            self._attach(plan)
            return
        program = None
        if self._use_filter:
            tests = {number: call.test for number, call in plan.calls.items()}
            program = LoadableFilter(compile_filter(tests))
        if not self._launch(plan, program):
            self._launch(plan, None)

    def _make_tracer(self, plan: Plan, *, filtered: bool) -> Tracer:
        try:
            clock = Clock()
        except OSError as error:
            raise launch.refused(error, "a child process") from error
        self._observer = Observer(plan, self._snap_length, self._acquaintance)
        self._tracer = Tracer(plan, self._observer, clock, filtered=filtered)
        return self._tracer

    @staticmethod
    def _options(tracer: Tracer) -> int:
        options = launch.OPTIONS
        if tracer.filtered:
            options |= binding.O_TRACESECCOMP
        if tracer.plan.exits:
            options |= binding.O_TRACEEXIT
        return options

    def _launch(self, plan: Plan, program: LoadableFilter | None) -> bool:
        """Start the command and run it to its first instruction; return False where the filter was refused."""
        path = launch.find_program(self._command[0])
        tracer = self._make_tracer(plan, filtered=program is not None)
        try:
            child = launch.Launched(path, self._command, program, self._options(tracer) | binding.O_EXITKILL)
            try:
                tracer.watch_command(child.pid)
                child.release()
                while tracer.alive and not tracer.started:
                    self._first = tracer.next_event(60.0)
                failure = "" if tracer.started else child.failure()
            finally:
                child.close()
        except OSError as error:
            self.close()
            raise BackendError(f"{self._command[0]}: cannot be started: {error.strerror}") from error
        except BaseException:
            self.close()
            raise
        if tracer.started:
            return True
        self.close()
        self._tracer, self._closed = None, False
        if failure == launch.FILTER_REFUSED:
            return False
        raise self._not_executed(failure)

    def _not_executed(self, failure: str) -> BackendError:
        name = self._command[0]
        if not failure:
            return BackendError(f"{name}: the child process was killed before it could start the command")
        return BackendError(
            f"{name}: cannot be executed: {os.strerror(int(failure))}",
            exit_code=launch.COMMAND_NOT_EXECUTABLE,
        )

    def _attach(self, plan: Plan) -> None:
        tracer = self._make_tracer(plan, filtered=False)
        try:
            for pid in self._pids:
                launch.attach(pid, self._options(tracer), tracer.threads)
            for tid in tracer.threads:
                # Only a thread that has been stopped once can be told to stop at system calls.
                binding.resume(binding.PTRACE_INTERRUPT, tid, 0, 0)
        except BaseException:
            self.close()
            raise

    def read(self, timeout: float) -> Sequence[Event] | None:
        """Return the next event in a sequence of one, none after `timeout` seconds, None at the end.

        The thread of the event stays stopped until the next call of `read` or `close`.
        """
        tracer = self._tracer
        if tracer is None:
            return None
        event, self._first = self._first, None
        if event is None:
            event = tracer.next_event(timeout)
        if event is None:
            return () if tracer.alive else None
        self._delivered += 1
        event.number = self._delivered
        return (event,)

    @property
    def exit_code(self) -> int | None:
        """The exit code of the command, 128 and the signal's number when one ended it; None while it runs."""
        return None if self._tracer is None else self._tracer.exit_code

    @property
    def filtered(self) -> bool:
        """True when a seccomp filter picks the system calls, false when every one is stopped at."""
        return self._tracer is not None and self._tracer.filtered

    def statistics(self) -> Statistics:
        """Return the counters so far."""
        observer = self._observer
        if observer is None:
            return Statistics()
        dropped = {VANISHED: observer.vanished} if observer.vanished else {}
        filtered = observer.unmatched + observer.uninteresting
        return Statistics(observer.seen + observer.unmatched, self._delivered, filtered, dropped)

    def close(self) -> None:
        """End the command's tree, or let go of the processes that were attached to."""
        tracer, observer = self._tracer, self._observer
        if tracer is None or observer is None or self._closed:
            return
        self._closed = True
        self._first = None
        if self._pids:
            ending.detach(tracer, ending.PATIENCE)
        else:
            ending.kill(tracer, self._grace)
        observer.close()
        tracer.clock.stop()


def _check_platform() -> None:
    if not sys.platform.startswith("linux") or platform.machine() != "x86_64":
        raise BackendError("the ptrace backend works on Linux on x86-64 only")


def availability() -> Availability:
    """Tell whether processes can be traced here, by tracing one."""
    try:
        _check_platform()
    except BackendError as error:
        return Availability(False, str(error))
    pid = binding.fork()
    if pid == 0:
        signal.pause()
        os._exit(0)
    try:
        binding.request(binding.PTRACE_SEIZE, pid, 0, binding.O_EXITKILL)
    except OSError as error:
        return Availability(False, str(launch.refused(error, "a child process")), _remedy())
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, binding.WALL)
    if not Path("/proc/self/stat").exists():
        return Availability(
            False, "/proc is not mounted", "mount it, since arguments and states are read there"
        )
    return Availability(True)


def _remedy() -> str:
    if launch.yama_scope() >= 2:
        return "lower kernel.yama.ptrace_scope, or run with CAP_SYS_PTRACE"
    return "in a container, add --cap-add SYS_PTRACE or a seccomp profile that allows ptrace"
