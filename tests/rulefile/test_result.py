from __future__ import annotations

import json

from refengine.rulefile.loader import load
from refengine.rulefile.result import validation_json, validation_summary, validation_text
from tests.rulefile.loading import loaded, rule

FOLDED = """\
- rule: broken
  desc: d
  output: o
  priority: INFO
  condition: >
    evt.type = open and
    proc.name = and (evt.num > 1
"""


def test_a_file_without_faults_is_ok() -> None:
    result = loaded(rule(), rule(name="s", extra="x"))
    assert validation_text(result).splitlines()[:3] == [
        "1.yaml: Ok",
        "2.yaml: Ok, with warnings",
        "1 Warnings:",
    ]


def test_a_fault_is_shown_with_its_line_and_a_caret() -> None:
    assert validation_text(loaded(FOLDED)) == (
        "1.yaml: Invalid\n"
        "1 Errors:\n"
        "1.yaml:7:21: error: expected 'and' or 'or', found '(' [LOAD_ERR_COMPILE_CONDITION]\n"
        "  in rule 'broken', condition expression 'evt.type = open a...'\n"
        "  7 |     proc.name = and (evt.num > 1\n"
        "    |                     ^"
    )


def test_a_summary_names_the_codes() -> None:
    result = loaded("- {list: l, extra: 1}")
    assert validation_summary(result.files[0]).splitlines() == [
        "1.yaml: Invalid",
        " 1 errors: [LOAD_ERR_YAML_VALIDATE (Error validating internal structure of YAML file)]",
        " 1 warnings: [LOAD_UNKNOWN_KEY (Unknown key in item definition)]",
    ]


def test_the_json_has_the_usual_shape() -> None:
    line = validation_json(loaded(FOLDED))
    assert "\n" not in line
    assert json.loads(line) == {
        "falco_load_results": [
            {
                "name": "1.yaml",
                "successful": False,
                "warnings": [],
                "errors": [
                    {
                        "code": "LOAD_ERR_COMPILE_CONDITION",
                        "codedesc": "Error compiling condition",
                        "message": "expected 'and' or 'or', found '('",
                        "context": {
                            "snippet": "    proc.name = and (evt.num > 1\n                    ^\n",
                            "locations": [
                                location("rules content", "", 0, 0, 0),
                                location("rule", "broken", 0, 2, 2),
                                location("rule condition", "", 5, 4, 73),
                                location("condition expression", "", 6, 20, 113, '"evt.type = open a..."'),
                            ],
                        },
                    }
                ],
            }
        ]
    }


def location(
    kind: str, name: str, line: int, column: int, offset: int, file: str = "1.yaml"
) -> dict[str, object]:
    position = {"name": file, "line": line, "column": column, "offset": offset}
    return {"item_type": kind, "item_name": name, "position": position}


def test_a_file_that_cannot_be_read_is_in_the_json() -> None:
    (file,) = json.loads(validation_json(load(["/nonexistent.yaml"])))["falco_load_results"]
    (error,) = file["errors"]
    assert error["code"] == "LOAD_ERR_FILE_READ"
    assert error["context"]["locations"][0]["position"]["name"] == "/nonexistent.yaml"
    assert error["context"]["snippet"] == "<No context available>\n"


def test_long_lines_are_cut_around_the_fault() -> None:
    long = "- rule: " + "x" * 300 + "\n- &a [*" + "b" * 10 + ", " + "y" * 300 + "]\n"
    (file,) = json.loads(validation_json(loaded(long)))["falco_load_results"]
    line, caret, _ = file["errors"][0]["context"]["snippet"].split("\n")
    assert len(line) <= 160
    assert line[caret.index("^") :].startswith("*bbb")
    assert line.endswith("...")
