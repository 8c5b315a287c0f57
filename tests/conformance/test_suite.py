"""The suite tests itself: form, names, freshness and coverage."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import jsonschema
import pytest

from refengine.condition.vocabulary import MODIFIERS, OPERATORS, TRANSFORMERS
from refengine.conformance.build import CaseFormatError, build, written
from refengine.conformance.case import SPEC, Case, load_suite
from refengine.errors import Code
from refengine.fields.catalogue import CATALOGUE
from refengine.values import ValueType

SUITE = json.loads((SPEC / "cases.json").read_text(encoding="utf-8"))
CASES = load_suite()

UNUSED_CODES = {Code.EXTENSION, Code.WARNING_EXTENSION}
"""This edition has no extension items, so that nothing can give these; clause diag.extension.1 says so."""


def test_the_built_file_is_up_to_date() -> None:
    assert (SPEC / "cases.json").read_text(encoding="utf-8") == written(build()), (
        "run: refengine conformance build"
    )


def test_it_fits_its_schema() -> None:
    schema = json.loads((SPEC / "cases.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    assert [error.message for error in validator.iter_errors(SUITE)] == []


def test_ids_are_unique() -> None:
    assert [name for name, count in Counter(case.id for case in CASES).items() if count > 1] == []


def test_no_case_is_there_twice() -> None:
    def content(case: Case) -> str:
        raw = {key: value for key, value in case.raw.items() if key not in ("id", "clause", "about")}
        return json.dumps(raw, sort_keys=True)

    same: dict[str, list[str]] = {}
    for case in CASES:
        same.setdefault(content(case), []).append(case.id)
    repeated = [names for names in same.values() if len(names) > 1]
    assert repeated == []


def test_there_are_as_many_as_promised() -> None:
    assert len(CASES) >= 1500


def test_events_and_expectations_are_of_one_length() -> None:
    for case in CASES:
        if case.kind in ("match", "alerts", "lines") or (case.kind == "text" and case.template is not None):
            assert len(case.expected) == len(case.events), case.id


def test_every_code_has_a_case() -> None:
    given = {case.expected["code"] for case in CASES if case.kind == "error"}
    given |= {code for case in CASES if case.kind == "warnings" for code in case.expected}
    assert {code.value for code in Code if code not in UNUSED_CODES} == given


def positive_negative_absent(word: str) -> set[str]:
    """Return which of the three kinds of cases there are for an operator, modifier or transformer."""
    found = set()
    for case in CASES:
        if (
            case.kind != "match"
            or case.condition is None
            or word not in case.condition.replace("(", " ( ").split()
        ):
            continue
        for event, verdict in zip(case.events, case.expected, strict=True):
            if not event.fields:
                found.add("absent")
            else:
                found.add("positive" if verdict else "negative")
    return found


@pytest.mark.parametrize("word", [*OPERATORS, *MODIFIERS, *TRANSFORMERS])
def test_every_operator_and_transformer_is_true_false_and_absent(word: str) -> None:
    assert positive_negative_absent(word) == {"positive", "negative", "absent"}


@pytest.mark.parametrize("type", sorted({field.type for field in CATALOGUE.values()} - {ValueType.DYN}))
def test_every_type_of_field_is_true_false_and_absent(type: ValueType) -> None:
    names = {name for name, field in CATALOGUE.items() if field.type is type}
    found = set()
    for case in CASES:
        if case.kind != "match" or case.condition is None:
            continue
        used = {word.strip("()!") for word in case.condition.split()} & names
        for event, verdict in zip(case.events, case.expected, strict=True):
            for name in used:
                found.add("absent" if name not in event.fields else "positive" if verdict else "negative")
    assert found == {"positive", "negative", "absent"}


TABLE = """
cases:
  - id: a.{name}
    clause: x.1
    condition: "{field} = {name*2}"
    event: {"{field}": "{value}", gone: ~, $time: 5}
    match: true
    columns: [name, value]
    rows: [[p, 1], [yes, [true, t]]]
    each:
      which: [{field: f.g}, {field: h.i}]
"""


def test_tables_stand_for_all_their_combinations(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(TABLE)
    built = build(tmp_path)["cases"]
    assert [(case["id"], case["condition"]) for case in built] == [
        ("a.p", "f.g = pp"),
        ("a.yes", "f.g = yesyes"),
        ("a.p", "h.i = pp"),
        ("a.yes", "h.i = yesyes"),
    ]
    assert built[3]["events"] == [{"fields": {"h.i": [True, "t"]}, "time": 5}]
    assert built[3]["expect"] == {"match": [True]}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("cases: [{id: a, clause: b, condition: c}]", "exactly one expectation is needed, not 0"),
        ("cases: [{id: a, clause: b, condition: c, match: true, text: c}]", "exactly one expectation"),
        ("cases: [{id: a, clause: b, condition: c, match: true, colour: red}]", "unknown keys: colour"),
        (
            "cases: [{id: a, clause: b, columns: [x, y], rows: [[1]], match: true}]",
            "a row has 1 values for 2 columns",
        ),
    ],
)
def test_slips_of_authors_are_found(tmp_path: Path, text: str, fault: str) -> None:
    (tmp_path / "one.yaml").write_text(text)
    with pytest.raises(CaseFormatError, match=fault):
        build(tmp_path)
