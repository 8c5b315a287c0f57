"""What is kept of a learner's way, and what is never lost: the work."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from refengine.authoring.lessons.course import Course, course
from refengine.authoring.lessons.learner import Learner, State
from refengine.authoring.lessons.progress import FILE, Progress, ProgressError
from refengine.authoring.lessons.workplace import Workplace
from refengine.errors import UsageError

COURSE = course()
FIRST, SECOND = COURSE.lessons[:2]


def learner(folder: Path, lessons: Course = COURSE) -> Learner:
    return Learner.at(Workplace.find(folder, lessons), lessons)


def solve(person: Learner, name: str) -> None:
    lesson = person.course[name]
    person.start(lesson)
    (person.place.of(lesson) / lesson.about.edit).write_text(lesson.solution)
    verdict = person.check(lesson)
    assert verdict is not None
    assert verdict.passed


def test_a_new_learner_begins_with_the_first_lesson(tmp_path: Path) -> None:
    person = learner(tmp_path / "lessons")
    assert (person.current, person.solved, person.remarks) == (FIRST, 0, [])
    assert person.state(FIRST) is State.NEW
    assert not (tmp_path / "lessons").exists()


def test_a_lesson_that_is_solved_leads_to_the_next(tmp_path: Path) -> None:
    person = learner(tmp_path / "lessons")
    solve(person, FIRST.name)
    again = learner(tmp_path / "lessons")
    assert (again.current, again.solved, again.state(FIRST)) == (SECOND, 1, State.SOLVED)


def test_lessons_passed_over_come_at_the_end(tmp_path: Path) -> None:
    person = learner(tmp_path / "lessons", Course(COURSE.lessons[:3]))
    solve(person, COURSE.lessons[2].name)
    assert person.current is FIRST


def test_the_last_solved_lesson_leaves_none(tmp_path: Path) -> None:
    person = learner(tmp_path / "lessons", Course(COURSE.lessons[:1]))
    solve(person, FIRST.name)
    assert person.current is None


@pytest.mark.parametrize(
    "text", [None, "", "{", "[]", '{"lessons": {"and": 1}}', '{"lessons": {"and": {"form": 1}}}']
)
def test_progress_that_is_lost_or_broken_is_found_again_from_the_exercises(
    tmp_path: Path, text: str | None
) -> None:
    person = learner(tmp_path / "lessons")
    solve(person, FIRST.name)
    solve(person, "absent")
    person.start(SECOND)
    kept = tmp_path / "lessons" / FILE
    kept.unlink()
    if text is not None:
        kept.write_text(text)
    again = learner(tmp_path / "lessons")
    assert again.solved == 2
    assert again.state(SECOND) is State.BEGUN
    assert any("2 are solved" in remark for remark in again.remarks)
    assert any("cannot be read" in remark for remark in again.remarks) == (text is not None)
    assert learner(tmp_path / "lessons").remarks == []


def test_the_file_says_what_it_is_and_keeps_lessons_of_other_versions(tmp_path: Path) -> None:
    person = learner(tmp_path / "lessons")
    solve(person, FIRST.name)
    kept = tmp_path / "lessons" / FILE
    content = json.loads(kept.read_text())
    assert "found again" in content["about"]
    assert content["lessons"][FIRST.name]["solved"] is True
    content["lessons"]["of-another-version"] = {
        "form": "x",
        "checks": 3,
        "hints": 0,
        "solution_seen": False,
    }
    kept.write_text(json.dumps(content))
    again = learner(tmp_path / "lessons")
    again.start(SECOND)
    assert json.loads(kept.read_text())["lessons"]["of-another-version"]["checks"] == 3


def test_a_lesson_that_asks_for_something_else_now_is_told_and_stays_solved(tmp_path: Path) -> None:
    person = learner(tmp_path / "lessons")
    solve(person, FIRST.name)
    person.progress.of(FIRST).form = "another"
    assert person.has_changed(FIRST)
    assert person.state(FIRST) is State.SOLVED


def test_a_folder_keeps_its_number_when_the_lesson_has_another_one_now(tmp_path: Path) -> None:
    (tmp_path / "lessons" / f"42-{FIRST.name}").mkdir(parents=True)
    person = learner(tmp_path / "lessons")
    person.start(FIRST)
    assert person.place.of(FIRST).name == f"42-{FIRST.name}"
    assert (person.place.of(FIRST) / "exercise.yaml").read_text() == FIRST.exercise


def test_handing_out_never_changes_a_file_that_is_there(tmp_path: Path) -> None:
    person = learner(tmp_path / "lessons")
    person.start(FIRST)
    folder = person.place.of(FIRST)
    (folder / "exercise.yaml").write_text("# mine")
    (folder / "lesson.md").write_text("my notes")
    (folder / "exercise.test.yaml").unlink()
    person.start(FIRST)
    assert (folder / "exercise.yaml").read_text() == "# mine"
    assert (folder / "lesson.md").read_text() == "my notes"
    assert (folder / "exercise.test.yaml").exists()


def test_a_reset_keeps_the_work_under_another_name_each_time(tmp_path: Path) -> None:
    person = learner(tmp_path / "lessons")
    folder = person.place.of(FIRST)
    for number in (1, 2):
        person.start(FIRST)
        (folder / "exercise.yaml").write_text(f"# {number}")
        kept = person.reset(FIRST)
        assert kept is not None
        assert (folder / kept.name).read_text() == f"# {number}"
        assert (folder / "exercise.yaml").read_text() == FIRST.exercise
    assert person.reset(FIRST) is None
    assert sorted(path.name for path in folder.glob("exercise.yaml*")) == [
        "exercise.yaml",
        "exercise.yaml.1",
        "exercise.yaml.2",
    ]


def test_the_tests_that_count_are_those_of_the_lesson(tmp_path: Path) -> None:
    person = learner(tmp_path / "lessons")
    person.start(FIRST)
    folder = person.place.of(FIRST)
    (folder / "exercise.test.yaml").write_text("rules: exercise.yaml\ntests: []\n")
    verdict = person.check(FIRST)
    assert verdict is not None
    assert not verdict.passed
    assert person.place.changed(FIRST) == ("exercise.test.yaml",)


def test_the_rules_of_others_cannot_be_changed_to_pass(tmp_path: Path) -> None:
    person = learner(tmp_path / "lessons")
    lesson = person.course["appended-values"]
    person.start(lesson)
    folder = person.place.of(lesson)
    (folder / "vendor.yaml").write_text(lesson.solution.replace("override", "x"))
    (folder / "exercise.yaml").write_text("")
    verdict = person.check(lesson)
    assert verdict is not None
    assert not verdict.passed


def test_writing_rules_anew_is_no_override(tmp_path: Path) -> None:
    person = learner(tmp_path / "lessons")
    lesson = person.course["appended-values"]
    row = "        - [ldconfig, /etc/ld.so.cache]\n"
    rewritten = (
        lesson.files["vendor.yaml"].decode().replace(row, f"{row}        - [certbot, /etc/letsencrypt/]\n")
    )
    person.start(lesson)
    (person.place.of(lesson) / "exercise.yaml").write_text(rewritten)
    verdict = person.check(lesson)
    assert verdict is not None
    assert (verdict.failed, verdict.faults) == ((), ())
    assert ["anew" in missing for missing in verdict.missing] == [True]


def test_a_macro_of_others_may_be_changed_instead_of_their_rule(tmp_path: Path) -> None:
    person = learner(tmp_path / "lessons")
    lesson = person.course["override"]
    person.start(lesson)
    (person.place.of(lesson) / "exercise.yaml").write_text(
        "- macro: shell_started\n  condition: and not user.name = deploy\n  override: {condition: append}\n"
    )
    verdict = person.check(lesson)
    assert verdict is not None
    assert verdict.passed


def test_tests_that_name_no_rule_do_not_pass(tmp_path: Path) -> None:
    person = learner(tmp_path / "lessons")
    lesson = person.course["own-tests"]
    person.start(lesson)
    event = "{evt.type: execve, proc.name: ls, proc.aname: [nginx], user.name: ann}"
    text = f"rules: given.yaml\ntests:\n  - {{event: {event}, silent: true}}\n"
    (person.place.of(lesson) / "exercise.test.yaml").write_text(text)
    verdict = person.check(lesson)
    assert verdict is not None
    assert verdict.failed == ()
    assert not verdict.passed
    assert "No test names the rule" in verdict.missing[0]


def test_the_solution_comes_after_an_attempt_or_all_hints(tmp_path: Path) -> None:
    person = learner(tmp_path / "lessons")
    person.start(FIRST)
    person.check(FIRST)
    assert not person.may_see_solution(FIRST)  # nothing was changed yet
    numbers = [person.take_hint(FIRST) for _ in range(6)]
    assert numbers == [1, 2, 3, 4, 4, 4]
    assert person.may_see_solution(FIRST)
    person.start(SECOND)
    (person.place.of(SECOND) / "exercise.yaml").write_text(SECOND.exercise + "# try\n")
    person.check(SECOND)
    assert person.may_see_solution(SECOND)


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(UsageError, match=r"other things in it \(thesis.tex\)"):
        Workplace.find(tmp_path, COURSE)
    with pytest.raises(UsageError, match="is a file"):
        Workplace.find(tmp_path / "thesis.tex", COURSE)


def test_a_folder_of_lessons_may_have_other_things_in_it(tmp_path: Path) -> None:
    learner(tmp_path).start(FIRST)
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / FILE).unlink()
    assert Workplace.find(tmp_path, COURSE).folder == tmp_path


def test_the_lessons_around_the_working_folder_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner(tmp_path / "mine").start(FIRST)
    monkeypatch.chdir(tmp_path / "mine" / f"01-{FIRST.name}")
    place = Workplace.find(None, COURSE)
    assert place.folder.resolve() == (tmp_path / "mine").resolve()
    assert place.shown_of(FIRST) == Path("..") / f"01-{FIRST.name}"


@pytest.mark.parametrize(
    ("said", "name"),
    [("1", FIRST.name), ("first", FIRST.name), ("02-and", "and"), ("not", "not"), ("lists", "lists")],
)
def test_a_lesson_is_meant_by_number_name_or_beginning(said: str, name: str) -> None:
    assert COURSE[said].name == name


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("0", "numbered from 1 to"),
        ("99", "numbered from 1 to"),
        ("liste", "did you mean 'lists'"),
        ("o", "'or' or"),
        ("xyzzy", "'list' shows all"),
    ],
)
def test_a_lesson_that_is_none_is_told_with_what_may_be_meant(said: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        COURSE[said]


def test_progress_survives_being_written_and_read() -> None:
    progress = Progress("and")
    progress.of(FIRST).checks = 2
    assert Progress.parse(progress.text()) == progress
    with pytest.raises(ProgressError):
        Progress.parse("null")
