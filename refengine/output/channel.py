"""Channels: where lines go."""

from __future__ import annotations

import io
import os
import select
from pathlib import Path
from typing import Protocol, TextIO

from refengine.errors import RefengineError
from refengine.priority import Priority

_ROOM_OF_A_PIPE = select.PIPE_BUF
"""Bytes that a pipe which says that it can be written to certainly takes at once."""

_BUFFER = 1 << 16
"""Bytes that a buffered file keeps back at most."""


class ChannelClosedError(RefengineError):
    """Nobody reads the channel any longer."""


class ChannelError(RefengineError):
    """A channel that cannot be opened or written to for now; the message says why, and trying again may help."""


class LineRefusedError(RefengineError):
    """A line that the channel will never take, while it may take others; the message says why."""


class Channel(Protocol):
    """Something that takes lines."""

    def write(self, line: str, priority: Priority) -> None:
        """Write one line of a priority; it must not have a line end.

        Where an error is raised the line was not taken and may be written again.

        :raises ChannelClosedError: when nobody reads any longer.
        :raises ChannelError: when it cannot be written now.
        :raises LineRefusedError: when it never can.
        """

    def ready(self, line: str) -> bool:
        """Return whether writing this line now would certainly not have to wait."""

    def close(self) -> None:
        """Write out what is buffered; may be called twice. A line that is written afterwards opens it anew."""


class StreamChannel:
    """A channel onto an open text stream, which stays open; each line is out before the next, unless `buffered`."""

    def __init__(self, stream: TextIO, *, buffered: bool = False) -> None:
        self._stream = stream
        self._buffered = buffered
        self._poll = _writable(stream)

    def write(self, line: str, priority: Priority = Priority.DEBUG) -> None:
        """Write one line."""
        try:
            self._stream.write(f"{line}\n")
            if not self._buffered:
                self._stream.flush()
        except BrokenPipeError:
            raise ChannelClosedError("the reader of the output is gone") from None
        except OSError as error:
            raise ChannelError(f"cannot write to the output: {error.strerror or error}") from None

    def ready(self, line: str) -> bool:
        """Return whether the stream takes the line at once; a buffered one may have to write many lines first."""
        if self._poll is None:
            return True
        return not self._buffered and 4 * len(line) < _ROOM_OF_A_PIPE and bool(self._poll.poll(0))

    def close(self) -> None:
        """Flush the stream."""
        try:
            self._stream.flush()
        except BrokenPipeError:
            raise ChannelClosedError("the reader of the output is gone") from None
        except OSError as error:
            raise ChannelError(f"cannot write to the output: {error.strerror or error}") from None


def _writable(stream: TextIO) -> select.poll | None:
    """Return what tells whether a stream can be written to, None for one in memory."""
    try:
        number = stream.fileno()
    except (io.UnsupportedOperation, AttributeError):
        return None
    poll = select.poll()
    poll.register(number, select.POLLOUT)
    return poll


class FileChannel:
    """A channel that appends to a file, opened once with `keep_alive` and for every line without it.

    A line of which a full disk took only a part is completed before the next one.

    :raises ChannelError: when the file cannot be opened.
    """

    def __init__(self, path: Path, *, keep_alive: bool = False, buffered: bool = False) -> None:
        self._path = path
        self._keep_alive = keep_alive
        self._buffered = buffered and keep_alive
        self._pending = b""
        self._file: int | None = None
        self._open()
        if not keep_alive:
            self._shut()

    def write(self, line: str, priority: Priority = Priority.DEBUG) -> None:
        """Append one line."""
        if self._pending and not (self._buffered and len(self._pending) < _BUFFER):
            self._flush()
        data = f"{line}\n".encode("utf-8", "backslashreplace")
        self._pending += data
        if self._buffered:
            return
        try:
            self._flush()
        except ChannelError:
            if len(self._pending) == len(data):
                self._pending = b""
                raise
        finally:
            if not self._keep_alive:
                self._shut()

    def ready(self, line: str) -> bool:
        """Return false: disks and network file systems may take any time."""
        return False

    def close(self) -> None:
        """Write out what is buffered and close the file."""
        try:
            if self._pending:
                self._flush()
        finally:
            self._shut()

    def _flush(self) -> None:
        if self._file is None:
            self._open()
        assert self._file is not None
        try:
            while self._pending:
                self._pending = self._pending[os.write(self._file, self._pending) :]
        except OSError as error:
            raise ChannelError(f"cannot write to {self._path}: {error.strerror or error}") from None

    def _open(self) -> None:
        try:
            self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise ChannelError(f"cannot open {self._path}: {error.strerror or error}") from None

    def _shut(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
