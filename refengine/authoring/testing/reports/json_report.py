"""The report as one JSON document."""

from __future__ import annotations

import json
from typing import Any

from refengine.authoring.finding import Finding, place_json
from refengine.authoring.testing.outcome import Outcome, Report
from refengine.terminal import Style


def json_report(report: Report, _style: Style) -> str:
    """Return the report; lines and columns count from 1."""
    return (
        json.dumps(
            {
                "passed": report.count("passed"),
                "failed": report.count("failed"),
                "skipped": report.count("skipped"),
                "errors": len(report.faults),
                "seconds": round(report.seconds, 4),
                "files": [
                    {
                        "name": suite.name,
                        "errors": list(map(fault_json, suite.faults)),
                        "tests": list(map(_outcome, suite.outcomes)),
                    }
                    for suite in report.suites
                ],
            },
            indent=2,
        )
        + "\n"
    )


def fault_json(fault: Finding) -> dict[str, Any]:
    """Return a finding as an object."""
    return {
        "check": fault.check,
        "severity": str(fault.severity),
        "message": fault.message,
        "place": place_json(fault.place),
        "suggestion": fault.suggestion,
    }


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        "name": outcome.case.name,
        "place": place_json(outcome.case.place),
        "status": outcome.status,
        "seconds": round(outcome.seconds, 5),
        "skipped": outcome.skipped,
        "remarks": list(outcome.remarks),
        "failures": [
            {"message": failure.message, "place": place_json(failure.place), "details": list(failure.details)}
            for failure in outcome.failures
        ],
    }
