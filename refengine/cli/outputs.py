"""The outputs of a run, as the configuration wants them."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from refengine.cli.configuration import Configuration
from refengine.cli.configuration_outputs import OutputSettings
from refengine.output.alert import Alert, hostname
from refengine.output.channel import Channel, ChannelClosedError, FileChannel, StreamChannel
from refengine.output.formats import LineFormat
from refengine.output.http import HttpChannel
from refengine.output.program import ProgramChannel
from refengine.output.queue import OutputQueue
from refengine.output.syslog import SyslogChannel
from refengine.service.throttle import Throttle

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
        self._report = report
        self._unbuffered = unbuffered
        self._silent = silent
        self._patient = patient
        self._settings = configuration.outputs
        self._throttles = configuration.service.throttles
        self._lost: Counter[str] = Counter()
        self._held_back: Counter[str] = Counter()
        self._now = _Active(
            configuration.format, hostname(), Throttle(self._throttles), self._queues(configuration.outputs)
        )

    @property
    def queues(self) -> Sequence[OutputQueue]:
        """The queues before the outputs."""
        return self._now.queues

    def write(self, alert: Alert) -> None:
        """Hand over one alert, unless there have been too many like it.

        :raises ChannelClosedError: when nobody reads standard output any longer.
        """
        now = self._now
        if not now.throttle.passes(alert):
            return
        line = now.format.line(alert, now.hostname)
        for queue in now.queues:
            queue.put(line, alert.priority)

    def renew(self, configuration: Configuration) -> None:
        """Have what another configuration says; the outputs that it has no more are given time to end.

        :raises ChannelError: as at the beginning; nothing has changed then.
        """
        before = self._now
        throttle, queues = before.throttle, before.queues
        if configuration.outputs != self._settings:
            queues = self._queues(configuration.outputs)
        if configuration.service.throttles != self._throttles:
            throttle = Throttle(configuration.service.throttles)
            self._held_back += before.throttle.held_back
        self._settings, self._throttles = configuration.outputs, configuration.service.throttles
        self._now = _Active(configuration.format, before.hostname, throttle, queues)
        if queues is not before.queues:
            self._end(before.queues)

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
        self._end(self.queues)

    @property
    def lost(self) -> Counter[str]:
        """How many alerts each output has lost, those that lost none left out."""
        return self._lost + Counter({queue.name: queue.lost for queue in self.queues})

    @property
    def held_back(self) -> Counter[str]:
        """How many alerts of each rule were not written since there were too many like them."""
        return self._held_back + self._now.throttle.held_back.copy()

    def _end(self, queues: Sequence[OutputQueue]) -> None:
        closed: ChannelClosedError | None = None
        for queue in queues:
            queue.finish()
        limit = None if self._patient else FAREWELL
        for queue in queues:
            try:
                limit = queue.close(limit)
            except ChannelClosedError as error:
                closed = error
            if queues is not self.queues:
                self._lost[queue.name] += queue.lost
        if closed is not None:
            raise closed

    def _queues(self, settings: OutputSettings) -> Sequence[OutputQueue]:
        return tuple(
            OutputQueue(
                name,
                channel,
                capacity=settings.capacity,
                report=self._report,
                slow_after=settings.slow_after,
                patient=self._patient,
            )
            for name, channel in _channels(settings, buffered=settings.buffered and not self._unbuffered)
            if not (self._silent and name == STDOUT)
        )


@dataclass(frozen=True, slots=True)
class _Active:
    """What alerts pass through; it is exchanged as a whole."""

    format: LineFormat
    hostname: str
    throttle: Throttle
    queues: Sequence[OutputQueue]


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
