"""`refengine learn`: the words, what they show, the exit codes, and what goes wrong."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from refengine.authoring.lessons.course import course
from refengine.cli import learn
from refengine.cli.main import main

COURSE = course()


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run the command and return its exit code and what it wrote to both streams."""

    def run(*words: str) -> tuple[int, str, str]:
        code = main(["learn", *words])
        return code, *capsys.readouterr()

    return run


Say = Callable[..., tuple[int, str, str]]


def exercise(number: int = 1) -> Path:
    lesson = COURSE.lessons[number - 1]
    return Path("refengine-lessons") / f"{number:02}-{lesson.name}" / lesson.about.edit


def solve(number: int = 1) -> None:
    exercise(number).write_text(COURSE.lessons[number - 1].solution)


def test_a_lesson_named_alone_is_started(say: Say) -> None:
    assert say("5")[1].startswith("Lesson 5: ")
    assert say(COURSE.lessons[10].name)[1].startswith("Lesson 11: ")
    assert say("99")[2].startswith("Error: there is no lesson 99")
    assert say("5", "6")[0] == 2


def test_the_first_call_makes_the_folder_and_shows_what_is_to_be_done(say: Say) -> None:
    code, out, _ = say()
    assert code == 1
    assert out.startswith("Lesson 1: A first condition (Conditions)\n0 of ")
    assert "Edit refengine-lessons/01-first-condition/exercise.yaml\n" in out
    assert 'evt.type = open  must hold, but evt.type is "execve"' in out
    assert "✗ 0 of 2 tests pass, and this is the first that does not" in out
    assert exercise().is_file()
    assert not exercise(2).exists()
    assert "\x1b" not in out
    assert max(map(len, out[: out.index("FAIL")].splitlines())) <= 80


def test_the_text_is_shown_once_and_again_on_request(say: Say) -> None:
    first = say()[1]
    text = first[: first.index("Edit ")]
    code, again, _ = say()
    assert code == 1
    assert again.startswith("Lesson 1: A first condition (Conditions)\n0 of ")
    assert "From the specification" not in again
    assert "the lesson's text again: 'refengine learn show'" in again
    assert again[again.index("FAIL") :] == first[first.index("FAIL") :]
    code, shown, _ = say("show")
    assert code == 0
    assert shown.startswith(text)
    assert "FAIL" not in shown


def test_a_solved_exercise_leads_to_the_next_lesson(say: Say) -> None:
    say()
    solve()
    code, out, _ = say()
    assert code == 0
    assert "✓ Lesson 1 is solved: A first condition\n1 of " in out
    assert out.index("Lesson 1 is solved") < out.index("Lesson 2: Two comparisons")
    assert exercise(2).is_file()


def test_checking_only_checks(say: Say) -> None:
    say()
    assert say("check")[0] == 1
    solve()
    code, out, _ = say("check", "1")
    assert code == 0
    assert "go on with 'refengine learn'" in out
    assert not exercise(2).exists()
    assert say()[1].startswith("Lesson 2")


def test_all_lessons_that_were_begun_can_be_checked_at_once(say: Say) -> None:
    say("start", "1")
    say("start", "lists")
    solve()
    code, out, _ = say("check", "all")
    assert code == 1
    assert out.splitlines() == [
        "✓  1 A first condition: solved",
        "✗  5 Several values: does not load: expected 'and' or 'or', found ','",
    ]


def test_hints_come_one_after_another_and_end_with_what_fails(say: Say) -> None:
    say()
    hints = [say("hint")[1] for _ in range(5)]
    assert hints[0].startswith("Hint 1 of 4 on lesson 1")
    assert "The condition is to read: `evt.type = execve`." in hints[2]
    assert '✗ evt.type = open  evt.type is "execve"' in hints[3]
    assert hints[4] == hints[3]
    assert "solution 1" in hints[3]


def test_the_last_hint_on_what_does_not_load_is_the_message(say: Say) -> None:
    say("start", "lists")
    for _ in range(4):
        code, out, _ = say("hint")
    assert code == 0
    assert "found ','" in out


def test_the_solution_is_shown_to_those_who_have_tried(say: Say) -> None:
    say()
    code, out, err = say("solution")
    assert (code, out) == (2, "")
    assert "try it first: change refengine-lessons/01-first-condition/exercise.yaml" in err
    exercise().write_text(exercise().read_text().replace("open", "close"))
    say("check")
    code, out, _ = say("solution")
    assert code == 0
    assert "  condition: evt.type = execve\n" in out
    assert "close" in exercise().read_text()


def test_the_list_shows_every_lesson_and_where_one_is(say: Say) -> None:
    say()
    solve()
    say()
    code, out, _ = say("list")
    assert code == 0
    assert all(f"{lesson.title}  {lesson.name}" in out for lesson in COURSE)
    assert " ✓  1  A first condition  first-condition\n" in out
    assert " …  2  Two comparisons  and  (you are here)\n" in out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- rule: [\n", "not valid YAML"),
        ("- rule: x\n  desc: d\n  condition: evt.type =\n  output: x\n  priority: INFO\n", "error:"),
        (
            "- rule: Other\n  desc: d\n  condition: evt.type = execve\n  output: x\n  priority: INFO\n",
            "Program started",
        ),
        ("", "there is no rule 'Program started'"),
    ],
)
def test_a_file_that_cannot_be_tested_is_explained(say: Say, text: str, message: str) -> None:
    say()
    exercise().write_text(text)
    code, out, _ = say("check")
    assert code == 1
    assert message in out
    assert "^" in out
    assert "mend it, and save: one thing at a time" in out


def test_bytes_that_are_no_text_are_told(say: Say) -> None:
    say()
    exercise().write_bytes(b"\xff\xfe")
    code, out, _ = say("check")
    assert code == 1
    assert "is not UTF-8" in out


def test_an_exercise_that_was_deleted_comes_back_on_request(say: Say) -> None:
    say()
    exercise().unlink()
    code, out, _ = say()
    assert code == 1
    assert "is not there any longer" in out
    assert "'refengine learn reset 1' brings it back" in out
    assert say("reset", "1")[0] == 0
    assert exercise().read_text() == COURSE.lessons[0].exercise


def test_a_reset_says_where_the_work_is(say: Say) -> None:
    say()
    solve()
    code, out, _ = say("reset", "first-condition")
    assert code == 0
    kept = f"{exercise()}.1"
    assert f"Your work is kept as {kept}" in out
    assert Path(kept).read_text() == COURSE.lessons[0].solution


def test_a_changed_copy_of_the_tests_is_told(say: Say) -> None:
    say()
    exercise().with_name("exercise.test.yaml").write_text("rules: exercise.yaml\ntests: []\n")
    code, out, _ = say("check")
    assert code == 1
    assert "exercise.test.yaml: not as in the lesson; the check uses the lesson's own" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("start",), "which lesson?"),
        (("reset",), "which lesson?"),
        (("start", "xyzzy"), "there is no lesson 'xyzzy'"),
        (("check", "99"), "numbered from 1"),
        (("check",), "'refengine learn' begins it"),
        (("show",), "'refengine learn' begins it"),
        (("hint", "7"), "'refengine learn start 7' begins it"),
        (("check", "all"), "no lesson was begun yet"),
        (("list", "--watch"), "--watch goes on by itself"),
    ],
)
def test_words_that_make_no_sense_are_refused(say: Say, words: tuple[str, ...], message: str) -> None:
    code, out, err = say(*words)
    assert (code, out) == (2, "")
    assert message in err
    assert not Path("refengine-lessons").exists()


def test_an_unknown_word_is_refused(say: Say) -> None:
    code, _, err = say("hnit")
    assert code == 2
    assert "there is no 'hnit', did you mean 'hint'?" in err


def test_a_folder_with_other_things_is_left_alone(say: Say) -> None:
    Path("refengine-lessons").mkdir()
    Path("refengine-lessons", "mine.txt").write_text("")
    code, _, err = say()
    assert code == 2
    assert "has other things in it (mine.txt)" in err
    assert say("--folder", "elsewhere")[0] == 1
    assert [path.name for path in Path("refengine-lessons").iterdir()] == ["mine.txt"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_told(say: Say) -> None:
    Path("closed").mkdir(mode=0o500)
    code, _, err = say("--folder", "closed/lessons")
    assert code == 2
    assert "ermission denied" in err


def test_a_place_where_no_folder_can_be_is_told(say: Say) -> None:
    Path("file").write_text("")
    code, _, err = say("--folder", "file/lessons")
    assert code == 2
    assert "file/lessons" in err


def test_programs_get_the_state_as_json(say: Say) -> None:
    say()
    code, out, _ = say("--json")
    content: dict[str, Any] = json.loads(out)
    assert code == 1
    assert (content["solved"], content["total"], content["current"]) == (0, len(COURSE), "first-condition")
    first = content["lessons"][0]
    assert (first["name"], first["state"], first["checks"]) == ("first-condition", "begun", 0)
    assert Path(first["file"]).is_file()
    (check,) = content["checks"]
    assert (check["lesson"], check["passed"]) == ("first-condition", False)
    assert check["tests"][0]["status"] == "failed"
    assert check["tests"][0]["place"]["line"] == 4
    solve()
    code, out, _ = say("--json")
    assert code == 0
    assert json.loads(out)["solved"] == 1


def test_json_tells_what_does_not_load_and_what_is_missing(say: Say) -> None:
    say("start", "lists")
    content = json.loads(say("check", "--json")[1])
    assert content["checks"][0]["faults"][0]["place"]["line"] == 8
    exercise(5).write_text(exercise(5).read_text().replace("= shells", "in (bash, sh, dash, zsh, fish)"))
    content = json.loads(say("check", "--json")[1])
    assert "use the list `shells`" in content["checks"][0]["missing"][0]
    say("start", "own-tests")
    content = json.loads(say("check", "--json")[1])
    assert content["checks"][0]["unnoticed"]


def test_the_end_is_told(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    few = type(COURSE)(COURSE.lessons[:1])
    monkeypatch.setattr(learn, "course", lambda: few)
    say()
    solve()
    code, out, _ = say()
    assert code == 0
    assert "All lessons are solved" in out
    assert say()[:1] == (0,)
    assert say("hint")[0] == 2


def test_it_is_a_subcommand(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["learn", "list"]) == 0
    assert "you are here" in capsys.readouterr().out


# Watching, on a terminal and without one


class Terminal:
    """A program that runs on a terminal of its own; `until` reads until something is shown."""

    def __init__(self, *command: str) -> None:
        self.seen = ""
        self._end, other = pty.openpty()
        self._poll = select.poll()
        self._poll.register(self._end, select.POLLIN)
        environment = {**os.environ, "TERM": "xterm", "PYTHONPATH": os.pathsep.join(sys.path)}
        environment.pop("NO_COLOR", None)
        self.process = subprocess.Popen(command, stdin=other, stdout=other, stderr=other, env=environment)
        os.close(other)

    def until(self, text: str, seconds: float = 60.0) -> str:
        end = time.monotonic() + seconds
        start = len(self.seen)
        while text not in self.seen[start:]:
            ready = self._poll.poll(max(0.0, end - time.monotonic()) * 1000)
            assert ready, f"there was no {text!r} in {self.seen[start:]!r}"
            try:
                data = os.read(self._end, 65536)
            except OSError:
                data = b""
            assert data, f"it ended without {text!r}: {self.seen[start:]!r}"
            self.seen += data.decode("utf-8", "replace")
        return self.seen[start:]

    def press(self, keys: str) -> None:
        os.write(self._end, keys.encode())

    def takes_lines(self) -> bool:
        """Return whether keys are kept until the end of a line, as they are for a shell."""
        return bool(termios.tcgetattr(self._end)[3] & termios.ICANON)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._end)


def save(text: str) -> None:
    """Replace the exercise at once: what is written in place is for a moment an empty file, which may be checked too."""
    beside = exercise().with_name("saving")
    beside.write_text(text)
    beside.replace(exercise())


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    opened = Terminal(sys.executable, "-m", "refengine", "learn", "--watch")
    try:
        yield opened
    finally:
        opened.close()


def test_watching_goes_on_at_each_save_and_answers_keys(terminal: Terminal) -> None:
    first = terminal.until("keys: h hint")
    assert "\x1b[1mLesson 1: A first condition\x1b[0m" in first
    assert "0 of 2 tests pass" in first
    terminal.press("h")
    terminal.until("Hint 1 of 4")
    save(exercise().read_text().replace("evt.type = open", "evt.type ="))
    assert "error:" in terminal.until("keys: h hint")
    save(COURSE.lessons[0].solution)
    after = terminal.until("keys: h hint")
    assert "Lesson 1 is solved" in after
    assert "Lesson 2: Two comparisons" in after
    terminal.press("l")
    terminal.until("you are here")
    terminal.press("tq")
    terminal.until("Two comparisons")
    assert terminal.process.wait(60) == 1


def test_watching_ends_with_an_interrupt_and_leaves_the_terminal_as_it_was(terminal: Terminal) -> None:
    terminal.until("keys: h hint")
    assert not terminal.takes_lines()
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.process.wait(60) == 1
    assert terminal.takes_lines()


def test_watching_needs_no_terminal() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "refengine", "learn", "--watch"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdout is not None
    try:
        assert any("waiting for the file to be saved; Ctrl-C" in line for line in process.stdout)
        solve()
        assert any("Lesson 1 is solved" in line for line in process.stdout)
        assert any("Lesson 2" in line for line in process.stdout)
    finally:
        process.kill()
        process.communicate()
