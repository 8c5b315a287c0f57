"""The examples in the prose of the specification do what it says of them."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

import refengine
from refengine.conformance.case import Case
from refengine.conformance.engine import answer
from refengine.engine import Evaluator
from tests.spec.documents import Example, examples

EXAMPLES = examples()


def case(expect: dict[str, Any], **given: Any) -> Case:
    return Case.from_json({"id": "example", "clause": "", "expect": expect, **given})


@pytest.mark.parametrize(
    "example", [found for found in EXAMPLES if found.words[0] != "match"], ids=lambda found: found.place
)
def test_accepted_or_refused_as_marked(example: Example) -> None:
    kind, codes = example.words[0], set(example.words[1:])
    given: dict[str, Any] = {"events": [{"fields": {}}]} if kind == "template" else {}
    if kind == "rules":
        given["rules"] = [{"name": "example.yaml", "text": example.text}]
    else:
        given[kind] = example.text.removesuffix("\n")
    said = answer(case({"warnings": []}, **given))
    assert {error["code"] for error in said.errors} | set(said.warnings) == codes, said


def rows() -> list[Any]:
    return [
        pytest.param(row, id=f"{example.place}-{number}")
        for example in EXAMPLES
        if example.words[0] == "match"
        for number, row in enumerate(yaml.safe_load(example.text), 1)
    ]


@pytest.mark.parametrize("evaluator", ["interpret", "compile"])
@pytest.mark.parametrize("row", rows())
def test_matches_as_told(row: list[Any], evaluator: Evaluator) -> None:
    condition, fields, verdict, *source = row
    given = {"condition": condition, "source": source[0] if source else "syscall"}
    said = answer(case({"match": [verdict]}, events=[{"fields": fields}], **given), evaluator)
    assert said.result == [verdict], said


def test_every_block_is_of_a_known_kind() -> None:
    assert {example.words[0] for example in EXAMPLES} == {"condition", "rules", "template", "match"}
    for example in EXAMPLES:
        for word in example.words[1:]:
            assert refengine.Code(word)
