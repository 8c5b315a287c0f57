"""Pages for files and folders that documents link to, so that the site leads to the same things as the repository."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

LANGUAGES = {
    ".yaml": "yaml", ".yml": "yaml", ".py": "python", ".ebnf": "w3c-ebnf", ".sh": "sh", ".toml": "toml", ".service": "ini",
}  # fmt: skip
"""The language of a file, for its colours, by the end of its name."""

DATA = frozenset({".json", ".html", ".cast", ".svg", ".scap"})
"""The ends of names of files that are given as they are, to be downloaded."""


def is_data(path: PurePosixPath) -> bool:
    """Return whether a file is to be downloaded and not shown on a page."""
    return path.suffix in DATA


def file_page(root: Path, path: PurePosixPath) -> str:
    """Return a page that shows a file of text."""
    text = (root / path).read_text(encoding="utf-8")
    longest = max(map(len, re.findall("`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"# `{path}`\n\n{fence}{LANGUAGES.get(path.suffix, 'text')}\n{text.rstrip()}\n{fence}\n"


def folder_page(path: PurePosixPath, members: list[tuple[PurePosixPath, str]]) -> str:
    """Return a page that lists the files of a folder, each with the target of its link."""
    lines = [f"# `{path}/`", "", f"The files in this folder, {len(members)} of them.", ""]
    return "\n".join([*lines, *(f"- [{member.name}]({target})" for member, target in members)]) + "\n"
