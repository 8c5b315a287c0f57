"""The channels of a run, as the configuration wants them."""

from __future__ import annotations

import sys
from pathlib import Path
from threading import Lock

from refengine.cli.configuration import Configuration
from refengine.output.alert import Alert, hostname
from refengine.output.channel import Channel, FileChannel, StreamChannel
from refengine.output.formats import LineFormat


class Outputs:
    """Writes each alert to every channel that is switched on; a `silent` one has no standard output.

    Any thread may write; alerts are written one after another.

    :raises ChannelError: when a file cannot be opened.
    """

    def __init__(
        self, configuration: Configuration, *, unbuffered: bool = False, silent: bool = False
    ) -> None:
        self._format: LineFormat = configuration.format
        self._hostname = hostname()
        self._buffered = configuration.buffered and not unbuffered
        self._stdout = configuration.stdout and not silent
        self._file = configuration.file
        self._channels = self._open()
        self._lock = Lock()

    def write(self, alert: Alert) -> None:
        """Write one alert.

        :raises ChannelClosedError: when nobody reads standard output any longer.
        :raises ChannelError: when it cannot be written.
        """
        line = self._format.line(alert, self._hostname)
        with self._lock:
            for channel in self._channels:
                channel.write(line)

    def reopen(self) -> None:
        """Close the channels and open them anew, for files that were moved away.

        :raises ChannelError: when a file cannot be opened.
        """
        with self._lock:
            self.close()
            self._channels = self._open()

    def close(self) -> None:
        """Write out what is buffered.

        :raises ChannelClosedError: when nobody reads standard output any longer.
        :raises ChannelError: when it cannot be written.
        """
        for channel in self._channels:
            channel.close()

    def _open(self) -> list[Channel]:
        channels: list[Channel] = []
        path: Path | None = self._file.path
        if path is not None:
            channels.append(FileChannel(path, keep_alive=self._file.keep_alive, buffered=self._buffered))
        if self._stdout:
            channels.append(StreamChannel(sys.stdout, buffered=self._buffered))
        return channels
