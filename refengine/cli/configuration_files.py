"""Configuration files that name others, which are merged into them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum
from pathlib import Path

from refengine.cli.document import Document, Node, read_document
from refengine.errors import UsageError

_SUFFIXES = frozenset({".yaml", ".yml"})


class Strategy(str, Enum):
    """What becomes of a key at the top level that is in the files of before and in the one that is merged in.

    With `APPEND` lists are appended to lists, and everything else is replaced; with `OVERRIDE` everything is
    replaced; with `ADD_ONLY` nothing is. Keys that are new are added in any case.
    """

    APPEND = "append"
    OVERRIDE = "override"
    ADD_ONLY = "add-only"


def read_configuration(
    path: Path | None, named: Iterable[Node] = ()
) -> tuple[dict[str, Node], tuple[Path, ...]]:
    """Return the content of a configuration file with those merged in that it names, and the files to watch.

    `named` are further values of `config_files`. A file or folder that is not there is passed over, as in Falco; of a
    folder its YAML files are taken, by their names.

    :raises UsageError: for a file that cannot be read, an unknown strategy, or a file that names others in turn.
    """
    root: dict[str, Node] = {} if path is None else read_document(path)
    files = [] if path is None else [path]
    listed = root.get("config_files", [])
    items = [*(listed if isinstance(listed, list) else [listed]), *named]
    for entry in Document({"config_files": [item for item in items if item != ""]}).sections("config_files"):
        place, strategy = _entry(entry)
        files.append(place)
        for file in _expanded(place):
            merge(root, _included(file), strategy)
    return root, tuple(files)


def merge(root: dict[str, Node], added: dict[str, Node], strategy: Strategy) -> None:
    """Merge the keys of one configuration into another one."""
    for key, value in added.items():
        before = root.get(key)
        if before is not None and strategy is Strategy.ADD_ONLY:
            continue
        if isinstance(before, list) and isinstance(value, list) and strategy is Strategy.APPEND:
            root[key] = [*before, *value]
        else:
            root[key] = value


def _entry(entry: Document) -> tuple[Path, Strategy]:
    plain = entry.plain()
    if plain is not None:
        return Path(plain), Strategy.APPEND
    name, text = entry.text("path"), entry.text("strategy", Strategy.APPEND.value)
    if not name:
        raise UsageError("an element of 'config_files' must be a path, or have 'path' and 'strategy'")
    try:
        return Path(name), Strategy(text)
    except ValueError:
        known = ", ".join(strategy.value for strategy in Strategy)
        raise UsageError(
            f"configuration key 'config_files': the strategy must be {known}, not '{text}'"
        ) from None


def _expanded(place: Path) -> Iterator[Path]:
    try:
        if place.is_dir():
            yield from sorted(
                child for child in place.iterdir() if child.suffix in _SUFFIXES and child.is_file()
            )
        elif place.exists():
            yield place
    except OSError as error:
        raise UsageError(f"cannot read the configuration folder {place}: {error.strerror or error}") from None


def _included(file: Path) -> dict[str, Node]:
    found = read_document(file)
    if "config_files" in found:
        raise UsageError(
            f"the configuration {file} is named by another one and cannot name others: config_files"
        )
    return found
