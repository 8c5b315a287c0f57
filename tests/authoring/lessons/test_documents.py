"""What `docs/lessons.md` shows is so: the recorded session, the list of lessons, the words of the command."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

from refengine.authoring.lessons.course import course
from refengine.cli import learn

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "lessons.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def session() -> ModuleType:
    spec = importlib.util.spec_from_file_location("lesson_session", ROOT / "docs" / "lesson_session.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def part(name: str) -> str:
    """Return what stands between the marks of a part."""
    (found,) = re.findall(rf"^<!-- {name} -->\n(.*?)<!-- end of {name} -->", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.mark.skipif(shutil.which("bash") is None, reason="the session is recorded in bash")
def test_the_session_goes_as_it_is_shown(session: ModuleType, tmp_path: Path) -> None:
    shown = part("session").removeprefix("```console\n").removesuffix("```\n")
    assert session.record(tmp_path).text == shown, "run docs/lesson_session.py"


def test_the_recording_with_colours_is_of_the_same_session(session: ModuleType) -> None:
    head, *lines = map(json.loads, (ROOT / "docs" / "lessons.cast").read_text(encoding="utf-8").splitlines())
    assert (head["version"], head["width"]) == (2, session.COLUMNS)
    times = [at for at, _, _ in lines]
    assert times == sorted(times)
    recording = session.Recording([(at, text) for at, _, text in lines])
    assert f"```console\n{recording.text}```\n" == part("session")
    assert "\\u001b[32m" in recording.cast()


def test_all_lessons_are_listed(session: ModuleType) -> None:
    assert part("lessons") == f"{session.lessons_list()}\n", "run docs/lesson_session.py"
    assert [lesson.name in PAGE for lesson in course()] == [True] * len(course())


def test_the_words_that_are_listed_are_those_of_the_command() -> None:
    table = re.findall(r"^\| `(?:refengine )?(\w+)[^`]*` \|", PAGE, re.MULTILINE)
    assert table == ["learn", *(word for word in learn._ACTIONS if word is not None)]
