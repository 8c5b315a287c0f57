"""What else becomes of the events of a run: printed, recorded, counted."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from refengine.backends.base import Connection
from refengine.cli.options import Options
from refengine.errors import UsageError
from refengine.output.channel import StreamChannel
from refengine.output.event_lines import EventLines
from refengine.rulefile.rule import Rule

Tap: TypeAlias = Callable[[Any], None]
"""Takes every event that the rules are evaluated on, once the state has taken notice of it."""


class Taps:
    """The taps that the options ask for; `each` is empty where they ask for none.

    :raises UsageError: when the events of this backend cannot be recorded.
    :raises BackendError: when the file to record to cannot be written.
    """

    def __init__(self, connection: Connection, rules: Iterable[Rule] | None, options: Options) -> None:
        taps: list[Tap] = []
        self._close: list[Callable[[], None]] = []
        self.counts: Counter[str] | None = None
        if options.print_events:
            taps.append(self._printer(rules))
        if options.record is not None:
            taps.append(self._recorder(connection, options))
        if options.verbose:
            taps.append(self._counter())
        self.each = tuple(taps)

    def close(self) -> None:
        """Write out what is buffered and close what was opened."""
        for close in self._close:
            close()

    def _printer(self, rules: Iterable[Rule] | None) -> Tap:
        fields = None if rules is None else [read for rule in rules for read in rule.reads()]
        line, channel = EventLines(fields).line, StreamChannel(sys.stdout, buffered=False)
        return lambda event: channel.write(line(event))

    def _recorder(self, connection: Connection, options: Options) -> Tap:
        assert options.record is not None
        state = connection.state
        if state is None:
            raise UsageError(f"the events of the {connection.backend.name} backend cannot be recorded")
        # Only who records has to have the code for it loaded.
        from refengine.backends.capture.snapshot import tables_of
        from refengine.backends.capture.writer import CaptureWriter

        writer = CaptureWriter(options.record)
        self._close.append(writer.close)
        begun = False

        def record(event: Any) -> None:
            nonlocal begun
            if not begun:
                # Not before the first event, when the state has met who is watched.
                begun = True
                writer.write_tables(tables_of(state))
            writer.write(event)

        return record

    def _counter(self) -> Tap:
        counts = self.counts = Counter()

        def count(event: Any) -> None:
            counts[event.name] += 1

        return count
