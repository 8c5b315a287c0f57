"""What a lesson is: a text, an exercise that fails at first, its tests, hints, and a solution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType

from refengine.authoring.lessons.prose import Prose

TEXT, TESTS, ABOUT = "lesson.md", "exercise.test.yaml", "lesson.yaml"

_KEPT = (ABOUT, "solution.yaml", "solution.test.yaml")
"""Files of a lesson that are not handed out."""


@dataclass(frozen=True, slots=True)
class Need:
    """Something that a solution must have beside passing tests.

    `kind` is a key of `needs.NEEDS`, `of` are the names that it is about, and `say` tells the learner what is missing.
    """

    kind: str
    of: tuple[str, ...]
    say: str


@dataclass(frozen=True, slots=True)
class About:
    """What a lesson says of itself.

    `clauses` are anchors of the specification. `fails` is what the first check says, `remark` what is worth
    remembering once it is solved. `edit` is the file to work on.
    """

    clauses: tuple[str, ...]
    fails: str
    hints: tuple[str, ...]
    remark: str
    needs: tuple[Need, ...] = ()
    edit: str = "exercise.yaml"


@dataclass(frozen=True, eq=False)
class Lesson:
    """A lesson. `name` is what it is called for good; `number` is its place in this version's course, from 1."""

    name: str
    number: int
    title: str
    part: str
    folder: Path
    about: About

    @cached_property
    def text(self) -> Prose:
        """The text to read before the exercise."""
        return Prose((self.folder / TEXT).read_text("utf-8"))

    @cached_property
    def files(self) -> Mapping[str, bytes]:
        """What is handed out, by the files' names."""
        names = sorted(path.name for path in self.folder.iterdir() if path.is_file())
        return MappingProxyType(
            {name: (self.folder / name).read_bytes() for name in names if name not in _KEPT}
        )

    @property
    def exercise(self) -> str:
        """The text of the file to work on, as it is at the start."""
        return self.files[self.about.edit].decode()

    @property
    def solution(self) -> str:
        """One way of solving it."""
        return (self.folder / self.about.edit.replace("exercise", "solution")).read_text("utf-8")

    @property
    def form(self) -> str:
        """Something that differs where another version of the lesson asks for something else."""
        asked = [name for name in self.files if name not in (TEXT, self.about.edit)]
        return sha256(b"".join(self.files[name] for name in asked)).hexdigest()[:12]

    @property
    def writes_tests(self) -> bool:
        """True where the exercise is a test for given rules."""
        return self.about.edit == TESTS
