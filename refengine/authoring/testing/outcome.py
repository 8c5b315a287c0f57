"""What came of tests."""

from __future__ import annotations

from dataclasses import dataclass

from refengine.authoring.finding import Finding
from refengine.authoring.testing.case import Case
from refengine.authoring.testing.judge import Failure


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one test: it passed where there are no failures and it was not skipped.

    `remarks` are what its backend found wrong with the events. `seconds` is the time that it took.
    """

    case: Case
    failures: tuple[Failure, ...] = ()
    skipped: str | None = None
    remarks: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def status(self) -> str:
        """`passed`, `failed` or `skipped`."""
        if self.skipped is not None:
            return "skipped"
        return "failed" if self.failures else "passed"


@dataclass(frozen=True, slots=True)
class SuiteOutcome:
    """What came of the tests of one file; `faults` are why it could not be used, or not wholly."""

    name: str
    outcomes: tuple[Outcome, ...] = ()
    faults: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """What came of all the tests, and the time that it took, reading included, in seconds."""

    suites: tuple[SuiteOutcome, ...]
    seconds: float

    def count(self, status: str) -> int:
        """Return how many tests ended so."""
        return sum(outcome.status == status for suite in self.suites for outcome in suite.outcomes)

    @property
    def total(self) -> int:
        """The number of tests."""
        return sum(len(suite.outcomes) for suite in self.suites)

    @property
    def faults(self) -> tuple[Finding, ...]:
        """Everything for which files could not be used."""
        return tuple(fault for suite in self.suites for fault in suite.faults)
