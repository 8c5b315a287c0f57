"""The command `refengine learn`: a course in writing rules, a lesson at a time."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from refengine.authoring.lessons.course import Course, course
from refengine.authoring.lessons.learner import Learner
from refengine.authoring.lessons.lesson import Lesson
from refengine.authoring.lessons.workplace import DEFAULT, Workplace
from refengine.cli.arguments import CommandParser, meant
from refengine.cli.learn_answer import Answer, answer_json
from refengine.cli.learn_text import Page
from refengine.cli.learn_watch import watch
from refengine.cli.messages import Messages
from refengine.errors import UsageError
from refengine.terminal import Style

SOLVED, NOT_YET = 0, 1

ALL = "all"

_DESCRIPTION = """\
Learn to write rules: a course of small exercises, each of which has tests that fail. Without a word it says what is wrong
with the exercise of the current lesson, and goes on to the next lesson, with its text, when nothing is."""

_WORDS = """\
words:
  list               all lessons, and which are solved
  show [LESSON]      the lesson's text again
  start LESSON       go to a lesson; a lesson's number or name alone does too
  check [LESSON]     only check; 'all' checks every lesson that was begun
  hint [LESSON]      the next hint; the last one shows what fails, part by part
  solution [LESSON]  one way to solve it, once you have tried
  reset LESSON       the lesson's files as they were; your work is kept beside them

A LESSON is its number or its name.

examples:
  refengine learn
  refengine learn --watch
  refengine learn hint
  refengine learn start 11
  refengine learn check all --json

exit codes: 0 solved, or done; 1 not solved yet; 2 something that cannot be done"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with the arguments given, by default those of the process; return the exit code.

    :raises UsageError: for what cannot be done.
    :raises OSError: where the lessons cannot be written.
    """
    lessons = course()
    options = _parser(lessons).parse_args(arguments)
    if options.word is not None and options.word not in _ACTIONS:
        if options.lesson is not None:
            raise UsageError(f"one lesson at a time: '{options.word}' and '{options.lesson}' are two")
        options.word, options.lesson = "start", options.word
    learner = Learner.at(Workplace.find(options.folder, lessons), lessons)
    page = Page.of(learner, Style(coloured=False) if options.json else Style.of(sys.stdout))
    for remark in learner.remarks:
        Messages().note(remark)
    if options.watch:
        if options.word is not None or options.json:
            raise UsageError("--watch goes on by itself: it takes no word, and no --json")
        return SOLVED if watch(learner, page) else NOT_YET
    answer = _ACTIONS[options.word](learner, page, options)
    sys.stdout.write(answer_json(learner, answer) if options.json else answer.text)
    return SOLVED if answer.passed else NOT_YET


def _go_on(learner: Learner, page: Page, _options: argparse.Namespace) -> Answer:
    """Check the current lesson, and go on to the next where it is solved."""
    lesson = learner.current
    if lesson is None:
        return Answer(page.finished())
    if not learner.has_begun(lesson):
        learner.start(lesson)
        verdict = learner.check(lesson)
        return Answer(page.lesson(lesson) + page.verdict(lesson, verdict), {lesson: verdict})
    verdict = learner.check(lesson)
    if verdict is None or not verdict.passed:
        return Answer(page.reminder(lesson) + page.verdict(lesson, verdict), {lesson: verdict})
    return Answer(page.solved(lesson, verdict) + page.onward(), {lesson: verdict})


def _list(_learner: Learner, page: Page, _options: argparse.Namespace) -> Answer:
    return Answer(page.list())


def _show(learner: Learner, page: Page, options: argparse.Namespace) -> Answer:
    return Answer(page.lesson(_meant(learner, options)))


def _start(learner: Learner, page: Page, options: argparse.Namespace) -> Answer:
    lesson = _required(learner, options)
    learner.start(lesson)
    return Answer(page.lesson(lesson) + page.verdict(lesson, learner.check(lesson)))


def _check(learner: Learner, page: Page, options: argparse.Namespace) -> Answer:
    if options.lesson == ALL:
        begun = [lesson for lesson in learner.course if learner.has_begun(lesson)]
        if not begun:
            raise UsageError("no lesson was begun yet: 'refengine learn' begins the first")
        verdicts = {lesson: learner.check(lesson) for lesson in begun}
        return Answer("".join(page.line(*pair) for pair in verdicts.items()), verdicts)
    lesson = _meant(learner, options)
    verdict = learner.check(lesson)
    solved = verdict is not None and verdict.passed
    text = (
        page.solved(lesson, verdict, advise=True)
        if verdict is not None and solved
        else page.verdict(lesson, verdict)
    )
    return Answer(text, {lesson: verdict})


def _hint(learner: Learner, page: Page, options: argparse.Namespace) -> Answer:
    lesson = _meant(learner, options)
    verdict = learner.check(lesson)
    return Answer(page.hint(lesson, learner.take_hint(lesson), verdict))


def _solution(learner: Learner, page: Page, options: argparse.Namespace) -> Answer:
    lesson = _meant(learner, options)
    if not learner.may_see_solution(lesson):
        raise UsageError(
            f"try it first: change {learner.place.shown_of(lesson) / lesson.about.edit} and check it;"
            " or read all hints"
        )
    learner.see_solution(lesson)
    return Answer(page.solution(lesson))


def _reset(learner: Learner, page: Page, options: argparse.Namespace) -> Answer:
    lesson = _required(learner, options)
    return Answer(page.reset(lesson, learner.reset(lesson)))


_Action = Callable[[Learner, Page, argparse.Namespace], Answer]

_ACTIONS: Mapping[str | None, _Action] = MappingProxyType(
    {
        None: _go_on,
        "list": _list,
        "show": _show,
        "start": _start,
        "check": _check,
        "hint": _hint,
        "solution": _solution,
        "reset": _reset,
    }
)


def _required(learner: Learner, options: argparse.Namespace) -> Lesson:
    if options.lesson is None:
        raise UsageError(
            f"which lesson? 'refengine learn {options.word} LESSON'; 'refengine learn list' shows all"
        )
    return learner.course[options.lesson]


def _meant(learner: Learner, options: argparse.Namespace) -> Lesson:
    """Return the lesson that is named, else the current one, which must have been begun."""
    lesson = learner.current if options.lesson is None else learner.course[options.lesson]
    if lesson is None:
        raise UsageError("all lessons are solved: name one of them by its number")
    if not learner.has_begun(lesson):
        how = "refengine learn" if options.lesson is None else f"refengine learn start {lesson.number}"
        raise UsageError(f"lesson {lesson.number} was not begun yet: '{how}' begins it")
    return lesson


def _parser(lessons: Course) -> CommandParser:
    parser = CommandParser("learn", _DESCRIPTION, _WORDS)
    words = [word for word in _ACTIONS if word is not None]

    def word(text: str) -> str:
        # Who names a lesson alone wants to go there.
        if text in words or text.isdecimal() or text in (lesson.name for lesson in lessons):
            return text
        meaning = meant(text, words) or f": there are {', '.join(words)}, and lessons"
        raise argparse.ArgumentTypeError(f"there is no '{text}'{meaning}")

    parser.add_argument("word", nargs="?", metavar="WORD", type=word, help=", ".join(words))
    parser.add_argument("lesson", nargs="?", metavar="LESSON", help="a lesson's number or name")
    parser.add_argument(
        "--folder",
        metavar="PATH",
        type=Path,
        help=f"where you work; ./{DEFAULT} if there are no lessons here",
    )
    parser.add_argument("--watch", action="store_true", help="check whenever the exercise is saved")
    parser.add_argument("--json", action="store_true", help="tell all of it as JSON, for programs")
    return parser
