"""Finding and reading rules files."""

from __future__ import annotations

from pathlib import Path

from refengine.errors import Code, Diagnostic, Phase, RulesError
from refengine.source import Place, Source, Span

SUFFIXES = frozenset({".yaml", ".yml"})
TEST_SUFFIXES = (".test.yaml", ".test.yml")
"""How the names of files with tests of rules end, which lie beside rules files and are none."""

SIZE_LIMIT = 64 * 1024 * 1024
"""Bytes that a rules file may have; what is longer is no rules file, but a device or a mistake."""


def is_test_file(path: Path) -> bool:
    """Return whether a file holds tests of rules, by its name."""
    return path.name.endswith(TEST_SUFFIXES)


def rule_files(path: str | Path) -> tuple[Path, ...]:
    """Return the rules files that `path` stands for: itself, or the YAML files of a folder by their names.

    Files with tests of rules are left out of a folder.
    """
    path = Path(path)
    if not path.is_dir():
        return (path,)
    return tuple(
        sorted(
            file
            for file in path.iterdir()
            if file.suffix in SUFFIXES and not file.is_dir() and not is_test_file(file)
        )
    )


def read_source(path: str | Path) -> Source:
    """Return the text of a file.

    :raises RulesError: where it cannot be read (code FILE_READ) or is no text in UTF-8 (code YAML_PARSE).
    """
    name = str(path)
    try:
        with Path(path).open("rb") as file:
            data = file.read(SIZE_LIMIT + 1)
    except OSError as error:
        raise _unreadable(f"cannot read '{name}': {_reason(error)}") from None
    except ValueError:
        raise _unreadable(f"no file can be called {name!r}") from None
    if len(data) > SIZE_LIMIT:
        raise _unreadable(f"'{name}' is longer than {SIZE_LIMIT // 1024 // 1024} MB")
    try:
        return Source(name, data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        source = Source(name, data.decode("utf-8-sig", "replace"))
        at = len(data[: error.start].decode("utf-8-sig"))
        raise RulesError(
            [
                Diagnostic(
                    Code.YAML_PARSE,
                    Phase.YAML,
                    f"byte 0x{data[error.start]:02x} is not UTF-8",
                    Place(source, Span(at, at + 1)),
                )
            ]
        ) from None


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _unreadable(message: str) -> RulesError:
    return RulesError([Diagnostic(Code.FILE_READ, Phase.READ, message)])
