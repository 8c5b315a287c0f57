"""The forms in which findings are told: text, JSON, SARIF, and annotations of GitHub."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from refengine.authoring.finding import Edit, Finding, Severity, place_json, render
from refengine.authoring.linting.checks import CHECKS, ORDER
from refengine.authoring.testing.reports.github import annotation
from refengine.source import Place
from refengine.terminal import Style

_SARIF = "https://json.schemastore.org/sarif-2.1.0.json"


def text(findings: Sequence[Finding], style: Style) -> str:
    """Return the findings one after another, and a line that counts them."""
    lines = [render(finding) for finding in findings]
    counts = Counter(finding.severity for finding in findings)
    parts = [f"{counts[grade]} {grade}{'s' if counts[grade] > 1 else ''}" for grade in ORDER if counts[grade]]
    fixable = sum(bool(finding.fix) for finding in findings)
    hint = f"; --fix removes {fixable} of them" if fixable else ""
    words = ", ".join(parts)
    lines.append(
        f"{style.yellow(words) if counts[Severity.WARNING] else words}{hint}" if parts else "nothing found"
    )
    return "\n".join(lines) + "\n"


def json_report(findings: Sequence[Finding], _style: Style) -> str:
    """Return the findings as one JSON document; lines and columns count from 1."""
    return json.dumps([_json(finding) for finding in findings], indent=2) + "\n"


def github(findings: Sequence[Finding], _style: Style) -> str:
    """Return one annotation a finding."""
    levels = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}
    return "".join(
        annotation(
            levels[finding.severity],
            finding.place,
            finding.check,
            [finding.message, *([finding.suggestion] if finding.suggestion else [])],
        )
        + "\n"
        for finding in findings
    )


def sarif(findings: Sequence[Finding], _style: Style) -> str:
    """Return the findings in the Static Analysis Results Interchange Format, version 2.1.0."""
    names = list(dict.fromkeys(finding.check for finding in findings))
    driver: dict[str, Any] = {
        "name": "refengine",
        "rules": [_described(name) for name in names],
    }
    results = [_result(finding, names.index(finding.check)) for finding in findings]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json.dumps({"$schema": _SARIF, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


REPORTS: Mapping[str, Callable[[Sequence[Finding], Style], str]] = MappingProxyType(
    {"text": text, "json": json_report, "sarif": sarif, "github": github}
)
"""The reports by name."""


def _json(finding: Finding) -> dict[str, Any]:
    return {
        "check": finding.check,
        "severity": str(finding.severity),
        "rule": finding.rule,
        "message": finding.message,
        "place": place_json(finding.place),
        "notes": [{"message": note.message, "place": place_json(note.place)} for note in finding.notes],
        "suggestion": finding.suggestion,
        "fixable": bool(finding.fix),
    }


def _described(name: str) -> dict[str, Any]:
    check = CHECKS.get(name)
    about = "What the load of the rules found." if check is None else check.about
    return {"id": name, "shortDescription": {"text": about}}


def _result(finding: Finding, index: int) -> dict[str, Any]:
    words = (
        finding.message if finding.suggestion is None else f"{finding.message}. Help: {finding.suggestion}"
    )
    result: dict[str, Any] = {
        "ruleId": finding.check,
        "ruleIndex": index,
        "level": str(finding.severity),
        "message": {"text": words},
    }
    if finding.place is not None:
        result["locations"] = [_location(finding.place)]
    related = [
        {**_location(note.place), "id": number, "message": {"text": note.message}}
        for number, note in enumerate(finding.notes)
        if note.place is not None
    ]
    if related:
        result["relatedLocations"] = related
    if finding.fix:
        result["fixes"] = [
            {"description": {"text": "Take it out."}, "artifactChanges": list(map(_change, finding.fix))}
        ]
    return result


def _change(edit: Edit) -> dict[str, Any]:
    place = Place(edit.source, edit.span)
    return {
        "artifactLocation": {"uri": _uri(edit.source.name)},
        "replacements": [{"deletedRegion": _region(place), "insertedContent": {"text": edit.text}}],
    }


def _location(place: Place) -> dict[str, Any]:
    return {
        "physicalLocation": {"artifactLocation": {"uri": _uri(place.source.name)}, "region": _region(place)}
    }


def _region(place: Place) -> dict[str, int]:
    start, end = place.start, place.end
    return {
        "startLine": start.line,
        "startColumn": start.column,
        "endLine": end.line,
        "endColumn": end.column,
    }


def _uri(name: str) -> str:
    return Path(name).as_uri() if Path(name).is_absolute() else quote(name)
