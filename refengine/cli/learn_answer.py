"""What `refengine learn` answers, for people and, as JSON, for the tools of teachers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from refengine.authoring.finding import place_json
from refengine.authoring.lessons import hinting
from refengine.authoring.lessons.judging import Verdict
from refengine.authoring.lessons.learner import Learner
from refengine.authoring.lessons.lesson import Lesson
from refengine.authoring.testing.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Answer:
    """The text for people, and the verdicts on the lessons that were checked, None where the exercise is gone."""

    text: str
    verdicts: Mapping[Lesson, Verdict | None] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """True where nothing that was checked is unsolved."""
        return all(verdict is not None and verdict.passed for verdict in self.verdicts.values())


def answer_json(learner: Learner, answer: Answer) -> str:
    """Return the state of the course, and what was answered, as JSON; lines and columns count from 1."""
    current = learner.current
    content = {
        "folder": str(learner.place.folder),
        "current": None if current is None else current.name,
        "solved": learner.solved,
        "total": len(learner.course),
        "lessons": [_lesson(learner, lesson) for lesson in learner.course],
        "checks": [_check(lesson, verdict) for lesson, verdict in answer.verdicts.items()],
        "text": answer.text,
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _lesson(learner: Learner, lesson: Lesson) -> dict[str, Any]:
    record = learner.progress.of(lesson)
    return {
        "number": lesson.number,
        "name": lesson.name,
        "title": lesson.title,
        "part": lesson.part,
        "state": str(learner.state(lesson)),
        "changed_since": learner.has_changed(lesson),
        "file": str(learner.place.of(lesson) / lesson.about.edit),
        "checks": record.checks,
        "hints": record.hints,
        "hints_available": hinting.count(lesson),
        "solution_seen": record.solution_seen,
    }


def _check(lesson: Lesson, verdict: Verdict | None) -> dict[str, Any]:
    if verdict is None:
        return {"lesson": lesson.name, "passed": False, "file_missing": True}
    survivors = () if verdict.mutants is None else verdict.mutants.survivors
    return {
        "lesson": lesson.name,
        "passed": verdict.passed,
        "tests": list(map(_outcome, verdict.outcomes)),
        "faults": [{"message": found.message, "place": place_json(found.place)} for found in verdict.faults],
        "missing": list(verdict.missing),
        "unnoticed": [
            {"rule": mutant.rule.name, "change": mutant.change, "place": place_json(mutant.place)}
            for mutant in survivors
        ],
    }


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        "name": outcome.case.name,
        "place": place_json(outcome.case.place),
        "status": outcome.status,
        "failures": [failure.message for failure in outcome.failures],
        "skipped": outcome.skipped,
    }
