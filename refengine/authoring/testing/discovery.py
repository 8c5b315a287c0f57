"""Finding tests: test files by their name, and rules files with tests in their comments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from refengine.authoring.finding import FindingsError
from refengine.authoring.testing.case import Suite
from refengine.authoring.testing.outcome import SuiteOutcome
from refengine.authoring.testing.reading import read_inline, read_suite
from refengine.errors import UsageError
from refengine.rulefile.files import SUFFIXES, is_test_file


def test_paths(named: Iterable[Path]) -> tuple[Path, ...]:
    """Return the files that may have tests: those named, and the YAML files below the folders named.

    Hidden files and folders are passed over.

    :raises UsageError: when there is nothing of a name.
    """
    found: list[Path] = []
    for path in named:
        if path.is_dir():
            found.extend(
                sorted(
                    file
                    for file in path.rglob("*")
                    if file.suffix in SUFFIXES and not _is_hidden(file.relative_to(path)) and file.is_file()
                )
            )
        elif path.exists():
            found.append(path)
        else:
            raise UsageError(f"there is no file or folder '{path}'")
    return tuple(dict.fromkeys(found))


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def suites(paths: Iterable[Path]) -> Iterator[Suite | SuiteOutcome]:
    """Yield the tests of each file that has some; for a file that cannot be used, the outcome that says why."""
    for path in paths:
        try:
            suite = read_suite(path) if is_test_file(path) else read_inline(path)
        except FindingsError as error:
            yield SuiteOutcome(str(path), faults=error.findings)
            continue
        if suite is not None:
            yield suite
