"""Captures that rules ask for: from an alert on, the events of a while are recorded to a file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, Protocol

from refengine.backends.base import Connection
from refengine.cli.document import Document
from refengine.errors import UsageError
from refengine.event import Event, RecordedEvent
from refengine.rulefile.rule import Rule

_MILLISECOND = 10**6
_MODES = ("rules", "all_rules")


class _Writer(Protocol):
    """What writes a capture; the code for it is loaded by the first one."""

    path: Path

    def write(self, event: Event) -> None: ...

    def close(self) -> None: ...


class CaptureSettings(NamedTuple):
    """The keys `capture.*`: durations in milliseconds, sizes in megabytes, where 0 is any size.

    With `all_rules` every alert asks for a capture, otherwise those of rules with `capture: true`.
    """

    enabled: bool = False
    path_prefix: str = "/tmp/falco"  # noqa: S108  # Falco's own default
    all_rules: bool = False
    default_duration: int = 5000
    max_megabytes: int = 0


def capture_settings(document: Document) -> CaptureSettings:
    """Return what the configuration says of captures.

    :raises UsageError: for a mode that there is not.
    """
    defaults = CaptureSettings()
    mode = document.text("capture.mode", _MODES[0])
    if mode not in _MODES:
        raise UsageError(f"capture.mode is one of {', '.join(_MODES)}, not '{mode}'")
    return CaptureSettings(
        document.boolean("capture.enabled", defaults.enabled),
        document.text("capture.path_prefix", defaults.path_prefix),
        mode == "all_rules",
        document.integer("capture.default_duration", defaults.default_duration),
        document.integer("capture.max_file_size_mb", defaults.max_megabytes),
    )


class RuleCaptures:
    """Records the events of one connection when rules ask for it, one file at a time.

    A further alert during a capture makes it last longer. The file is `PREFIX_TIME_NUMBER.scap`, by the event that
    began it, whose time is in nanoseconds.
    """

    def __init__(self, settings: CaptureSettings, connection: Connection) -> None:
        self._settings = settings
        self._connection = connection
        self._writer: _Writer | None = None
        self._until = 0

    def alerted(self, name: str, event: Event | RecordedEvent, rules: Iterable[Rule]) -> None:
        """Begin a capture, or let one last longer, where the rule that alerted asks for it.

        :raises BackendError: when the file cannot be written.
        """
        rule = next((rule for rule in rules if rule.name == name), None)
        if rule is None or not isinstance(event, Event):
            return
        if not (self._settings.all_rules or rule.definition.capture):
            return
        duration = rule.definition.capture_duration or self._settings.default_duration
        self._until = max(self._until, event.time + duration * _MILLISECOND)
        if self._writer is None:
            self._begin(event)

    def take(self, event: Event | RecordedEvent) -> None:
        """Record an event, if a capture is going on; end the capture when its time or its size is over."""
        if self._writer is None or not isinstance(event, Event):
            return
        if event.time > self._until or self._is_full():
            self.close()
            return
        self._writer.write(event)

    def close(self) -> None:
        """End the capture that is going on."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _begin(self, event: Event) -> None:
        state = self._connection.state
        if state is None:
            return
        # Only who records has to have the code for it loaded.
        from refengine.backends.capture.snapshot import tables_of
        from refengine.backends.capture.writer import CaptureWriter

        path = Path(f"{self._settings.path_prefix}_{event.time:020d}_{event.number}.scap")
        writer = CaptureWriter(path)
        writer.write_tables(tables_of(state))
        writer.write(event)
        self._writer = writer

    def _is_full(self) -> bool:
        limit = self._settings.max_megabytes
        return bool(limit) and self._writer is not None and self._writer.path.stat().st_size >= limit * 10**6
