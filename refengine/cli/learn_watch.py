"""`refengine learn --watch`: check whenever the exercise is saved, and go on when it is solved."""

from __future__ import annotations

import os
import selectors
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from refengine.authoring.lessons.learner import Learner
from refengine.authoring.lessons.lesson import Lesson
from refengine.authoring.testing.watching import INTERVAL, marks, wait_for_change
from refengine.cli.learn_text import Page

_KEYS = "waiting for the file to be saved · keys: h hint, t text, l list, q end"
_NO_KEYS = "waiting for the file to be saved; Ctrl-C ends this"

_CLEAR = "\x1b[H\x1b[2J"

Press = Callable[[float], str]
"""Returns the key that is pressed within so many seconds, nothing where none is."""


def watch(learner: Learner, page: Page) -> bool:
    """Check and go on, until the learner ends it or all lessons are solved; return whether they are."""
    page = replace(page, advises=False)  # here keys and saving do what would be typed elsewhere
    told: Lesson | None = None
    try:
        with _keys() as press:
            while (lesson := learner.current) is not None:
                if lesson is not told:
                    if not learner.has_begun(lesson):
                        learner.start(lesson)
                    _say(page.lesson(lesson))
                    told = lesson
                before = marks([learner.place.of(lesson) / lesson.about.edit])
                verdict = learner.check(lesson)
                if verdict is not None and verdict.passed:
                    _say(page.solved(lesson, verdict) + page.line_between())
                    continue
                _say(page.verdict(lesson, verdict))
                if not _saved(learner, page, lesson, before, press):
                    return False
                _say(_CLEAR if page.style.coloured else "")
    except KeyboardInterrupt:
        return False
    _say(page.finished())
    return True


def _saved(
    learner: Learner,
    page: Page,
    lesson: Lesson,
    before: dict[Path, tuple[int, int] | None],
    press: Press | None,
) -> bool:
    """Wait until the exercise is saved, and answer keys; return False where the learner ends it."""
    _say(page.style.dim(_NO_KEYS if press is None else _KEYS) + "\n")
    if press is None:
        wait_for_change(before)
        return True
    while not wait_for_change(before, 0):
        key = press(INTERVAL)
        if key == "q":
            return False
        if key == "h":
            _say(page.hint(lesson, learner.take_hint(lesson), learner.judge(lesson)))
        elif key == "t":
            _say(page.lesson(lesson))
        elif key == "l":
            _say(page.list())
    return True


@contextmanager
def _keys() -> Iterator[Press | None]:
    """Give single keys, where somebody sits at a terminal, without waiting for the end of a line."""
    if not sys.stdin.isatty():
        yield None
        return
    import termios  # there is none where there are no terminals of this kind
    import tty

    before = termios.tcgetattr(sys.stdin)
    try:
        tty.setcbreak(sys.stdin)
        yield _pressed
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _pressed(seconds: float) -> str:
    # Not by way of `sys.stdin`, which would take all keys at once and keep those behind the first to itself.
    with selectors.DefaultSelector() as selector:
        selector.register(sys.stdin, selectors.EVENT_READ)
        ready = selector.select(seconds)
    return os.read(sys.stdin.fileno(), 1).decode("latin-1") if ready else ""


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
