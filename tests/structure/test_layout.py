"""The folders: where code and data live, and under which names they are imported."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ("refengine", "backends", "grammar", "rules", "spec")
LINKED = ("backends", "grammar", "rules", "spec")

LONGEST = 500
"""Lines of a module beyond which nobody can call it one concept; the house style asks for about 350."""

NAMES_THAT_SAY_NOTHING = re.compile(r"(^|_)(utils?|helpers?|misc|common|managers?)($|_)", re.IGNORECASE)


def modules() -> list[Path]:
    """Return every Python file of the source, relative to the checkout."""
    return sorted(file.relative_to(ROOT) for folder in SOURCE for file in (ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("name", LINKED)
def test_a_top_level_folder_is_part_of_the_package_by_a_relative_link(name: str) -> None:
    link = ROOT / "refengine" / name
    if not link.is_symlink():
        pytest.skip(
            "this is an installed tree or an archive without links, in which the folder itself is here"
        )
    assert str(link.readlink()) == f"../{name}"
    assert (ROOT / name).is_dir()


def test_modules_are_short_enough_to_be_read_in_one_go() -> None:
    lengths = {str(file): len((ROOT / file).read_text(encoding="utf-8").splitlines()) for file in modules()}
    assert {file: length for file, length in lengths.items() if length > LONGEST} == {}


def test_names_of_modules_and_classes_say_what_is_inside() -> None:
    vague = []
    for file in modules():
        classes = [
            node.name
            for node in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8")))
            if isinstance(node, ast.ClassDef)
        ]
        words = [
            re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name) for name in [*file.parts[:-1], file.stem, *classes]
        ]
        vague += [f"{file}: {word}" for word in words if NAMES_THAT_SAY_NOTHING.search(word)]
    assert vague == []


def test_every_module_says_what_it_is() -> None:
    silent = [
        str(file)
        for file in modules()
        if not ast.get_docstring(ast.parse((ROOT / file).read_text(encoding="utf-8")))
    ]
    assert silent == []


@pytest.mark.parametrize(
    "module",
    ["refengine", "refengine.backends.base", "refengine.condition.parser", "refengine.tables.event_types"],
)
def test_the_bare_checkout_can_be_imported(module: str) -> None:
    code = f"import {module} as m; print(m.__file__)"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert Path(run.stdout.strip()).is_relative_to(ROOT)
