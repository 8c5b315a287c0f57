"""How far a learner has come: kept in a small file that people can read, and that may be lost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from refengine.authoring.lessons.course import Course
from refengine.authoring.lessons.lesson import Lesson

FILE = "progress.json"

_ABOUT = "The progress of 'refengine learn'. If this file is lost, what is solved is found again from the exercises."


class ProgressError(Exception):
    """A file that does not hold progress."""


@dataclass(slots=True)
class Record:
    """What happened to one lesson. `form` is the form of the lesson that was solved, empty as long as none was."""

    form: str = ""
    checks: int = 0
    hints: int = 0
    solution_seen: bool = False

    @property
    def solved(self) -> bool:
        """True once a check passed."""
        return bool(self.form)


@dataclass(slots=True)
class Progress:
    """The records of all lessons, and the name of the current one.

    Lessons that this version does not have keep their records.
    """

    current: str = ""
    records: dict[str, Record] = field(default_factory=dict)

    def of(self, lesson: Lesson) -> Record:
        """Return the record of a lesson, to be changed."""
        return self.records.setdefault(lesson.name, Record())

    def solved(self, course: Course) -> int:
        """Return how many lessons of the course are solved."""
        return sum(self.of(lesson).solved for lesson in course)

    def lesson(self, course: Course) -> Lesson | None:
        """Return the current lesson, None when all are solved."""
        by_name = {lesson.name: lesson for lesson in course}
        current = by_name.get(self.current)
        return self.next(course, current) if current is None or self.of(current).solved else current

    def next(self, course: Course, after: Lesson | None) -> Lesson | None:
        """Return the next lesson that is not solved, going on from the beginning when the end is reached."""
        start = 0 if after is None else after.number
        order = (*course.lessons[start:], *course.lessons[:start])
        return next((lesson for lesson in order if not self.of(lesson).solved), None)

    def text(self) -> str:
        """Return the text of the file."""
        records = {
            name: {
                "solved": record.solved,
                "form": record.form,
                "checks": record.checks,
                "hints": record.hints,
                "solution_seen": record.solution_seen,
            }
            for name, record in self.records.items()
            if record != Record()
        }
        content = {"about": _ABOUT, "current": self.current, "lessons": records}
        return json.dumps(content, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def parse(cls, text: str) -> Progress:
        """Return the progress that the text of a file tells.

        :raises ProgressError: where it tells none.
        """
        try:
            content = json.loads(text)
        except ValueError as error:
            raise ProgressError(f"it is no JSON: {error}") from None
        if not isinstance(content, dict) or not isinstance(content.get("lessons"), dict):
            raise ProgressError("it has no 'lessons'")
        current = content.get("current")
        records = {name: _record(name, found) for name, found in content["lessons"].items()}
        return cls(current if isinstance(current, str) else "", records)


def _record(name: str, found: Any) -> Record:
    if not isinstance(found, Mapping):
        raise ProgressError(f"'{name}' is no record of a lesson")
    record = Record(
        found.get("form", ""),
        found.get("checks", 0),
        found.get("hints", 0),
        found.get("solution_seen", False),
    )
    default = Record()
    for key in ("form", "checks", "hints", "solution_seen"):
        if type(getattr(record, key)) is not type(getattr(default, key)):
            raise ProgressError(f"'{key}' of '{name}' is not what it should be")
    return record
