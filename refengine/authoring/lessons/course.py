"""The course: all lessons in their order, read from their folders.

`course.yaml` is a list of parts, each with its lessons in order: the name of the lesson's folder and its title.
A lesson's own `lesson.yaml` has what `About` describes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path

from refengine.authoring.finding import Finding, FindingsError, of_diagnostic
from refengine.authoring.lessons.lesson import ABOUT, About, Lesson, Need
from refengine.authoring.lessons.needs import NEEDS
from refengine.authoring.testing.format import Form
from refengine.errors import RulesError, UsageError
from refengine.rulefile.files import read_source
from refengine.rulefile.yaml import Mapping, Node, read_documents

_KEYS = ("specification", "fails", "hints", "needs", "edit", "remark")


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """Lessons in the order in which they are taken."""

    lessons: tuple[Lesson, ...]

    def __getitem__(self, name: str) -> Lesson:
        """Return the lesson that is meant by its number, its name or the beginning of that.

        :raises UsageError: where it is none, or several.
        """
        by_name = {lesson.name: lesson for lesson in self.lessons}
        plain = name.lstrip("0123456789").lstrip("-") or name
        if plain in by_name:
            return by_name[plain]
        if name.isdecimal():
            if 1 <= int(name) <= len(self.lessons):
                return self.lessons[int(name) - 1]
            raise UsageError(f"there is no lesson {name}: they are numbered from 1 to {len(self.lessons)}")
        begun = [lesson for lesson in self.lessons if lesson.name.startswith(plain)]
        if len(begun) == 1:
            return begun[0]
        near = [lesson.name for lesson in begun] or get_close_matches(plain, by_name, 1)
        meant = f": did you mean {' or '.join(map(repr, near))}?" if near else "; 'list' shows all"
        raise UsageError(f"there is no lesson '{name}'{meant}")

    def __iter__(self) -> Iterator[Lesson]:
        return iter(self.lessons)

    def __len__(self) -> int:
        return len(self.lessons)


def course(folder: Path | None = None) -> Course:
    """Return the course in `folder`, by default the one that comes with the package.

    :raises FindingsError: with everything that is wrong with its files.
    """
    folder = Path(str(files("refengine.authoring.lessons"))) / "data" if folder is None else folder
    report: list[Finding] = []
    lessons: list[Lesson] = []
    form = Form(report)
    for part in form.several(_read(folder / "course.yaml"), "the course"):
        found = form.mapping(part, "a part", ("part", "lessons"))
        keys = {} if found is None else found.by_key
        title = form.text(keys["part"], "'part'") if "part" in keys else None
        named = form.mapping(keys["lessons"], "'lessons'", ()) if "lessons" in keys else None
        for key, value in () if named is None else named.pairs:
            name, about = form.text(key, "a lesson's name"), form.text(value, "a title")
            if name is not None and about is not None:
                own = folder / name
                lessons.append(
                    Lesson(name, len(lessons) + 1, about, title or "", own, _about(own / ABOUT, form))
                )
    if report:
        raise FindingsError(report)
    return Course(tuple(lessons))


def _read(path: Path) -> Node:
    try:
        documents = read_documents(read_source(path))
    except RulesError as error:
        raise FindingsError(map(of_diagnostic, error.diagnostics)) from None
    return documents[0]


def _about(path: Path, form: Form) -> About:
    found = form.mapping(_read(path), "a lesson", _KEYS)
    keys = {} if found is None else dict(found.by_key)
    for key in ("specification", "fails", "hints", "remark"):
        if key not in keys and found is not None:
            form.fault(found, f"the lesson has no '{key}'")
    return About(
        _texts(keys.get("specification"), "'specification'", form),
        _text(keys.get("fails"), "'fails'", form),
        _texts(keys.get("hints"), "'hints'", form),
        _text(keys.get("remark"), "'remark'", form),
        tuple(_needs(keys.get("needs"), form)),
        _text(keys.get("edit"), "'edit'", form) or "exercise.yaml",
    )


def _needs(node: Node | None, form: Form) -> Iterator[Need]:
    for item in () if node is None else form.several(node, "'needs'"):
        found = form.mapping(item, "a need", ("what", "of", "say"))
        if not isinstance(found, Mapping):
            continue
        kind = _text(found.by_key.get("what"), "'what'", form)
        say = _text(found.by_key.get("say"), "'say'", form)
        if kind not in NEEDS or not say:
            form.fault(found, f"a need has 'say', and as 'what' one of {', '.join(NEEDS)}")
        yield Need(kind, _texts(found.by_key.get("of"), "'of'", form), say)


def _text(node: Node | None, what: str, form: Form) -> str:
    return "" if node is None else (form.text(node, what) or "").strip()


def _texts(node: Node | None, what: str, form: Form) -> tuple[str, ...]:
    if node is None:
        return ()
    return tuple(_text(item, what, form) for item in form.several(node, what))
