"""Snapshots of the metrics, as alerts and as lines of a file."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from refengine.output.alert import INTERNAL, Alert
from refengine.output.channel import ChannelError, FileChannel
from refengine.priority import Priority
from refengine.service.metrics import Metric, MetricsSettings
from refengine.service.snapshot_fields import SnapshotFields

RULE: Final = "Falco internal: metrics snapshot"
"""The name that readers of Falco's alerts know."""


class Snapshots:
    """Takes a snapshot whenever it is told to; `alert` takes an alert, `report` a sentence for people."""

    def __init__(
        self,
        settings: MetricsSettings,
        metrics: Callable[[], Iterable[Metric]],
        alert: Callable[[Alert], None],
        report: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._metrics = metrics
        self._alert = alert
        self._report = report
        self._fields = SnapshotFields(settings)
        self._taken = 0
        self._failing = False

    def take(self) -> None:
        """Write the metrics of now where the settings want them."""
        self._taken += 1
        now = time.time_ns()
        fields = self._fields.of(self._metrics(), now)
        if self._settings.alert:
            self._alert(
                Alert(RULE, Priority.INFORMATIONAL, INTERNAL, now, 0, "Falco metrics snapshot", fields)
            )
        if self._settings.file:
            self._append(json.dumps({"output_fields": fields, "sample": self._taken}, sort_keys=True))

    def _append(self, line: str) -> None:
        try:
            FileChannel(Path(self._settings.file)).write(line)
        except ChannelError as error:
            if not self._failing:
                self._report(f"metrics: {error}")
            self._failing = True
        else:
            self._failing = False
