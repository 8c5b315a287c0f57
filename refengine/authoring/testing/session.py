"""One run of all tests that were asked for, with what was to be measured beside."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from refengine.authoring.finding import FindingsError
from refengine.authoring.testing.bench import Bench
from refengine.authoring.testing.case import Suite
from refengine.authoring.testing.coverage import Coverage
from refengine.authoring.testing.discovery import suites, test_paths
from refengine.authoring.testing.mutation import MutationBench, MutationScore
from refengine.authoring.testing.outcome import Report, SuiteOutcome
from refengine.engine import Evaluator
from refengine.rulefile.options import DEFAULTS, LoadOptions


@dataclass(slots=True)
class Session:
    """Runs tests; of them those whose name fits one of the patterns `only`, where there are some.

    `coverage` counts over all of them, None where nobody asked. `scores` are what mutants came to, a suite each;
    suites with failures have none, since nothing can be learnt from them. `files` are all that was read. Rules are
    loaded with `options`.
    """

    only: Sequence[str] = ()
    evaluator: Evaluator = "compile"
    coverage: Coverage | None = None
    mutate: bool = False
    scores: list[MutationScore] = field(default_factory=list)
    files: set[Path] = field(default_factory=set)
    options: LoadOptions = DEFAULTS

    def run(self, named: Sequence[Path]) -> Report:
        """Run the tests in the files and folders named.

        :raises UsageError: when there is nothing of a name.
        """
        start = time.perf_counter()
        paths = test_paths(named)
        self.files.update(paths)
        done = [found if isinstance(found, SuiteOutcome) else self._suite(found) for found in suites(paths)]
        return Report(tuple(done), time.perf_counter() - start)

    def _suite(self, suite: Suite) -> SuiteOutcome:
        self.files.update(path for path in suite.rules if isinstance(path, Path))
        watchers = () if self.coverage is None else (self.coverage.watch,)
        try:
            bench = Bench.of(suite, self.evaluator, watchers, self.options)
        except FindingsError as error:
            return SuiteOutcome(suite.name, faults=error.findings)
        cases = [
            case
            for case in suite.cases
            if not self.only or any(fnmatchcase(case.name, pattern) for pattern in self.only)
        ]
        outcomes = tuple(map(bench.run, cases))
        if self.mutate and not any(outcome.failures for outcome in outcomes):
            self.scores.append(MutationBench(bench.rules, cases).score())
        return SuiteOutcome(suite.name, outcomes)
