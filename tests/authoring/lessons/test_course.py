"""Each lesson of the course: it fails as it says, can be solved, and cannot be passed by accident."""

from __future__ import annotations

from pathlib import Path

import pytest

from refengine.authoring.finding import render
from refengine.authoring.formatting.formatter import formatted
from refengine.authoring.lessons import hinting
from refengine.authoring.lessons.course import course
from refengine.authoring.lessons.judging import Verdict, judge
from refengine.authoring.lessons.lesson import Lesson
from refengine.authoring.lessons.specification import clause
from refengine.authoring.linting.checks import lint
from refengine.authoring.testing.mutation import MutationBench, mutation_text
from refengine.authoring.testing.reports.text import outcome_lines
from refengine.source import Source
from refengine.terminal import Style

PLAIN = Style(coloured=False)
COURSE = course()

each_lesson = pytest.mark.parametrize("lesson", COURSE.lessons, ids=lambda lesson: str(lesson.name))


def verdict_on(lesson: Lesson, work: str) -> Verdict:
    return judge(lesson, work, Path(lesson.name))


def first_message(verdict: Verdict) -> str:
    """Return what a learner is shown first."""
    lines = [*map(render, verdict.faults)]
    for outcome in verdict.failed[:1]:
        lines.extend(outcome_lines(outcome, PLAIN))
    if verdict.mutants is not None:
        lines.append(mutation_text([verdict.mutants]))
    return "\n".join(lines)


def sources(verdict: Verdict) -> list[Source]:
    assert verdict.bench is not None
    return [file for file in verdict.bench.suite.rules if isinstance(file, Source)]


def test_there_are_enough_lessons_and_their_names_and_titles_differ() -> None:
    assert len(COURSE) >= 20
    assert len({lesson.name for lesson in COURSE}) == len({lesson.title for lesson in COURSE}) == len(COURSE)
    assert [lesson.number for lesson in COURSE] == list(range(1, len(COURSE) + 1))


@each_lesson
def test_the_exercise_fails_for_the_reason_that_the_lesson_is_about(lesson: Lesson) -> None:
    verdict = verdict_on(lesson, lesson.exercise)
    assert not verdict.passed
    assert lesson.about.fails
    assert lesson.about.fails in first_message(verdict)


@each_lesson
def test_the_solution_passes(lesson: Lesson) -> None:
    verdict = verdict_on(lesson, lesson.solution)
    assert verdict.passed, f"{first_message(verdict)}{verdict.missing}"


@each_lesson
def test_every_change_of_the_solution_is_noticed_by_the_tests(lesson: Lesson) -> None:
    verdict = verdict_on(lesson, lesson.solution)
    assert verdict.bench is not None
    score = MutationBench(verdict.bench.rules, verdict.bench.suite.cases).score()
    assert score.total > 0
    assert mutation_text([score]).splitlines()[1:] == []


@each_lesson
def test_the_solution_is_laid_out_and_without_doubts(lesson: Lesson) -> None:
    files = sources(verdict_on(lesson, lesson.solution))
    # Tags are taught late; what asks for them is left out for lessons before.
    ignored = {"no-mitre-tag"} if lesson.name != "lint" else set()
    assert [render(found) for found in lint(files) if found.check not in ignored] == []
    for file in files:
        assert formatted(file) == file.text


@each_lesson
def test_there_are_hints_and_the_last_one_explains_what_fails(lesson: Lesson) -> None:
    assert len(lesson.about.hints) >= 3
    verdict = verdict_on(lesson, lesson.exercise)
    assert hinting.count(lesson) == len(lesson.about.hints) + 1
    if not verdict.faults:
        found = hinting.explanation(verdict, PLAIN)
        assert found is not None or lesson.name == "outputs"  # there the condition is not at fault


@each_lesson
def test_the_clauses_that_it_points_to_exist(lesson: Lesson) -> None:
    assert lesson.about.clauses
    for anchor in lesson.about.clauses:
        assert clause(anchor).sentence


@each_lesson
def test_the_text_has_an_example_and_leads_to_the_exercise(lesson: Lesson) -> None:
    text = lesson.text.text
    assert lesson.about.remark
    assert "```" in text or lesson.name in ("story", "order", "audit")  # these tell a story
    assert len(text.split()) < 330  # a text for a terminal


@each_lesson
def test_the_files_handed_out_are_the_exercise_and_what_it_needs(lesson: Lesson) -> None:
    names = set(lesson.files)
    assert {"lesson.md", "exercise.test.yaml", lesson.about.edit} <= names
    assert not {"lesson.yaml", "solution.yaml", "solution.test.yaml"} & names


@each_lesson
@pytest.mark.parametrize("work", ["", "- rule", "- macro: x\n  condition: evt.type = open\n", "- list: a\n"])
def test_a_file_that_says_nothing_does_not_pass(lesson: Lesson, work: str) -> None:
    assert not verdict_on(lesson, work).passed


APT = "(proc.name = apt and fd.name startswith /etc/apt/)"
LDCONFIG = "(proc.name = ldconfig and fd.name startswith /etc/ld.so.cache)"

SHORTCUTS = {
    # What passes the tests without what the lesson is about.
    "lists": ("proc.name = shells", "proc.name in (bash, sh, dash, zsh, fish)"),
    "absent": ('user.name = "<NA>"', "not user.name startswith ''"),
    "lists-of-lists": ("[script_programs]", "[bash, sh, dash, python3, perl, ruby]"),
    "transformers": (
        "proc.exepath contains xmrig",
        "proc.exepath iglob anyof (*/xmrig, xmrig, */minerd, */cpuminer)",
    ),
    "two-fields": (
        "user.name != user.loginname",
        "((user.name = root and user.loginname = ann) or (user.name = bob and user.loginname = ann))",
    ),
    "exceptions": (
        "startswith /etc/\n",
        f"startswith /etc/ and not ({APT} or {LDCONFIG})\n",
    ),
    "regex": (
        'regex "[0-9a-f]{8}"',
        "glob /tmp/" + "[0-9a-f]" * 8,
    ),
}


@pytest.mark.parametrize("name", SHORTCUTS)
def test_a_shortcut_past_the_subject_of_the_lesson_is_told_so(name: str) -> None:
    lesson = COURSE[name]
    old, new = SHORTCUTS[name]
    work = lesson.exercise.replace(old, new)
    assert work != lesson.exercise
    if name == "absent":
        work = work.replace("user.name != root", "not user.name = root")
    verdict = verdict_on(lesson, work)
    assert (first_message(verdict), bool(verdict.missing), verdict.passed) == ("", True, False)
