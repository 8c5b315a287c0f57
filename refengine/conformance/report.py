"""The outcomes of runs as text for people, JSON for programs and JUnit's XML for continuous integration."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from xml.sax.saxutils import escape, quoteattr

from refengine.conformance.build import EDITION
from refengine.conformance.runner import Outcome, Run, Verdict


def text_report(runs: Sequence[Run]) -> str:
    """Return every failure with its reason, why cases were skipped, and the counts of each run."""
    lines: list[str] = []
    for run in runs:
        lines.extend(
            f"FAILED {run.name}: {outcome.case.id} [{outcome.case.clause}]\n  {outcome.reason}"
            for outcome in run.outcomes
            if outcome.verdict is Verdict.FAILED
        )
        reasons = Counter(outcome.reason for outcome in run.outcomes if outcome.verdict is Verdict.SKIPPED)
        lines.extend(
            f"skipped {run.name}: {count} cases: {reason}" for reason, count in reasons.most_common()
        )
    lines.extend(f"{run.name}: {', '.join(_counts(run))}, of {len(run.outcomes)} cases" for run in runs)
    return "\n".join(lines) + "\n"


def _counts(run: Run) -> list[str]:
    return [f"{run.count(verdict)} {verdict.value}" for verdict in Verdict]


def json_report(runs: Sequence[Run]) -> str:
    """Return one object with the runs, their counts and the cases that did not pass."""
    return (
        json.dumps(
            {
                "edition": EDITION,
                "runs": [
                    {
                        "name": run.name,
                        **{verdict.value: run.count(verdict) for verdict in Verdict},
                        "cases": [
                            _json_outcome(outcome)
                            for outcome in run.outcomes
                            if outcome.verdict is not Verdict.PASSED
                        ],
                    }
                    for run in runs
                ],
            },
            indent=2,
        )
        + "\n"
    )


def _json_outcome(outcome: Outcome) -> dict[str, str]:
    return {
        "id": outcome.case.id,
        "clause": outcome.case.clause,
        "verdict": outcome.verdict.value,
        "reason": outcome.reason,
    }


def junit_report(runs: Sequence[Run]) -> str:
    """Return a test suite for each run, with a test case for each case."""
    lines = ['<?xml version="1.0" encoding="utf-8"?>', "<testsuites>"]
    for run in runs:
        lines.append(
            f"<testsuite name={quoteattr(run.name)} tests={quoteattr(str(len(run.outcomes)))}"
            f' failures="{run.count(Verdict.FAILED)}" skipped="{run.count(Verdict.SKIPPED)}">'
        )
        lines.extend(_junit_case(outcome) for outcome in run.outcomes)
        lines.append("</testsuite>")
    lines.append("</testsuites>")
    return "\n".join(lines) + "\n"


def _junit_case(outcome: Outcome) -> str:
    head = f"<testcase classname={quoteattr(outcome.case.clause)} name={quoteattr(outcome.case.id)}"
    if outcome.verdict is Verdict.PASSED:
        return f"{head}/>"
    reason = "".join(character if character.isprintable() else "?" for character in outcome.reason)
    if outcome.verdict is Verdict.SKIPPED:
        return f"{head}><skipped message={quoteattr(reason)}/></testcase>"
    return f"{head}><failure>{escape(reason)}</failure></testcase>"


REPORTS: Mapping[str, Callable[[Sequence[Run]], str]] = MappingProxyType(
    {"text": text_report, "json": json_report, "junit": junit_report}
)
"""The reports by the names that the command line has for them."""
