"""The report for people."""

from __future__ import annotations

from typing import TypeAlias

from refengine.authoring.finding import render
from refengine.authoring.testing.outcome import Outcome, Report
from refengine.terminal import Style

Cause: TypeAlias = tuple[str | None, str | None, tuple[str, ...]]
"""The rule that was silent, the one that alerted, and the comparisons that made it so."""

_SHOWN = 2
"""Comparisons that are named again where a failure is told in short."""


def text(report: Report, style: Style) -> str:
    """Return what failed and why, file by file, and one line that sums all up."""
    lines: list[str] = []
    told: set[Cause] = set()
    for suite in report.suites:
        count = sum(outcome.status == "passed" for outcome in suite.outcomes)
        bad = [outcome for outcome in suite.outcomes if outcome.status != "passed"]
        lines.append(f"{suite.name}: {count} of {len(suite.outcomes)} passed")
        lines.extend(map(render, suite.faults))
        for outcome in bad:
            lines.extend(outcome_lines(outcome, style, told))
        for outcome in suite.outcomes:
            lines.extend(f"  remark on '{outcome.case.name}': {remark}" for remark in outcome.remarks)
    lines.append(summary(report, style))
    return "\n".join(lines) + "\n"


def summary(report: Report, style: Style) -> str:
    """Return the line that sums all up."""
    if not report.total and not report.faults:
        return style.red("there are no tests")
    failed, skipped, faults = report.count("failed"), report.count("skipped"), len(report.faults)
    parts = [f"{report.count('passed')} passed"]
    if failed:
        parts.append(style.red(f"{failed} failed"))
    if skipped:
        parts.append(style.yellow(f"{skipped} skipped"))
    if faults:
        parts.append(style.red(f"{faults} error{'s' if faults > 1 else ''}"))
    return f"{', '.join(parts)} in {report.seconds:.2f} s"


def outcome_lines(outcome: Outcome, style: Style, told: set[Cause] | None = None) -> list[str]:
    """Return why a test failed, or was skipped.

    A failure of a cause among those `told` is told in short; further ones are added.
    """
    if outcome.skipped is not None:
        return [f"{style.yellow('SKIP')} {outcome.case.place}: {outcome.case.name}", f"  {outcome.skipped}"]
    lines = [f"{style.red('FAIL')} {outcome.case.place}: {style.bold(outcome.case.name)}"]
    for failure in outcome.failures:
        cause = (failure.missing, failure.unexpected, failure.cause)
        if failure.cause and told is not None and cause in told:
            lines.append(f"  {failure.message}, for a reason above: {', '.join(failure.cause[:_SHOWN])}")
            continue
        if told is not None:
            told.add(cause)
        lines.append(f"  {failure.message}")
        lines.extend(f"    {line}" for line in failure.details)
    return lines
