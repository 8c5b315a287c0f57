"""A stopped thread as `/proc` shows it, each file of which is read when something in it is first asked for."""

from __future__ import annotations

import os
from typing import Final

from refengine.backends.ptrace.memory import Memory
from refengine.backends.ptrace.process import file_status, read_link, row
from refengine.state.proc_file import read_file

ARGUMENTS_MAX: Final = 4096
"""How much of the arguments and of the environment events carry, in bytes."""

_STAT_COLUMNS: Final = 20
_AT_EXECFN: Final = 31


class Snapshot:
    """One thread at one moment; it has to stand still until all has been asked for.

    :raises ProcessLookupError: from what is in `status` and `stat`, when the thread is gone.
    """

    __slots__ = ("_columns", "_comm", "_command", "_program", "_status", "memory", "tid")

    def __init__(self, memory: Memory, tid: int) -> None:
        self.memory = memory
        self.tid = tid
        self._status = b""
        self._comm = ""
        self._columns: list[bytes] = []
        self._command: tuple[bytes, bytes] | None = None
        self._program: os.stat_result | None = None

    def number(self, name: bytes, column: int = 0, default: int = 0) -> int:
        """Return a number in a row of `status`, `default` where there is no such row."""
        columns = self._row(name).split()
        return int(columns[column]) if columns else default

    def numbers(self, name: bytes) -> list[int]:
        """Return all numbers in a row of `status`."""
        return [int(column) for column in self._row(name).split()]

    def mask(self, name: bytes) -> int:
        """Return the bits in a row of `status`."""
        return int(self._row(name) or b"0", 16)

    def column(self, position: int) -> int:
        """Return a number in `stat`, counted from 0 for the state; one of the first twenty."""
        if not self._columns:
            self._read_stat()
        return int(self._columns[position])

    def comm(self) -> str:
        """Return the short name."""
        if not self._columns:
            self._read_stat()
        return self._comm

    def exe(self) -> bytes:
        """Return the first argument, which is how the program was called."""
        return self._read_command()[0]

    def args(self) -> bytes:
        """Return all arguments but the first, NUL after each."""
        return self._read_command()[1][:ARGUMENTS_MAX]

    def environment(self) -> bytes:
        """Return the environment with which the program was started, NUL after each variable."""
        return read_file(f"/proc/{self.tid}/environ")[:ARGUMENTS_MAX]

    def program(self) -> os.stat_result | None:
        """Return the status of the program's file."""
        if self._program is None:
            self._program = file_status(f"/proc/{self.tid}/exe")
        return self._program

    def program_path(self) -> str | None:
        """Return the path of the program's file."""
        return read_link(f"/proc/{self.tid}/exe")

    def called_path(self) -> str | None:
        """Return the path that the execution named, which the kernel leaves on the new program's stack."""
        vector = read_file(f"/proc/{self.tid}/auxv")
        for offset in range(0, len(vector) - 15, 16):
            if int.from_bytes(vector[offset : offset + 8], "little") == _AT_EXECFN:
                return self.memory.string(
                    self.tid, int.from_bytes(vector[offset + 8 : offset + 16], "little")
                )
        return None

    def _row(self, name: bytes) -> bytes:
        status = self._status
        if not status:
            status = self._status = self._read("status")
        return row(status, name)

    def _read_stat(self) -> None:
        stat = self._read("stat")
        opened, closed = stat.find(b"("), stat.rfind(b")")
        self._comm = stat[opened + 1 : closed].decode("utf-8", "surrogateescape")
        self._columns = stat[closed + 2 :].split(None, _STAT_COLUMNS)

    def _read_command(self) -> tuple[bytes, bytes]:
        if self._command is None:
            first, _, rest = read_file(f"/proc/{self.tid}/cmdline").partition(b"\0")
            self._command = first, rest
        return self._command

    def _read(self, name: str) -> bytes:
        data = read_file(f"/proc/{self.tid}/{name}")
        if not data:
            raise ProcessLookupError(self.tid)
        return data


class FailedExecution(Snapshot):
    """A thread at the exit of an execution that failed: the program, arguments and environment are the meant ones.

    They still lie where the call has told the kernel to find them.
    """

    __slots__ = ("_argv", "_envp", "_path")

    def __init__(self, memory: Memory, tid: int, path: int, argv: int, envp: int) -> None:
        super().__init__(memory, tid)
        self._path = path
        self._argv = argv
        self._envp = envp

    def environment(self) -> bytes:
        """Return the environment that the program would have had."""
        return _terminated(self.memory.string_array(self.tid, self._envp, ARGUMENTS_MAX))[:ARGUMENTS_MAX]

    def called_path(self) -> str | None:
        """Return the path that the call named."""
        return self.memory.string(self.tid, self._path)

    def _read_command(self) -> tuple[bytes, bytes]:
        if self._command is None:
            arguments = self.memory.string_array(self.tid, self._argv, ARGUMENTS_MAX)
            self._command = (arguments[0] if arguments else b""), _terminated(arguments[1:])
        return self._command


def _terminated(strings: tuple[bytes, ...]) -> bytes:
    return b"".join(string + b"\0" for string in strings)
