"""Alerts as lines: the text form and the JSON form, in the shape that Falco gives them."""

from __future__ import annotations

import json
from typing import NamedTuple

from refengine.output.alert import INTERNAL, Alert
from refengine.output.escape import single_line
from refengine.output.render import JsonValue
from refengine.output.times import clock, iso8601, iso8601_zulu


class LineFormat(NamedTuple):
    """Which form the lines have and what stands in them.

    With `iso8601` the times before messages are in UTC with their date, otherwise they are the local time of
    day. The `include_` options concern the JSON form only.
    """

    json: bool = False
    iso8601: bool = False
    include_output: bool = True
    include_message: bool = False
    include_output_fields: bool = True
    include_tags: bool = True

    def line(self, alert: Alert, hostname: str) -> str:
        """Return the alert as one line, without a line end."""
        return self._json_line(alert, hostname) if self.json else single_line(self._output(alert))

    def _output(self, alert: Alert) -> str:
        time = iso8601(alert.time) if self.iso8601 else clock(alert.time)
        text = f"{time}: {alert.priority.label} {alert.message}"
        if alert.source == INTERNAL and alert.fields:
            text += f" ({' '.join(f'{name}={value}' for name, value in sorted(alert.fields.items()))})"
        return text

    def _json_line(self, alert: Alert, hostname: str) -> str:
        record: dict[str, object] = {
            "hostname": hostname,
            "priority": alert.priority.label,
            "rule": alert.rule,
            "source": alert.source,
            "time": iso8601_zulu(alert.time),
        }
        if alert.source == INTERNAL:
            # Those have no event, so neither its time nor settings of what to say of it concern them.
            record["output"] = alert.message
            record["output_fields"] = dict(alert.fields)
            return _written(record)
        if self.include_output:
            record["output"] = self._output(alert)
        if self.include_message:
            record["message"] = alert.message
        if self.include_tags:
            record["tags"] = list(alert.tags)
        if self.include_output_fields:
            fields: dict[str, JsonValue] = dict(alert.fields)
            fields["evt.time.iso8601" if self.iso8601 else "evt.time"] = alert.time
            record["output_fields"] = fields
        return _written(record)


def _written(record: dict[str, object]) -> str:
    # JSON leaves DEL and the control characters above it as they are, which terminals obey.
    return single_line(json.dumps(record, ensure_ascii=False, separators=(",", ":"), sort_keys=True))
