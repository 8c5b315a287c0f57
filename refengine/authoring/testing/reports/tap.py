"""The report in the Test Anything Protocol, version 13."""

from __future__ import annotations

import json
from collections.abc import Iterator

from refengine.authoring.testing.outcome import Outcome, Report
from refengine.terminal import Style


def tap(report: Report, _style: Style) -> str:
    """Return a line a test, with what failed in a block below it."""
    lines = ["TAP version 13", f"1..{report.total + len(report.faults)}"]
    number = 0
    for suite in report.suites:
        for fault in suite.faults:
            number += 1
            lines.append(f"not ok {number} - {_plain(f'{suite.name}: {fault.message}')}")
            lines.extend(_block([f"{fault.place}: {fault.message}"]))
        for outcome in suite.outcomes:
            number += 1
            lines.extend(_outcome(number, suite.name, outcome))
    return "\n".join(lines) + "\n"


def _outcome(number: int, suite: str, outcome: Outcome) -> Iterator[str]:
    word = "not ok" if outcome.failures else "ok"
    skip = "" if outcome.skipped is None else f" # SKIP {_plain(outcome.skipped)}"
    yield f"{word} {number} - {_plain(f'{suite}: {outcome.case.name}')}{skip}"
    if outcome.failures:
        yield from _block(
            [line for failure in outcome.failures for line in (failure.message, *failure.details)],
            str(outcome.case.place),
        )


def _block(lines: list[str], at: str | None = None) -> Iterator[str]:
    yield "  ---"
    if at is not None:
        yield f"  at: {json.dumps(at)}"
    yield "  message:"
    yield from (f"    - {json.dumps(line)}" for line in lines)
    yield "  ..."


def _plain(text: str) -> str:
    """Return `text` without what the protocol gives a meaning to."""
    return " ".join(text.replace("#", "\\#").split())
