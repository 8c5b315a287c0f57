"""Starting a command under the tracer, or taking hold of processes that run already."""

from __future__ import annotations

import errno
import os
import shutil
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NoReturn

from refengine.backends.ptrace import binding
from refengine.backends.ptrace.binding import LoadableFilter
from refengine.backends.ptrace.process import row
from refengine.errors import BackendError
from refengine.state.proc_file import read_file

OPTIONS: Final = (
    binding.O_TRACESYSGOOD
    | binding.O_TRACEFORK
    | binding.O_TRACEVFORK
    | binding.O_TRACECLONE
    | binding.O_TRACEEXEC
)

COMMAND_NOT_FOUND: Final = 127
COMMAND_NOT_EXECUTABLE: Final = 126

FILTER_REFUSED: Final = "filter"

_IGNORED_BY_PYTHON: Final = (signal.SIGPIPE, signal.SIGXFSZ)


def find_program(name: str) -> str:
    """Return the path of the program that `name` means, looked for as a shell does.

    :raises BackendError: with the exit code 127 where there is none, 126 where it cannot be executed.
    """
    if "/" in name:
        if not Path(name).exists():
            raise BackendError(f"{name}: no such file or directory", exit_code=COMMAND_NOT_FOUND)
        if Path(name).is_dir():
            raise BackendError(f"{name}: is a directory, not a program", exit_code=COMMAND_NOT_EXECUTABLE)
        if not os.access(name, os.X_OK):
            raise BackendError(
                f"{name}: permission denied (is it executable?)", exit_code=COMMAND_NOT_EXECUTABLE
            )
        return name
    found = shutil.which(name) if name else None
    if found is not None:
        return found
    for folder in os.get_exec_path():
        if (Path(folder) / name).is_file():
            raise BackendError(
                f"{folder}/{name}: permission denied (is it executable?)", exit_code=COMMAND_NOT_EXECUTABLE
            )
    raise BackendError(f"{name}: command not found", exit_code=COMMAND_NOT_FOUND)


class Launched:
    """A child process, traced already, that waits for leave to become the command.

    With `program` it takes the seccomp filter on first, and ends where the kernel refuses that.
    """

    __slots__ = ("_errors", "_go", "pid")

    def __init__(self, path: str, argv: Sequence[str], program: LoadableFilter | None, options: int) -> None:
        go_read, self._go = os.pipe()
        self._errors, errors_write = os.pipe()
        self.pid = binding.fork()
        if self.pid == 0:
            os.close(self._go)
            _become(path, list(argv), program, go_read, errors_write)
        os.close(go_read)
        os.close(errors_write)
        try:
            binding.request(binding.PTRACE_SEIZE, self.pid, 0, options)
        except OSError as error:
            self.close()
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, binding.WALL)
            raise refused(error, f"the child process {self.pid}") from error

    def release(self) -> None:
        """Let the child execute the command."""
        os.write(self._go, b"g")

    def failure(self) -> str:
        """Return why a child ended without becoming the command: `FILTER_REFUSED`, or an error number's text."""
        return os.read(self._errors, 16).decode("ascii")

    def close(self) -> None:
        """Close the pipes to the child."""
        os.close(self._go)
        os.close(self._errors)


def _become(path: str, argv: list[str], program: LoadableFilter | None, go: int, errors: int) -> NoReturn:
    """In the child: wait for leave, take the filter on, and execute the command; never return."""
    try:
        for number in _IGNORED_BY_PYTHON:
            signal.signal(number, signal.SIG_DFL)
        if not os.read(go, 1):  # the tracer has gone
            os._exit(COMMAND_NOT_FOUND)
        if program is not None and program.load() != 0:
            os.write(errors, FILTER_REFUSED.encode())
            os._exit(COMMAND_NOT_FOUND)
        os.execv(path, argv)  # noqa: S606  the command is what the user asks for, and there is no shell
    except OSError as error:
        os.write(errors, str(error.errno).encode())
    finally:
        os._exit(COMMAND_NOT_FOUND)


def attach(pid: int, options: int, threads: set[int]) -> None:
    """Seize every thread of process `pid` and add their ids to `threads`, whatever happens.

    They go on running until they are interrupted.

    :raises BackendError: where there is no such process, or the kernel does not allow it.
    """
    seized: set[int] = set()
    folder = Path(f"/proc/{pid}/task")
    while True:
        try:
            found = [int(entry.name) for entry in folder.iterdir()]
        except OSError as error:
            raise BackendError(f"process {pid} does not exist") from error
        new = [tid for tid in found if tid not in seized]
        if not new:
            return
        for tid in new:
            try:
                binding.request(binding.PTRACE_SEIZE, tid, 0, options)
            except OSError as error:
                if error.errno == errno.ESRCH and tid != pid:
                    continue  # a thread that has just ended
                # A thread made by one that is seized already is traced from its start.
                if error.errno != errno.EPERM or not seized or _tracer_of(tid) != os.getpid():
                    raise refused(error, f"process {pid}") from error
            seized.add(tid)
            threads.add(tid)


def _tracer_of(tid: int) -> int:
    return int(row(read_file(f"/proc/{tid}/status"), b"\nTracerPid:") or 0)


def refused(error: OSError, whom: str) -> BackendError:
    """Return the error that says why the kernel does not let `whom` be traced, and what would help."""
    if error.errno == errno.ESRCH:
        return BackendError(f"cannot trace {whom}: it does not exist")
    if error.errno != errno.EPERM:
        return BackendError(f"cannot trace {whom}: {error.strerror}")
    scope = yama_scope()
    if scope == 3:
        return BackendError(f"cannot trace {whom}: the kernel forbids ptrace (kernel.yama.ptrace_scope is 3)")
    if scope >= 1:
        return BackendError(
            f"cannot trace {whom}: kernel.yama.ptrace_scope is {scope}; run as root or with CAP_SYS_PTRACE, "
            "or let refengine start the command itself"
        )
    return BackendError(
        f"cannot trace {whom}: permission denied; it belongs to another user, has another tracer already, or "
        "ptrace is blocked by a seccomp profile (in a container, add --cap-add SYS_PTRACE)"
    )


def yama_scope() -> int:
    """Return the value of `kernel.yama.ptrace_scope`, 0 where the kernel has none."""
    try:
        return int(Path("/proc/sys/kernel/yama/ptrace_scope").read_text())
    except (OSError, ValueError):
        return 0
