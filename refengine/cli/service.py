"""What goes on beside the evaluation of events in a long run, as the configuration wants it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from threading import Lock
from typing import TYPE_CHECKING

from refengine.cli.configuration import Configuration
from refengine.cli.messages import Messages
from refengine.cli.metrics import Metrics
from refengine.cli.options import Options
from refengine.cli.outputs import Outputs
from refengine.cli.renewal import Renewal, status
from refengine.cli.signals import Interruption
from refengine.cli.summary import total
from refengine.cli.watch import Watch
from refengine.service.drops import DropWatch
from refengine.service.files import FileWatch
from refengine.service.notify import Supervisor
from refengine.service.periodic import Periodic
from refengine.service.snapshots import Snapshots

if TYPE_CHECKING:
    from refengine.service.web import WebServer
    from refengine.service.web_settings import WebSettings

_SOON = 0.2
"""Seconds after which a signal that asks for a reload is noticed."""


class Service:
    """Reloads, answers over the web, takes snapshots, watches over outputs and drops, and tells the service manager.

    The web server begins when every watch has; the rest is done by the loop of the first one.
    """

    def __init__(
        self,
        options: Options,
        configuration: Configuration,
        watches: Sequence[Watch],
        outputs: Outputs,
        messages: Messages,
        asked: Interruption,
    ) -> None:
        self._settings = configuration.service
        self._watches = watches
        self._outputs = outputs
        self._messages = messages
        self._asked = asked
        self._supervisor = Supervisor()
        self.renewal = Renewal(options, configuration, watches, outputs, messages, self._supervisor)
        empty = self._settings.metrics.empty
        self._metrics = Metrics(options, tuple(watches), outputs, self.renewal, empty)
        self._web: WebServer | None = None
        self._waiting = len(watches)
        self._lock = Lock()
        self._incomplete = [watch.connection for watch in watches]
        is_live = any(watch.connection.progress is None for watch in watches)
        wanted = self._settings.watch_files
        if wanted is None:
            wanted = options.configuration is not None
        self._files = FileWatch(self.renewal.files) if wanted and is_live else None
        for watch in watches:
            watch.begun = self._begun
        watches[0].periodic = Periodic(self._jobs(is_live=is_live))

    def close(self) -> None:
        """End all that goes on; to be called when the watches have ended."""
        self._supervisor.stopping()
        self.renewal.wait()
        for watch in self._watches:
            watch.discard_changes()
        if self._web is not None:
            self._web.close()

    def _begun(self) -> None:
        """Take notice that one more watch has begun.

        :raises WebServerError: when the web server cannot be started.
        """
        with self._lock:
            self._waiting -= 1
            if self._waiting:
                return
        if self._settings.web is not None:
            self._web = self._web_server(self._settings.web)
        is_complete = all(connection.complete() for connection in self._incomplete)
        self._supervisor.ready(
            self._status() if is_complete else f"{self._status()}; the start is not complete yet"
        )

    def _status(self) -> str:
        return status(sum(len(watch.rules) for watch in self._watches))

    def _web_server(self, settings: WebSettings) -> WebServer:
        # Only who has a web server has to have the code for it loaded, and for TLS.
        from refengine.cli.version import versions
        from refengine.service.web import WebServer

        return WebServer(settings, versions(), self._metrics)

    def _jobs(self, *, is_live: bool) -> Iterator[tuple[float, Callable[[], None]]]:
        yield _SOON, self._reload_if_asked
        yield _SOON, self._say_what_is_complete
        yield 1.0, self._outputs.watch
        if self._files is not None:
            yield 1.0, self._reload_if_changed
        if is_live:
            yield 1.0, self._say_warnings
            drops = DropWatch(
                self._settings.drops,
                lambda: total(watch.statistics() for watch in self._watches),
                self._outputs.write,
                self._messages.warn,
            )
            yield 1.0, drops.check
        metrics = self._settings.metrics
        if metrics.enabled and (metrics.alert or metrics.file):
            snapshots = Snapshots(metrics, self._metrics, self._outputs.write, self._messages.warn)
            yield metrics.interval, snapshots.take
        if self._supervisor.watchdog is not None:
            yield self._supervisor.watchdog / 2, self._supervisor.alive

    def _say_warnings(self) -> None:
        for watch in self._watches:
            watch.say_warnings()

    def _say_what_is_complete(self) -> None:
        if not self._incomplete or self._waiting:
            return
        complete = [connection for connection in self._incomplete if connection.complete()]
        for connection in complete:
            self._incomplete.remove(connection)
            self._messages.tell(
                f"the {connection.backend.name} backend is complete: nothing more is to be loaded for it"
            )
        if not self._incomplete:
            self._supervisor.complete(self._status())

    def _reload_if_asked(self) -> None:
        if self._asked.reload:
            self._asked.reload = False
            if self._files is not None:
                self._files.take_as_known()  # before they are loaded: what changes after that is seen as ever
            self.renewal.request()

    def _reload_if_changed(self) -> None:
        assert self._files is not None
        if self._files.changed():
            self.renewal.request()
