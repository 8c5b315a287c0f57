"""Judging the work on an exercise: by the lesson's own tests and rules, whatever the learner's copies of them say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from refengine.authoring.finding import Finding, FindingsError
from refengine.authoring.lessons.lesson import TESTS, Lesson
from refengine.authoring.lessons.needs import Work, unmet
from refengine.authoring.testing.bench import Bench
from refengine.authoring.testing.case import Suite
from refengine.authoring.testing.mutation import MutationBench, MutationScore
from refengine.authoring.testing.outcome import Outcome
from refengine.authoring.testing.reading import read_suite
from refengine.rulefile.loader import load
from refengine.source import Source


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a check.

    `faults` are why the work could not be tested: it is no YAML, or does not load. `missing` is what the lesson is
    about and the work does not use, in the lesson's words. `mutants` are those of the given rules, where the
    exercise is to write tests. `bench` has the rules, None where they do not load.
    """

    outcomes: tuple[Outcome, ...] = ()
    faults: tuple[Finding, ...] = ()
    missing: tuple[str, ...] = ()
    mutants: MutationScore | None = None
    bench: Bench | None = None

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """The tests that fail."""
        return tuple(outcome for outcome in self.outcomes if outcome.status == "failed")

    @property
    def skipped(self) -> tuple[Outcome, ...]:
        """The tests that cannot run on this machine."""
        return tuple(outcome for outcome in self.outcomes if outcome.status == "skipped")

    @property
    def passed(self) -> bool:
        """True where the lesson is solved."""
        unnoticed = self.mutants is not None and bool(self.mutants.survivors)
        ran = any(outcome.status == "passed" for outcome in self.outcomes)
        return ran and not (self.failed or self.faults or self.missing or unnoticed)


def judge(lesson: Lesson, work: str, shown: Path) -> Verdict:
    """Return what the lesson makes of `work`, the text of the file to edit.

    `shown` is the folder that messages give for the lesson's files.
    """
    try:
        bench = Bench.of(_suite(lesson, work, shown))
    except FindingsError as error:
        return Verdict(faults=error.findings)
    outcomes = tuple(map(bench.run, bench.suite.cases))
    failed = any(outcome.failures for outcome in outcomes)
    if lesson.writes_tests:
        score = None if failed else MutationBench(bench.rules, bench.suite.cases).score()
        return Verdict(outcomes, missing=tuple(_unnamed(bench)), mutants=score, bench=bench)
    missing = () if failed else _missing(lesson, bench.suite)
    return Verdict(outcomes, missing=missing, bench=bench)


def _suite(lesson: Lesson, work: str, shown: Path) -> Suite:
    edited = lesson.about.edit

    def source(name: str) -> Source:
        return Source(str(shown / name), work if name == edited else lesson.files[name].decode())

    suite = read_suite(lesson.folder / TESTS, source(TESTS))
    named = [path.name for path in suite.rules if isinstance(path, Path)]
    if lesson.writes_tests:
        # What rules there are is not for the learner's tests to say.
        named = [name for name in lesson.files if name.endswith(".yaml") and name != TESTS]
    return replace(suite, name=str(shown / TESTS), rules=tuple(map(source, named)))


def _unnamed(bench: Bench) -> Iterator[str]:
    """Yield what is missing in tests that do not speak of all rules: such rules have no mutants."""
    named = {named.name for case in bench.suite.cases for named in case.expected.names}
    for rule in bench.rules.enabled():
        if rule.name not in named:
            yield f"No test names the rule '{rule.name}' yet, so that none of its mutants is tried."


def _missing(lesson: Lesson, suite: Suite) -> tuple[str, ...]:
    files = tuple(file for file in suite.rules if isinstance(file, Source))
    own = next(file for file in files if Path(file.name).name == lesson.about.edit)
    work = Work(files, own, load(files), lesson.exercise)
    return tuple(need.say for need in unmet(lesson.about.needs, work))
