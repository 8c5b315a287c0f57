"""Carrying out fixes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from refengine.authoring.finding import Edit, Finding
from refengine.source import Source


def fixed_texts(findings: Iterable[Finding]) -> dict[Source, str]:
    """Return the new text of every source that a fix changes; of fixes that overlap, only the first is carried out."""
    edits: dict[Source, list[Edit]] = defaultdict(list)
    for finding in findings:
        touched = [edit for edit in finding.fix if _overlaps(edit, edits[edit.source])]
        if not touched:
            for edit in finding.fix:
                edits[edit.source].append(edit)
    return {source: _edited(source, found) for source, found in edits.items() if found}


def _overlaps(edit: Edit, others: Iterable[Edit]) -> bool:
    return any(edit.span.start < other.span.end and other.span.start < edit.span.end for other in others)


def _edited(source: Source, edits: Iterable[Edit]) -> str:
    text = source.text
    for edit in sorted(edits, key=lambda edit: edit.span.start, reverse=True):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return text
