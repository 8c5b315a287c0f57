"""Somebody who takes the course: where they are, what they have tried, and what they may see."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from refengine.authoring.finding import of_diagnostic
from refengine.authoring.lessons import hinting
from refengine.authoring.lessons.course import Course
from refengine.authoring.lessons.judging import Verdict, judge
from refengine.authoring.lessons.lesson import Lesson
from refengine.authoring.lessons.progress import Progress, ProgressError
from refengine.authoring.lessons.workplace import Workplace
from refengine.errors import RulesError


class State(str, Enum):
    """How far a lesson is."""

    SOLVED = "solved"
    BEGUN = "begun"
    NEW = "new"

    def __str__(self) -> str:
        return self.value


@dataclass(slots=True)
class Learner:
    """A learner with a place to work.

    `remarks` say what was unusual about the place, such as progress that was lost and found again.
    """

    course: Course
    place: Workplace
    progress: Progress
    remarks: list[str]

    @classmethod
    def at(cls, place: Workplace, course: Course) -> Learner:
        """Return the learner who works at a place; a new one where nobody did before.

        :raises OSError: where progress that was found again cannot be written.
        """
        remarks: list[str] = []
        try:
            progress = place.read_progress()
        except ProgressError as error:
            remarks.append(f"the file with your progress cannot be read ({error})")
            progress = None
        learner = cls(course, place, progress or Progress(), remarks)
        if progress is None:
            learner._look_again()
        return learner

    def _look_again(self) -> None:
        """Find what is solved from the exercises themselves."""
        for lesson in self.course:
            if self.has_begun(lesson):
                self.judge(lesson)
        solved = self.progress.solved(self.course)
        if solved:
            self.remarks.append(
                f"your progress was lost; by the exercises, {solved} {'is' if solved == 1 else 'are'} solved"
            )
            self.keep()

    @property
    def solved(self) -> int:
        """How many lessons are solved."""
        return self.progress.solved(self.course)

    @property
    def current(self) -> Lesson | None:
        """The lesson to work on, None when all are solved."""
        return self.progress.lesson(self.course)

    def state(self, lesson: Lesson) -> State:
        """Return how far a lesson is."""
        if self.progress.of(lesson).solved:
            return State.SOLVED
        return State.BEGUN if self.has_begun(lesson) else State.NEW

    def has_changed(self, lesson: Lesson) -> bool:
        """Return whether the lesson asks for something else than when it was solved."""
        record = self.progress.of(lesson)
        return record.solved and record.form != lesson.form

    def start(self, lesson: Lesson) -> None:
        """Make a lesson the current one, with its files.

        :raises OSError: where these cannot be written.
        """
        self.place.prepare(lesson)
        self.progress.current = lesson.name
        self.keep()

    def check(self, lesson: Lesson) -> Verdict | None:
        """Judge the work on a lesson and remember the outcome; None where the file to edit is not there.

        :raises OSError: where the progress cannot be written.
        """
        verdict = self.judge(lesson)
        if verdict is not None:
            self.keep()
        return verdict

    def judge(self, lesson: Lesson) -> Verdict | None:
        """Judge the work on a lesson; None where the file to edit is not there."""
        try:
            work = self.place.work(lesson)
        except RulesError as error:
            return Verdict(faults=tuple(map(of_diagnostic, error.diagnostics)))
        if work is None:
            return None
        verdict = judge(lesson, work, self.place.shown_of(lesson))
        record = self.progress.of(lesson)
        if work != lesson.exercise:
            record.checks += 1
        if verdict.passed:
            record.form = lesson.form
        return verdict

    def take_hint(self, lesson: Lesson) -> int:
        """Return the number of the next hint, from 1; the last one again when there are no more.

        :raises OSError: where the progress cannot be written.
        """
        record = self.progress.of(lesson)
        record.hints = min(record.hints + 1, hinting.count(lesson))
        self.keep()
        return record.hints

    def has_begun(self, lesson: Lesson) -> bool:
        """Return whether the files of a lesson were handed out."""
        return self.place.of(lesson).is_dir()

    def may_see_solution(self, lesson: Lesson) -> bool:
        """Return whether it is time: after an own attempt, or when all hints have not helped."""
        record = self.progress.of(lesson)
        return record.solved or record.checks > 0 or record.hints >= hinting.count(lesson)

    def see_solution(self, lesson: Lesson) -> None:
        """Remember that the solution was shown.

        :raises OSError: where the progress cannot be written.
        """
        self.progress.of(lesson).solution_seen = True
        self.keep()

    def reset(self, lesson: Lesson) -> Path | None:
        """Have a lesson's files as they were at the start; return what the work on it is called now.

        :raises OSError: where they cannot be written.
        """
        kept = self.place.reset(lesson)
        self.progress.records.pop(lesson.name, None)
        self.keep()
        return kept

    def keep(self) -> None:
        """Keep the progress, where there is a place for it.

        :raises OSError: where it cannot be written.
        """
        if self.place.folder.is_dir():
            self.place.keep(self.progress)
