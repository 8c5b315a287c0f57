"""The sentences of the specification, which ship with the package, by their anchors."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

_CLAUSE = re.compile(r"^\*\*\[([a-z0-9.]+)\]\*\* (.+)$", re.MULTILINE)
_HEADING = re.compile(r"^# (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Clause:
    """A sentence that binds engines. `file` is that of its chapter in the folder `spec`, `chapter` its heading."""

    anchor: str
    sentence: str
    chapter: str
    file: str


def clause(anchor: str) -> Clause:
    """Return the clause with this anchor.

    :raises KeyError: where there is none.
    """
    return _clauses()[anchor]


@lru_cache(maxsize=1)
def _clauses() -> dict[str, Clause]:
    found: dict[str, Clause] = {}
    for path in sorted((Path(str(files("refengine"))) / "spec").glob("[0-9]*.md")):
        text = path.read_text("utf-8")
        heading = _HEADING.search(text)
        chapter = "" if heading is None else heading[1]
        for anchor, sentence in _CLAUSE.findall(text):
            found[anchor] = Clause(anchor, sentence, chapter, path.name)
    return found
