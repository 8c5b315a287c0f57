"""The folder in which a learner works. What the learner wrote there is never overwritten."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from refengine.authoring.lessons.course import Course
from refengine.authoring.lessons.lesson import Lesson
from refengine.authoring.lessons.progress import FILE, Progress
from refengine.errors import UsageError
from refengine.rulefile.files import read_source

DEFAULT = Path("refengine-lessons")
README = "README.md"

_README = """\
# Lessons in writing rules

This folder belongs to `refengine learn`. Each lesson has a folder of its own:

- `lesson.md` says what it is about,
- `exercise.yaml` is the file to change (some lessons name another one),
- `exercise.test.yaml` has the tests that are to pass.

`refengine learn` goes on where you are; `refengine learn --watch` checks at every save; `refengine learn hint` helps.
The tools work here as everywhere: `refengine test 01-first-condition`, `refengine lint`, `refengine explain`.
"""

_NUMBERED = re.compile(r"[0-9]+-(.+)")


@dataclass(frozen=True, slots=True)
class Workplace:
    """A folder for lessons, which need not be there yet. `shown` is what messages call it."""

    folder: Path
    shown: Path

    @classmethod
    def find(cls, named: Path | None, course: Course) -> Workplace:
        """Return the folder that is meant: the one named, else the one around or below the working folder.

        :raises UsageError: where it has other things in it, or is no folder.
        """
        here = Path.cwd()
        folder = here / (named or _around(here, course) or DEFAULT)
        if folder.exists():
            if not folder.is_dir():
                raise UsageError(
                    f"'{named or DEFAULT}' is a file: name a folder for the lessons with --folder"
                )
            others = [path.name for path in folder.iterdir() if not path.name.startswith(".")]
            if others and not _is_own(folder, course):
                raise UsageError(
                    f"'{named or DEFAULT}' has other things in it ({', '.join(sorted(others)[:3])}), and no lessons:"
                    " name a folder of their own with --folder"
                )
        is_absolute = named is not None and named.is_absolute()
        return cls(folder, folder if is_absolute else Path(os.path.relpath(folder)))

    def of(self, lesson: Lesson) -> Path:
        """Return the folder of a lesson; one that was made when the lesson had another number stays."""
        return self.folder / self._name(lesson)

    def shown_of(self, lesson: Lesson) -> Path:
        """Return what messages call the folder of a lesson."""
        return self.shown / self._name(lesson)

    def _name(self, lesson: Lesson) -> str:
        if self.folder.is_dir():
            for path in sorted(self.folder.iterdir()):
                found = _NUMBERED.fullmatch(path.name)
                if found is not None and found[1] == lesson.name and path.is_dir():
                    return path.name
        return f"{lesson.number:02}-{lesson.name}"

    def prepare(self, lesson: Lesson) -> None:
        """Have the lesson's files; those that are there stay as they are.

        :raises OSError: where they cannot be written.
        """
        folder = self.of(lesson)
        folder.mkdir(parents=True, exist_ok=True)
        if not (self.folder / README).exists():
            (self.folder / README).write_text(_README, "utf-8")
        for name, content in lesson.files.items():
            if not (folder / name).exists():
                (folder / name).write_bytes(content)

    def reset(self, lesson: Lesson) -> Path | None:
        """Have the lesson's files as they were at the start; return what the learner's work is called now.

        Other files that were changed get new names as well.

        :raises OSError: where they cannot be written.
        """
        kept = None
        for name in self.changed(lesson):
            path = self.of(lesson) / name
            renamed = path.rename(_free(path))
            if name == lesson.about.edit:
                kept = self.shown_of(lesson) / renamed.name
        self.prepare(lesson)
        return kept

    def changed(self, lesson: Lesson) -> tuple[str, ...]:
        """Return the lesson's files that are there and no longer what was handed out."""
        folder = self.of(lesson)
        return tuple(
            name
            for name, content in lesson.files.items()
            if (folder / name).is_file() and (folder / name).read_bytes() != content
        )

    def work(self, lesson: Lesson) -> str | None:
        """Return the text of the file to edit, None where it is not there.

        :raises RulesError: where it cannot be read, or is no text.
        """
        path = self.of(lesson) / lesson.about.edit
        return read_source(path).text if path.exists() else None

    def read_progress(self) -> Progress | None:
        """Return the progress that was kept, None where there is none.

        :raises ProgressError: where the file does not hold progress.
        """
        try:
            text = (self.folder / FILE).read_text("utf-8", errors="replace")
        except FileNotFoundError:
            return None
        return Progress.parse(text)

    def keep(self, progress: Progress) -> None:
        """Keep the progress, all of it or nothing.

        :raises OSError: where it cannot be written.
        """
        new = self.folder / f".{FILE}.new"
        new.write_text(progress.text(), "utf-8")
        new.replace(self.folder / FILE)


def _around(here: Path, course: Iterable[Lesson]) -> Path | None:
    """Return the folder of lessons in which the working folder is, None where it is in none."""
    kept = (folder for folder in (here, *here.parents) if (folder / FILE).is_file())
    return next((folder for folder in kept if _is_own(folder, course)), None)


def _is_own(folder: Path, course: Iterable[Lesson]) -> bool:
    """Return whether a folder holds lessons, as some file in it tells, even where others are lost."""
    names = {lesson.name for lesson in course}
    if (folder / FILE).is_file() and (folder / README).is_file():
        return True
    found = (_NUMBERED.fullmatch(path.name) for path in folder.iterdir() if path.is_dir())
    return any(match is not None and match[1] in names for match in found)


def _free(path: Path) -> Path:
    """Return a name beside `path` that nothing has yet."""
    number = 1
    while (kept := path.with_name(f"{path.name}.{number}")).exists():
        number += 1
    return kept
