"""What `refengine learn` shows to people."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from refengine.authoring.explaining.wording import shortened
from refengine.authoring.finding import render
from refengine.authoring.lessons import hinting
from refengine.authoring.lessons.judging import Verdict
from refengine.authoring.lessons.learner import Learner, State
from refengine.authoring.lessons.lesson import Lesson
from refengine.authoring.lessons.prose import Prose
from refengine.authoring.lessons.specification import clause
from refengine.authoring.testing.case import Given
from refengine.authoring.testing.mutation import mutation_text
from refengine.authoring.testing.outcome import Outcome
from refengine.authoring.testing.reports.text import outcome_lines
from refengine.terminal import Style
from refengine.values import Value

_WIDEST = 92
"""Columns that prose takes at most: longer lines are hard to read."""

_BAR = 30

_FAULTS = 2
"""Faults that are shown at once: the others are often of the same cause."""

_COURAGE = (
    "It cannot be tested yet. Go to the first place that is named, mend it, and save: one thing at a time."
)


@dataclass(frozen=True, slots=True)
class Page:
    """Writes texts for a learner, `width` columns wide; `advises` says what to type next."""

    learner: Learner
    style: Style
    width: int
    advises: bool = True

    @classmethod
    def of(cls, learner: Learner, style: Style) -> Page:
        """Return the page for a learner, as wide as the terminal, or 80 columns where there is none."""
        return cls(learner, style, min(shutil.get_terminal_size().columns, _WIDEST))

    def lesson(self, lesson: Lesson) -> str:
        """Return the text of a lesson, with where it stands in the course and what is to be done."""
        style = self.style
        clauses = "\n".join(
            Prose(f"- **[{found.anchor}]** {found.sentence}").laid_out(self.width, style)
            for found in map(clause, lesson.about.clauses)
        )
        chapters = ", ".join(dict.fromkeys(f"spec/{clause(anchor).file}" for anchor in lesson.about.clauses))
        return self._block(
            self._head(lesson),
            lesson.text.laid_out(self.width, style),
            f"{style.dim(f'From the specification ({chapters}):')}\n{clauses}",
            self._edit(lesson),
        )

    def reminder(self, lesson: Lesson) -> str:
        """Return which lesson it is and what is to be done, for who has read its text."""
        return self._block(
            self._head(lesson),
            self._edit(lesson),
            self._advice("the lesson's text again: 'refengine learn show'"),
        )

    def verdict(self, lesson: Lesson, verdict: Verdict | None) -> str:
        """Return what keeps a lesson from being solved, or that nothing does."""
        return self._block(*self._verdict(lesson, verdict))

    def solved(self, lesson: Lesson, verdict: Verdict, *, advise: bool = False) -> str:
        """Return that a lesson is solved, what is worth remembering, and, to `advise`, how to go on."""
        style = self.style
        return self._block(
            f"{style.green('✓')} {style.bold(f'Lesson {lesson.number} is solved')}: {lesson.title}\n{self._bar()}",
            *self._skipped(verdict),
            Prose(lesson.about.remark).laid_out(self.width, style),
            self._advice("go on with 'refengine learn'") if advise else "",
        )

    def onward(self) -> str:
        """Begin the next lesson and return its text, or that there is none."""
        following = self.learner.current
        if following is None:
            return self.finished()
        self.learner.start(following)
        verdict = self.learner.check(following)
        return self.line_between() + self.lesson(following) + self.verdict(following, verdict)

    def line_between(self) -> str:
        """Return what parts one lesson from the next."""
        return self._block(self.style.dim("─" * self.width))

    def line(self, lesson: Lesson, verdict: Verdict | None) -> str:
        """Return in one line what came of a check."""
        if verdict is None:
            what = "the exercise is not there"
        elif verdict.faults:
            what = f"does not load: {verdict.faults[0].message}"
        elif verdict.passed:
            what = "solved"
        elif verdict.failed:
            what = f"{len(verdict.failed)} of {len(verdict.outcomes)} tests fail"
        else:
            what = next(iter(verdict.missing), "its tests let mutants pass")
        passed = verdict is not None and verdict.passed
        mark = self.style.green("✓") if passed else self.style.red("✗")
        return f"{mark} {lesson.number:>2} {lesson.title}: {what}\n"

    def hint(self, lesson: Lesson, number: int, verdict: Verdict | None) -> str:
        """Return the hint with this number, from 1."""
        count = hinting.count(lesson)
        head = self.style.bold(f"Hint {number} of {count} on lesson {lesson.number}")
        if number < count:
            text = Prose(lesson.about.hints[number - 1]).laid_out(self.width, self.style)
            return self._block(head, text, self._advice("for the next one, 'refengine learn hint' again"))
        if verdict is None or verdict.faults:
            return self._block(head, *self._verdict(lesson, verdict))
        found = hinting.explanation(verdict, self.style)
        if found is None:
            return self._block(head, *self._verdict(lesson, verdict))
        return self._block(
            f"{head}: what fails now, part by part",
            found.rstrip("\n"),
            self._advice(f"if this does not help: 'refengine learn solution {lesson.number}'"),
        )

    def solution(self, lesson: Lesson) -> str:
        """Return the solution that the course has, which is one of several."""
        head = f"One way to solve lesson {lesson.number}; yours may differ, if its tests pass"
        return self._block(self.style.bold(head), lesson.solution.rstrip("\n"))

    def reset(self, lesson: Lesson, kept: Path | None) -> str:
        """Return that a lesson is as it was at the start, and what the work is called now."""
        text = f"Lesson {lesson.number} is as it was at the start: {self._path(lesson)}"
        return self._block(text if kept is None else f"{text}\nYour work is kept as {kept}")

    def list(self) -> str:
        """Return all lessons, part by part."""
        current = self.learner.current
        lines: list[str] = []
        part = None
        for lesson in self.learner.course:
            if lesson.part != part:
                part = lesson.part
                lines.extend(("", self.style.bold(part)))
            lines.append(self._row(lesson, current))
        return self._block(self._bar(), "\n".join(lines).strip("\n"))

    def finished(self) -> str:
        """Return that there is nothing left to solve."""
        text = (
            "All lessons are solved. What comes next: write a rule of your own with `refengine test`, watch a program with"
            " `refengine --backend ptrace -r rules.yaml -- program`, and read the detections that come with it, in docs/rules.md."
        )
        return self._block(self._bar(), Prose(text).laid_out(self.width, self.style))

    def _row(self, lesson: Lesson, current: Lesson | None) -> str:
        style = self.style
        state = self.learner.state(lesson)
        mark = {State.SOLVED: style.green("✓"), State.BEGUN: style.yellow("…"), State.NEW: " "}[state]
        title = style.bold(lesson.title) if lesson is current else lesson.title
        notes = []
        if lesson is current:
            notes.append("you are here")
        if self.learner.has_changed(lesson):
            notes.append("it asks for something else now than when you solved it")
        note = f"  {style.dim('(' + '; '.join(notes) + ')')}" if notes else ""
        return f" {mark} {lesson.number:>2}  {title}  {style.dim(lesson.name)}{note}"

    def _verdict(self, lesson: Lesson, verdict: Verdict | None) -> Iterator[str]:
        style = self.style
        if verdict is None:
            yield f"{style.red('✗')} {self._path(lesson)} is not there any longer"
            yield self._advice(
                f"'refengine learn reset {lesson.number}' brings it back as it was at the start"
            )
            return
        yield from self._changed(lesson)
        if verdict.faults:
            yield "\n".join(map(render, verdict.faults[:_FAULTS]))
            more = len(verdict.faults) - _FAULTS
            others = f" There {'is 1 more' if more == 1 else f'are {more} more'}." if more > 0 else ""
            yield f"{style.red('✗')} {_COURAGE}{others}"
            return
        yield from self._skipped(verdict)
        count, failed = len(verdict.outcomes) - len(verdict.skipped), verdict.failed
        if not failed:
            yield f"{style.green('✓')} {_tests(count)} pass{'es' if count == 1 else ''}"
            yield from self._beside_tests(verdict)
            return
        yield "\n".join(self._failed(failed[0]))
        others = ", and this is the first that does not" if len(failed) > 1 else ""
        yield f"{style.red('✗')} {count - len(failed)} of {_tests(count)} pass{others}"
        yield self._advice("save the file and say 'refengine learn' again, or 'refengine learn hint'")

    def _failed(self, outcome: Outcome) -> Iterator[str]:
        """Yield why a test fails: one thing at a time, and the event, so that nobody need look for it."""
        heading, *why = outcome_lines(replace(outcome, failures=outcome.failures[:1]), self.style)
        yield heading
        events = outcome.case.events
        if isinstance(events, Given) and len(events.events) == 1:
            fields = ", ".join(f"{key}: {_written(value)}" for key, value in events.events[0].values.items())
            yield self.style.dim(f"  event: {{{fields}}}")
        yield from why

    def _beside_tests(self, verdict: Verdict) -> Iterator[str]:
        for missing in verdict.missing:
            yield self.style.red("✗ ") + Prose(missing).laid_out(self.width - 2, self.style)
        if verdict.mutants is not None and verdict.mutants.survivors:
            yield f"{self.style.red('✗')} {mutation_text([verdict.mutants])}".rstrip("\n")
        if not verdict.outcomes or len(verdict.skipped) == len(verdict.outcomes):
            yield f"{self.style.red('✗')} no test could run"

    def _skipped(self, verdict: Verdict) -> Iterator[str]:
        for outcome in verdict.skipped:
            yield "\n".join(outcome_lines(outcome, self.style))

    def _changed(self, lesson: Lesson) -> Iterator[str]:
        changed = [name for name in self.learner.place.changed(lesson) if name != lesson.about.edit]
        if changed:
            yield self.style.yellow(
                f"{' and '.join(changed)}: not as in the lesson; the check uses the lesson's own"
            )

    def _head(self, lesson: Lesson) -> str:
        style = self.style
        return f"{style.bold(f'Lesson {lesson.number}: {lesson.title}')} {style.dim(f'({lesson.part})')}\n{self._bar()}"

    def _edit(self, lesson: Lesson) -> str:
        return f"{self.style.bold('Edit')} {self._path(lesson)}"

    def _bar(self) -> str:
        solved, total = self.learner.solved, len(self.learner.course)
        said = f"{solved} of {total} lessons solved"
        if not self.style.coloured:
            return said
        full = -(-_BAR * solved // total)  # the first lesson shows at once
        return f"{self.style.green('█' * full)}{self.style.dim('░' * (_BAR - full))} {said}"

    def _path(self, lesson: Lesson) -> str:
        return str(self.learner.place.shown_of(lesson) / lesson.about.edit)

    def _advice(self, text: str) -> str:
        return self.style.dim(f"→ {text}") if self.advises else ""

    @staticmethod
    def _block(*parts: str) -> str:
        return "\n\n".join(part for part in parts if part) + "\n\n"


def _written(value: Value) -> str:
    """Return the value of an event's field as tests write it."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(_written, value))}]"
    return str(value).lower() if isinstance(value, bool) else shortened(str(value))


def _tests(count: int) -> str:
    return f"{count} test{'' if count == 1 else 's'}"
