"""The report as annotations that GitHub Actions shows beside the lines of a change."""

from __future__ import annotations

from collections.abc import Iterable

from refengine.authoring.testing.outcome import Report
from refengine.authoring.testing.reports.text import summary
from refengine.source import Place
from refengine.terminal import Style


def github(report: Report, style: Style) -> str:
    """Return one annotation for each failure and fault, and a last line that sums all up."""
    lines: list[str] = []
    for suite in report.suites:
        lines.extend(annotation("error", fault.place, fault.check, [fault.message]) for fault in suite.faults)
        for outcome in suite.outcomes:
            name = outcome.case.name
            if outcome.skipped is not None:
                lines.append(annotation("warning", outcome.case.place, name, [f"skipped: {outcome.skipped}"]))
            lines.extend(
                annotation("error", failure.place, name, [failure.message, *failure.details])
                for failure in outcome.failures
            )
    return "\n".join((*lines, summary(report, style))) + "\n"


def annotation(level: str, place: Place | None, title: str, lines: Iterable[str]) -> str:
    """Return one annotation."""
    keys = [f"title={_escaped(title, ':,')}"]
    if place is not None:
        start, end = place.start, place.end
        keys = [
            f"file={_escaped(place.source.name, ':,')}",
            f"line={start.line}",
            f"endLine={max(start.line, end.line)}",
            f"col={start.column}",
            *keys,
        ]
    return f"::{level} {','.join(keys)}::{_escaped(chr(10).join(lines))}"


def _escaped(text: str, more: str = "") -> str:
    for character in f"%\r\n{more}":
        text = text.replace(character, f"%{ord(character):02X}")
    return text
