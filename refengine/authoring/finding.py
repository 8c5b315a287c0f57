"""What is wrong, or doubtful, with something that an author wrote: data, and its form as text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from refengine.errors import Diagnostic, Note, RefengineError
from refengine.report import snippet
from refengine.source import Place, Source, Span


class Severity(str, Enum):
    """How grave a finding is."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace what stands at `span` of `source` by `text`."""

    source: Source
    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding: `check` names what was asked, `fix` is what would remove it, empty where a person has to decide."""

    check: str
    severity: Severity
    message: str
    place: Place | None = None
    notes: tuple[Note, ...] = ()
    suggestion: str | None = None
    fix: tuple[Edit, ...] = ()
    rule: str | None = None


class FindingsError(RefengineError):
    """Files that cannot be used, with everything that is wrong with them."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__(self.findings)

    def __str__(self) -> str:
        return "\n".join(map(render, self.findings))


def of_diagnostic(found: Diagnostic) -> Finding:
    """Return what a load found as a finding, under the name of its code."""
    rule = next((item.name for item in found.path if item.kind == "rule" and item.name), None)
    severity = Severity.ERROR if found.is_error else Severity.WARNING
    return Finding(
        str(found.code), severity, found.message, found.place, found.notes, found.suggestion, rule=rule
    )


def render(finding: Finding) -> str:
    """Return a finding over several lines: `FILE:LINE:COLUMN: severity: message [check]`, the line and a caret."""
    where = "" if finding.place is None else f"{finding.place}: "
    lines = [f"{where}{finding.severity}: {finding.message} [{finding.check}]"]
    if finding.place is not None:
        lines.extend(snippet(finding.place))
    for note in finding.notes:
        where = "" if note.place is None else f"{note.place}: "
        lines.append(f"  note: {where}{note.message}")
        if note.place is not None:
            lines.extend(snippet(note.place))
    if finding.suggestion is not None:
        lines.append(f"  help: {finding.suggestion}")
    return "\n".join("".join(c if c.isprintable() or c == "\t" else "?" for c in line) for line in lines)


def place_json(place: Place | None) -> dict[str, Any] | None:
    """Return a place as an object for JSON; line and column count from 1."""
    if place is None:
        return None
    return {"file": place.source.name, "line": place.start.line, "column": place.start.column}
