"""What the tests read out of the specification: its anchors and its examples."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

SPEC = Path(__file__).resolve().parents[2] / "spec"
CHAPTERS = sorted(SPEC.glob("[0-9]*.md"))

_ANCHOR = re.compile(r"^\*\*\[([a-z0-9.]+)\]\*\*", re.MULTILINE)
_REFERENCE = re.compile(r"\[([a-z0-9]+(?:\.[a-z0-9]+)+)\](?!\()")
_BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Example:
    """A fenced block: the words behind the fence, its text, and where it stands."""

    words: tuple[str, ...]
    text: str
    place: str


def anchors() -> list[str]:
    """Return the anchors of all chapters, in order."""
    return [anchor for path in CHAPTERS for anchor in _ANCHOR.findall(path.read_text(encoding="utf-8"))]


def references() -> set[str]:
    """Return the anchors that the text refers to, the places where they are defined left out."""
    found: set[str] = set()
    for path in (*CHAPTERS, SPEC / "A-deviations.md"):
        text = _BLOCK.sub("", _ANCHOR.sub("", path.read_text(encoding="utf-8")))
        found.update(_REFERENCE.findall(re.sub("`[^`\n]*`", "", text)))
    return found


def examples() -> list[Example]:
    """Return the marked blocks of all chapters."""
    found = []
    for path in CHAPTERS:
        text = path.read_text(encoding="utf-8")
        for block in _BLOCK.finditer(text):
            line = text.count("\n", 0, block.start()) + 1
            found.append(Example(tuple(block[1].split()), block[2], f"{path.name}:{line}"))
    return found
