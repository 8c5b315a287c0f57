"""Anchors of the specification: each once, each with a case, and each reference leading somewhere."""

from __future__ import annotations

from collections import Counter

from refengine.conformance.case import load_suite
from tests.spec.documents import CHAPTERS, SPEC, anchors, references


def test_anchors_are_unique() -> None:
    assert [anchor for anchor, count in Counter(anchors()).items() if count > 1] == []


def test_references_lead_somewhere() -> None:
    assert references() <= set(anchors())


def test_every_sentence_has_a_case_and_every_case_a_sentence() -> None:
    cited = {case.clause for case in load_suite()}
    assert cited == set(anchors())


def test_the_table_of_contents_names_every_chapter() -> None:
    contents = (SPEC / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in CHAPTERS if f"({path.name})" not in contents] == []
