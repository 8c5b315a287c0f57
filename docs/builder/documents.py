"""The documents of the repository, and where each stands on the site."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

ELSEWHERE: Mapping[str, str] = {
    "README.md": "index",
    "docs/index.md": "index",
    "docs/decisions": "decisions/index",
    "spec": "spec/index",
    "spec/README.md": "spec/index",
    "spec/cases/README.md": "spec/cases",
    "examples": "examples",
    "examples/README.md": "examples",
    "CONTRIBUTING.md": "contributing",
    "CHANGELOG.md": "changelog",
}
"""Documents and folders, by their path in the repository, whose place on the site does not follow from their path."""

FOLDERS = ("docs", "docs/guides", "docs/decisions", "spec")
"""The folders whose documents are all on the site."""


@dataclass(frozen=True)
class Document:
    """A document at `path` in the repository, which is the page `name` of the site."""

    path: PurePosixPath
    name: str


def documents(root: Path) -> list[Document]:
    """Return the documents below `root` that become pages, by their names."""
    paths = {PurePosixPath(path) for path in ELSEWHERE if path.endswith(".md") and path != "README.md"}
    for folder in FOLDERS:
        paths |= {PurePosixPath(folder, found.name) for found in (root / folder).glob("*.md")}
    return sorted((Document(path, page_of(path)) for path in paths), key=lambda document: document.name)


def page_of(path: PurePosixPath) -> str:
    """Return the name of the page that shows a document, file or folder of the repository."""
    named = ELSEWHERE.get(str(path))
    if named is not None:
        return named
    if path.suffix == ".md" and str(path.parent) in FOLDERS:
        return str(path.with_suffix("")).removeprefix("docs/")
    return f"files/{path}"
