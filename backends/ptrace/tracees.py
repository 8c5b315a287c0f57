"""What decoders ask about a tracee besides its memory."""

from __future__ import annotations

from refengine.backends.ptrace import process
from refengine.backends.ptrace.sockets import TraceeSockets


class Tracees(TraceeSockets):
    """The processes of stopped threads, as `/proc` and their sockets themselves show them."""

    __slots__ = ()

    def identity(self, tid: int, number: int) -> tuple[int, int] | None:
        """Return the device number, as the kernel encodes it, and the inode of an open descriptor."""
        found = process.file_status(f"/proc/{tid}/fd/{number}")
        return None if found is None else (found.st_dev & 0xFFFFFFFF, found.st_ino)

    def path(self, tid: int, number: int) -> str | None:
        """Return the path behind an open descriptor."""
        return process.read_link(f"/proc/{tid}/fd/{number}")

    def memory_sizes(self, tid: int) -> tuple[int, int, int] | None:
        """Return the virtual, resident and swapped size in kilobytes, None when the process is gone."""
        return process.memory_sizes(tid)
