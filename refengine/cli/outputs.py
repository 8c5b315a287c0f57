"""The outputs of a run, as the configuration wants them."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from functools import partial
from threading import Lock
from typing import NamedTuple

from refengine.cli.configuration import Configuration
from refengine.cli.configuration_outputs import OutputSettings
from refengine.output.alert import Alert, hostname
from refengine.output.channel import Channel, ChannelClosedError, FileChannel, StreamChannel
from refengine.output.formats import LineFormat
from refengine.output.http_settings import HttpOutput
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
        self._throttles = configuration.service.throttles
        self._changing = Lock()
        self._lost: Counter[str] = Counter()
        self._held_back: Counter[str] = Counter()
        self._now = _Active(
            configuration.format,
            hostname(),
            Throttle(self._throttles),
            self._outputs(configuration.outputs, ()),
        )

    @property
    def queues(self) -> Sequence[OutputQueue]:
        """The queues before the outputs."""
        return tuple(output.queue for output in self._now.outputs)

    def write(self, alert: Alert) -> None:
        """Hand over one alert, unless there have been too many like it.

        :raises ChannelClosedError: when nobody reads standard output any longer.
        """
        with self._changing:  # so that nobody still writes to outputs that are being ended
            now = self._now
            if not now.throttle.passes(alert):
                return
            line = now.format.line(alert, now.hostname)
            for output in now.outputs:
                output.queue.put(line, alert.priority)

    def renew(self, configuration: Configuration) -> None:
        """Have what another configuration says; the outputs that it has no more are given time to end.

        Those of which it says the same go on.

        :raises ChannelError: as at the beginning; nothing has changed then.
        """
        before = self._now
        throttle = before.throttle
        outputs = self._outputs(configuration.outputs, before.outputs)
        if configuration.service.throttles != self._throttles:
            throttle = Throttle(configuration.service.throttles)
            self._held_back += before.throttle.held_back
        self._throttles = configuration.service.throttles
        with self._changing:
            self._now = _Active(configuration.format, before.hostname, throttle, outputs)
        ended = tuple(output.queue for output in before.outputs if output not in outputs)
        self._end(ended)
        for queue in ended:
            self._lost[queue.name] += queue.lost

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
        if closed is not None:
            raise closed

    def _outputs(self, settings: OutputSettings, before: Sequence[_Output]) -> Sequence[_Output]:
        """Return the outputs, those of before among them that are described in the same way."""
        known = {(output.queue.name, output.description): output for output in before}
        outputs = []
        for name, channel_settings, make in _channels(
            settings, buffered=settings.buffered and not self._unbuffered
        ):
            if self._silent and name == STDOUT:
                continue
            description = (channel_settings, settings.capacity, settings.slow_after)
            output = known.get((name, description))
            if output is None:
                queue = OutputQueue(
                    name,
                    make(),
                    capacity=settings.capacity,
                    report=self._report,
                    slow_after=settings.slow_after,
                    patient=self._patient,
                )
                output = _Output(queue, description)
            outputs.append(output)
        return tuple(outputs)


class _Active(NamedTuple):
    """What alerts pass through; it is exchanged as a whole."""

    format: LineFormat
    hostname: str
    throttle: Throttle
    outputs: Sequence[_Output]


class _Output(NamedTuple):
    """A queue, and what its output was made from."""

    queue: OutputQueue
    description: tuple[object, ...]


def _channels(
    settings: OutputSettings, *, buffered: bool
) -> Iterator[tuple[str, Hashable, Callable[[], Channel]]]:
    """Yield the name of each output that is on, what tells it from another one of that name, and its maker."""
    file, program, http = settings.file, settings.program, settings.http
    path = file.path
    if path is not None:
        make_file = partial(FileChannel, path, keep_alive=file.keep_alive, buffered=buffered)
        yield "file", (file, buffered), make_file
    if settings.stdout:
        yield STDOUT, buffered, partial(StreamChannel, sys.stdout, buffered=buffered)
    if settings.syslog:
        yield "syslog", None, SyslogChannel
    if program is not None:
        yield "program", program, partial(ProgramChannel, program.command, keep_alive=program.keep_alive)
    if http is not None:
        yield "http", (http, settings.echo), partial(_http_channel, http, echo=settings.echo)


def _http_channel(settings: HttpOutput, *, echo: bool) -> Channel:
    # Only who posts has to have the code for it loaded, and for TLS.
    from refengine.output.http import HttpChannel

    return HttpChannel(settings, _print if echo else None)


def _print(answer: str) -> None:
    print(answer, flush=True)
