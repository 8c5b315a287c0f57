"""Remarks on standard error: what is going on, and what deserves attention."""

from __future__ import annotations

import json
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from refengine.output.channel import ChannelError
from refengine.output.escape import single_line, valid_unicode
from refengine.output.syslog import SyslogChannel
from refengine.output.times import iso8601_zulu
from refengine.priority import Priority
from refengine.report import render
from refengine.terminal import Style

if TYPE_CHECKING:
    from refengine.rulefile.loader import LoadResult

LEVELS = ("emergency", "alert", "critical", "error", "warning", "notice", "info", "debug")
"""The values of `log_level`; the first is the gravest."""


class LogSettings(NamedTuple):
    """Where the program's own messages go, and from which of `LEVELS` on; None leaves that to `-v`.

    With `json` each is one JSON object a line.
    """

    stderr: bool = True
    syslog: bool = False
    level: str | None = None
    json: bool = False


class Messages:
    """Speaks to the person at the terminal, and to the log where it is to.

    Any thread may speak.
    """

    def __init__(self) -> None:
        self._style = Style.of(sys.stderr)
        self.follow(LogSettings())

    def follow(self, log: LogSettings, *, verbose: bool = False) -> None:
        """Speak from now on as the settings say."""
        self._log = log
        level = log.level
        self._least = Priority.parse(level) if level is not None else Priority.NOTICE
        if verbose:
            self._least = max(self._least, Priority.INFORMATIONAL)
        self._verbose = self._least >= Priority.INFORMATIONAL
        self._syslog = SyslogChannel() if log.syslog else None

    def tell(self, text: str) -> None:
        """Say what is going on, to whom asked for it."""
        self._print(Priority.INFORMATIONAL, text)

    def note(self, text: str) -> None:
        """Say what has happened that is worth knowing."""
        self._print(Priority.NOTICE, text)

    def warn(self, text: str) -> None:
        """Say what deserves attention."""
        self._print(Priority.WARNING, text, f"{self._style.yellow('Warning:')} ")

    def fail(self, text: str) -> None:
        """Say why the program ends."""
        self._print(Priority.ERROR, text, f"{self._style.red('Error:')} ")

    def warnings_of(self, result: LoadResult) -> None:
        """Say how many warnings the load of each file gave, or with `verbose` what they are."""
        for file in result.files:
            if not file.warnings:
                self.tell(f"{file.name}: Ok")
            elif self._verbose:
                for found in file.warnings:
                    self._print(Priority.INFORMATIONAL, render(found))
            else:
                count = len(file.warnings)
                self.warn(
                    f"{file.name}: {count} warning{'s' if count > 1 else ''}; -V tells {'them' if count > 1 else 'it'}"
                )

    def _print(self, priority: Priority, text: str, word: str = "") -> None:
        if priority > self._least:
            return
        if self._log.stderr:
            with suppress(OSError):
                print(self._json(priority, text) if self._log.json else f"{word}{text}", file=sys.stderr)
        if self._syslog is not None:
            with suppress(ChannelError):  # there is nowhere left to say that the log is not there
                self._syslog.write(single_line(text), priority)

    @staticmethod
    def _json(priority: Priority, text: str) -> str:
        record = {"level": priority.label.lower(), "message": text, "time": iso8601_zulu(time.time_ns())}
        return valid_unicode(json.dumps(record, ensure_ascii=False))
