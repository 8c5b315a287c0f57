"""The sentences of the specification by their anchors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ANCHOR = re.compile(r"\[([a-z0-9]+(?:\.[a-z0-9_-]+)+)\]")
"""An anchor as the chapters write it."""

_CLAUSE = re.compile(r"^\*\*" + ANCHOR.pattern + r"\*\* (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Clause:
    """A sentence that binds an engine, and the page that it stands on."""

    anchor: str
    text: str
    page: str


def read_clauses(spec: Path) -> Mapping[str, Clause]:
    """Return the clauses of all chapters in a folder by their anchors."""
    return {
        match[1]: Clause(match[1], match[2], f"spec/{chapter.stem}")
        for chapter in sorted(spec.glob("[0-9A]*.md"))
        for match in _CLAUSE.finditer(chapter.read_text(encoding="utf-8"))
    }
