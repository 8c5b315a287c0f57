"""The outputs of a run, as the configuration wants them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence

from refengine.cli.configuration import Configuration
from refengine.cli.configuration_outputs import OutputSettings
from refengine.output.alert import Alert, hostname
from refengine.output.channel import Channel, ChannelClosedError, FileChannel, StreamChannel
from refengine.output.formats import LineFormat
from refengine.output.http import HttpChannel
from refengine.output.program import ProgramChannel
from refengine.output.queue import OutputQueue
from refengine.output.syslog import SyslogChannel

FAREWELL = 5.0
"""Seconds that outputs have at the end, all together, for what still waits."""

STDOUT = "stdout"


class Outputs:
    """Hands each alert to every output that is switched on; any thread may do so.

    A `silent` run has no standard output. One that is `patient` has time: its events wait for slow outputs, so
    that no alert is lost. `report` gets sentences for people.

    :raises ChannelError: when a file cannot be opened, or an output is described in a way that makes no sense.
    """

    def __init__(
        self,
        configuration: Configuration,
        *,
        report: Callable[[str], None],
        unbuffered: bool = False,
        silent: bool = False,
        patient: bool = False,
    ) -> None:
        self._format: LineFormat = configuration.format
        self._hostname = hostname()
        self._patient = patient
        settings = configuration.outputs
        self.queues: Sequence[OutputQueue] = tuple(
            OutputQueue(
                name,
                channel,
                capacity=settings.capacity,
                report=report,
                slow_after=settings.slow_after,
                patient=patient,
            )
            for name, channel in _channels(settings, buffered=settings.buffered and not unbuffered)
            if not (silent and name == STDOUT)
        )

    def write(self, alert: Alert) -> None:
        """Hand over one alert.

        :raises ChannelClosedError: when nobody reads standard output any longer.
        """
        line = self._format.line(alert, self._hostname)
        for queue in self.queues:
            queue.put(line, alert.priority)

    def watch(self) -> None:
        """Report the outputs that take too long; to be called now and then."""
        for queue in self.queues:
            queue.watch()

    def reopen(self) -> None:
        """Open files anew that were moved away, and make connections anew."""
        for queue in self.queues:
            queue.reopen()

    def close(self) -> None:
        """Write out what waits, as far as there is time.

        :raises ChannelClosedError: when nobody reads standard output any longer.
        :raises ChannelError: when what a file buffers cannot be written.
        """
        closed: ChannelClosedError | None = None
        for queue in self.queues:
            queue.finish()
        limit = None if self._patient else FAREWELL
        for queue in self.queues:
            try:
                limit = queue.close(limit)
            except ChannelClosedError as error:
                closed = error
        if closed is not None:
            raise closed

    @property
    def lost(self) -> dict[str, int]:
        """How many alerts each output has lost, those that lost none left out."""
        return {queue.name: queue.lost for queue in self.queues if queue.lost}


def _channels(settings: OutputSettings, *, buffered: bool) -> Iterator[tuple[str, Channel]]:
    if settings.file.path is not None:
        keep_alive = settings.file.keep_alive
        yield "file", FileChannel(settings.file.path, keep_alive=keep_alive, buffered=buffered)
    if settings.stdout:
        yield STDOUT, StreamChannel(sys.stdout, buffered=buffered)
    if settings.syslog:
        yield "syslog", SyslogChannel()
    if settings.program is not None:
        yield "program", ProgramChannel(settings.program.command, keep_alive=settings.program.keep_alive)
    if settings.http is not None:
        yield "http", HttpChannel(settings.http, _print if settings.echo else None)


def _print(answer: str) -> None:
    print(answer, flush=True)
