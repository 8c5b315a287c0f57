"""Running the suite: every case asked of an engine, every answer judged."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from refengine.conformance.answer import Answer, disagreement
from refengine.conformance.case import Case

Ask = Callable[[Case], Answer]


class Verdict(str, Enum):
    """How a case ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A case with its verdict; `reason` says why it failed or was skipped."""

    case: Case
    verdict: Verdict
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """The outcomes of one engine, or of one evaluator of it, called `name`."""

    name: str
    outcomes: tuple[Outcome, ...]

    def count(self, verdict: Verdict) -> int:
        """Return how many cases ended so."""
        return sum(outcome.verdict is verdict for outcome in self.outcomes)

    @property
    def successful(self) -> bool:
        """True when no case failed."""
        return not self.count(Verdict.FAILED)


def run_cases(name: str, cases: Iterable[Case], ask: Ask) -> Run:
    """Return the outcomes of asking an engine about each of `cases`; what it raises fails the case."""
    return Run(name, tuple(_outcome(case, ask) for case in cases))


def _outcome(case: Case, ask: Ask) -> Outcome:
    try:
        answer = ask(case)
    except Exception as error:  # an engine's fault is a finding, not the end of the run
        answer = Answer(failed=f"{type(error).__name__}: {error}")
    if answer.skipped is not None:
        return Outcome(case, Verdict.SKIPPED, answer.skipped)
    reason = disagreement(case, answer)
    return Outcome(case, Verdict.PASSED) if reason is None else Outcome(case, Verdict.FAILED, reason)


def chosen(cases: Sequence[Case], patterns: Sequence[str], without: Collection[str] = ()) -> tuple[Case, ...]:
    """Return the cases whose id or clause fits one of the shell patterns, and that have none of the features.

    Without patterns every case fits.
    """
    return tuple(case for case in cases if case.features.isdisjoint(without) and _fits(case, patterns))


def _fits(case: Case, patterns: Sequence[str]) -> bool:
    names = (case.id, case.clause)
    return not patterns or any(fnmatch.fnmatchcase(name, pattern) for name in names for pattern in patterns)
