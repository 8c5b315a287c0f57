"""The JSON Schema of rules files agrees with the loader on what has the right shape."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from refengine.conformance.case import Case, load_suite
from tests.corpus import corpus

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "grammar" / "rulefile.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

LOOSE = {"LOAD_UNKNOWN_KEY", "LOAD_UNKNOWN_ITEM", "LOAD_APPEND_NO_VALUES"}
"""Warnings about what a schema for authors should rather refuse."""

CASES = [case for case in load_suite() if case.rules]


class Loader(yaml.SafeLoader):
    """YAML as rules files are read: scalars are text, except empty ones."""


Loader.yaml_implicit_resolvers = {"": [("tag:yaml.org,2002:null", re.compile(r"^$"))]}


def documents(text: str) -> list[Any]:
    return list(yaml.load_all(text, Loader=Loader))


def faults(case: Case) -> list[str]:
    return [
        error.message
        for file in case.rules
        for document in documents(file.text or "")
        for error in VALIDATOR.iter_errors(document)
    ]


def is_accepted(case: Case) -> bool:
    return case.kind in ("alerts", "lines") or (case.kind == "warnings" and LOOSE.isdisjoint(case.expected))


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("case", [case for case in CASES if is_accepted(case)], ids=lambda case: case.id)
def test_what_loads_fits(case: Case) -> None:
    assert faults(case) == []


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if case.kind == "error" and case.expected["code"] == "LOAD_ERR_YAML_VALIDATE"],
    ids=lambda case: case.id,
)
def test_what_has_the_wrong_shape_does_not_fit(case: Case) -> None:
    assert faults(case) != []


OWN_RULES = sorted(set((ROOT / "rules").glob("*.yaml")) - set((ROOT / "rules").glob("*.test.yaml")))


@pytest.mark.parametrize("path", OWN_RULES, ids=lambda path: path.name)
def test_own_rules_fit(path: Path) -> None:
    for document in documents(path.read_text(encoding="utf-8")):
        VALIDATOR.validate(document)


@pytest.mark.corpus
def test_public_rules_fit() -> None:
    files = sorted(corpus("rules").glob("*.yaml"))
    assert files
    for path in files:
        for document in documents(path.read_text(encoding="utf-8")):
            assert [error.message[:300] for error in VALIDATOR.iter_errors(document)] == [], path.name
