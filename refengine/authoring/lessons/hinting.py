"""Hints: those of the lesson, from the vague to the plain, and last the truth tree of what fails now."""

from __future__ import annotations

from collections.abc import Iterable

from refengine.authoring.explaining.inquiry import Inquiry
from refengine.authoring.explaining.text import answer_text
from refengine.authoring.lessons.judging import Verdict
from refengine.authoring.lessons.lesson import Lesson
from refengine.authoring.testing.case import Case, Given
from refengine.authoring.testing.mutation import mutation_text
from refengine.authoring.testing.outcome import Outcome
from refengine.event import Event, RecordedEvent
from refengine.interest import interest_of
from refengine.rulefile.rule import Rule
from refengine.terminal import Style


def count(lesson: Lesson) -> int:
    """Return how many hints there are, the truth tree among them."""
    return len(lesson.about.hints) + 1


def explanation(verdict: Verdict, style: Style) -> str | None:
    """Return why the first test that fails does so, part by part; None where no condition is the reason."""
    if verdict.mutants is not None and verdict.mutants.survivors:
        return mutation_text([verdict.mutants])
    for outcome in verdict.failed:
        found = _tree(verdict, outcome, style)
        if found is not None:
            return found
    return None


def _tree(verdict: Verdict, outcome: Outcome, style: Style) -> str | None:
    assert verdict.bench is not None, "tests have run"
    rules = verdict.bench.rules
    name = next((found.missing or found.unexpected for found in outcome.failures), None)
    rule = next((rule for rule in rules if rule.name == name), None)
    if rule is None:
        return None
    inquiry = Inquiry([rule], rules.enabled())
    for event in _events(outcome.case, rule):
        inquiry.see(event)
    answers = inquiry.answers()
    return f"test: {outcome.case.name}\n{answer_text(answers[0], style)}" if answers else None


def _events(case: Case, rule: Rule) -> Iterable[Event | RecordedEvent]:
    if isinstance(case.events, Given):
        return case.events.events
    return case.events.observation().events(interest_of([rule]))
