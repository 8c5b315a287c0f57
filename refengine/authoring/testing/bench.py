"""Running the tests of a file: rules loaded once, one engine for each way of matching."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from refengine.authoring.finding import Finding, FindingsError, of_diagnostic
from refengine.authoring.testing.case import Case, Given, Suite
from refengine.authoring.testing.demands import vacuous, wrong_demands
from refengine.authoring.testing.evidence import Evidence
from refengine.authoring.testing.judge import Failure, failures
from refengine.authoring.testing.outcome import Outcome
from refengine.engine import Engine, Evaluator, Matching
from refengine.errors import BackendError, RefengineError, RulesError
from refengine.event import Event, RecordedEvent
from refengine.interest import interest_of
from refengine.output.alert import Alert
from refengine.rulefile.options import DEFAULTS, LoadOptions
from refengine.ruleset import RuleSet, load_rules

Watcher = Callable[[RuleSet, "Event | RecordedEvent"], None]
"""Told of every event of a test, at its moment: coverage is one."""


@dataclass(slots=True)
class Bench:
    """The rules of a suite, ready to be tested."""

    suite: Suite
    rules: RuleSet
    evaluator: Evaluator = "compile"
    watchers: tuple[Watcher, ...] = ()
    _engines: dict[Matching, Engine] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        suite: Suite,
        evaluator: Evaluator = "compile",
        watchers: Iterable[Watcher] = (),
        options: LoadOptions = DEFAULTS,
    ) -> Bench:
        """Return the bench for a suite, its rules loaded with `options`.

        :raises FindingsError: when its rules do not load, or tests demand what cannot be.
        """
        try:
            rules = load_rules(*suite.rules, options=options)
        except RulesError as error:
            raise FindingsError(map(of_diagnostic, error.diagnostics)) from None
        wrong: list[Finding] = [found for case in suite.cases for found in wrong_demands(case, rules)]
        if wrong:
            raise FindingsError(_once(wrong))
        return cls(suite, rules, evaluator, tuple(watchers))

    def run(self, case: Case) -> Outcome:
        """Run one test."""
        start = time.perf_counter()
        outcome = self._run(case)
        return replace(outcome, seconds=time.perf_counter() - start)

    def _run(self, case: Case) -> Outcome:
        if isinstance(case.events, Given):
            alerts = self._alerts(case, case.events.events, None)
            found = self._judged(case, alerts, {(event.source, event.name) for event in case.events.events})
            if found and any(failure.missing or failure.unexpected for failure in found):
                evidence = self._evidence(case)
                process = self._engine(case.matching).process
                for event in case.events.events:
                    evidence.see(event, {alert.rule for alert in process(event)})
                found = [_explained(failure, evidence) for failure in found]
            return Outcome(case, tuple(found))
        observation = case.events.observation()
        reason = observation.why_not()
        if reason is not None:
            return Outcome(case, skipped=reason)
        seen: set[tuple[str, str]] = set()
        evidence = self._evidence(case)
        place = case.events.place
        try:
            for source in {rule.source for rule in self.rules.enabled()}:
                self._engine(case.matching).require_fields(source)
            events = _noted(observation.events(interest_of(self.rules.enabled())), seen)
            alerts = self._alerts(case, events, evidence)
        except (BackendError, RefengineError, OSError) as error:
            return Outcome(case, (Failure(str(error), place),))
        found = [Failure(fault, place) for fault in observation.faults]
        if not seen:
            found.append(Failure("there was no event that any rule looks at", place))
        found.extend(_explained(failure, evidence) for failure in self._judged(case, alerts, seen))
        return Outcome(case, tuple(found), remarks=observation.remarks)

    def _alerts(
        self, case: Case, events: Iterable[Event | RecordedEvent], evidence: Evidence | None
    ) -> list[Alert]:
        process = self._engine(case.matching).process
        alerts: list[Alert] = []
        for event in events:
            raised = process(event)
            alerts.extend(raised)
            if evidence is not None:
                evidence.see(event, {alert.rule for alert in raised})
            for watch in self.watchers:
                watch(self.rules, event)
        return alerts

    def _judged(self, case: Case, alerts: list[Alert], seen: set[tuple[str, str]]) -> list[Failure]:
        found = list(failures(case.expected, alerts, case.place))
        if not found:
            given = case.events.events if isinstance(case.events, Given) else ()
            why = vacuous(case.expected, self.rules, seen, given)
            if why is not None:
                found.append(Failure(f"this test would pass whatever the rules say: {why}", case.place))
        return found

    def _engine(self, matching: Matching) -> Engine:
        engine = self._engines.get(matching)
        if engine is None:
            engine = self._engines[matching] = Engine(self.rules, matching, evaluator=self.evaluator)
        return engine

    def _evidence(self, case: Case) -> Evidence:
        names = {named.name for named in case.expected.names}
        return Evidence(self.rules.enabled(), names, first_only=case.matching == "first")


def _explained(failure: Failure, evidence: Evidence) -> Failure:
    reason = None
    if failure.missing is not None:
        reason = evidence.why_silent(failure.missing)
    elif failure.unexpected is not None:
        reason = evidence.why_alerted(failure.unexpected)
    if reason is None:
        return failure
    return replace(failure, details=(*failure.details, *reason.lines), cause=reason.cause)


def _noted(
    events: Iterator[Event | RecordedEvent], seen: set[tuple[str, str]]
) -> Iterator[Event | RecordedEvent]:
    for event in events:
        seen.add((event.source, event.name))
        yield event


def _once(findings: list[Finding]) -> list[Finding]:
    """Return the findings without those that stand for several instances of one test."""
    kept: dict[object, Finding] = {}
    for found in findings:
        place = found.place
        kept.setdefault((found.message, place and (place.source.name, place.span)), found)
    return list(kept.values())
