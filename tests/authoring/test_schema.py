"""The JSON Schema of test files agrees with the reader."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "grammar" / "testfile.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
EVENT = {"evt.type": "open", "proc.aname": ["a", "b"], "evt.buffer": {"bytes": "00ff"}}


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", sorted((ROOT / "rules").glob("*.test.yaml")), ids=lambda path: path.name)
def test_our_own_test_files_fit(path: Path) -> None:
    VALIDATOR.validate(yaml.safe_load(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "case",
    [
        {"event": EVENT, "alerts": "A"},
        {"events": [EVENT], "alerts": [{"rule": "A", "fields": {"fd.num": None}}, "B"]},
        {"capture": "x.scap", "silent": True},
        {"run": ["a", "b"], "seconds": 3, "includes": ["A"], "silent": ["B"]},
        {"each": [{"x": 1}], "event": {"like": "y", "fd.name": "{x}"}, "alerts": []},
    ],
)
def test_what_is_right_fits(case: dict[str, Any]) -> None:
    VALIDATOR.validate({"rules": "r.yaml", "tests": [case]})


@pytest.mark.parametrize(
    "case",
    [
        {"event": EVENT},
        {"alerts": "A"},
        {"event": EVENT, "run": "x", "silent": True},
        {"event": EVENT, "alert": "A"},
        {"event": {"nodots": 1}, "silent": True},
        {"event": EVENT, "silent": False},
        {"events": [], "silent": True},
    ],
)
def test_what_is_wrong_does_not_fit(case: dict[str, Any]) -> None:
    assert not VALIDATOR.is_valid({"rules": "r.yaml", "tests": [case]})
