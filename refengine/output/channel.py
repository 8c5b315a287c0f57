"""Channels: where lines go."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, TextIO

from refengine.errors import RefengineError


class ChannelClosedError(RefengineError):
    """Nobody reads the channel any longer."""


class ChannelError(RefengineError):
    """A channel that cannot be opened or written to; the message says why."""


class Channel(Protocol):
    """Something that takes lines."""

    def write(self, line: str) -> None:
        """Write one line; it must not have a line end.

        :raises ChannelClosedError: when nobody reads any longer.
        :raises ChannelError: when the line cannot be written.
        """

    def close(self) -> None:
        """Write out what is buffered; may be called twice."""


class StreamChannel:
    """A channel onto an open text stream, which stays open; each line is out before the next, unless `buffered`."""

    def __init__(self, stream: TextIO, *, buffered: bool = False) -> None:
        self._stream = stream
        self._buffered = buffered

    def write(self, line: str) -> None:
        """Write one line."""
        try:
            self._stream.write(f"{line}\n")
            if not self._buffered:
                self._stream.flush()
        except BrokenPipeError:
            raise ChannelClosedError("the reader of the output is gone") from None
        except OSError as error:
            raise ChannelError(f"cannot write to the output: {error.strerror or error}") from None

    def close(self) -> None:
        """Flush the stream."""
        try:
            self._stream.flush()
        except BrokenPipeError:
            raise ChannelClosedError("the reader of the output is gone") from None
        except OSError as error:
            raise ChannelError(f"cannot write to the output: {error.strerror or error}") from None


class FileChannel:
    """A channel that appends to a file, opened once with `keep_alive` and for every line without it.

    :raises ChannelError: when the file cannot be opened.
    """

    def __init__(self, path: Path, *, keep_alive: bool = False, buffered: bool = False) -> None:
        self._path = path
        self._keep_alive = keep_alive
        self._buffered = buffered
        self._stream: TextIO | None = self._open()
        if not keep_alive:
            self.close()

    def write(self, line: str) -> None:
        """Append one line."""
        stream = self._stream or self._open()
        try:
            stream.write(f"{line}\n")
            if not self._keep_alive:
                stream.close()
            elif not self._buffered:
                stream.flush()
        except OSError as error:
            raise ChannelError(f"cannot write to {self._path}: {error.strerror or error}") from None

    def close(self) -> None:
        """Close the file."""
        stream, self._stream = self._stream, None
        if stream is None:
            return
        try:
            stream.close()
        except OSError as error:
            raise ChannelError(f"cannot write to {self._path}: {error.strerror or error}") from None

    def _open(self) -> TextIO:
        try:
            return self._path.open("a", encoding="utf-8")
        except OSError as error:
            raise ChannelError(f"cannot open {self._path}: {error.strerror or error}") from None
