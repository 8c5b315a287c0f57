"""The broken rules files among the examples: each is refused, with the place of every fault."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from refengine.cli.main import main

BROKEN = sorted((Path(__file__).parents[2] / "examples" / "broken").glob("*.yaml"))

FAULTS = {
    "01-unknown-field": [(6, 5, "LOAD_ERR_COMPILE_CONDITION")],
    "02-operator-does-not-fit": [(4, 45, "LOAD_ERR_COMPILE_CONDITION")],
    "03-unclosed-parenthesis": [(6, 9, "LOAD_ERR_COMPILE_CONDITION")],
    "04-unclosed-quote": [(6, 31, "LOAD_ERR_COMPILE_CONDITION")],
    "05-undefined-macro": [(6, 14, "LOAD_ERR_VALIDATE")],
    "06-macro-loop": [(3, 36, "LOAD_ERR_VALIDATE")],
    "07-wrong-shape": [
        (3, 10, "LOAD_ERR_YAML_VALIDATE"),
        (4, 3, "LOAD_ERR_YAML_VALIDATE"),
        (7, 13, "LOAD_ERR_YAML_VALIDATE"),
    ],
    "08-broken-yaml": [(4, 7, "LOAD_ERR_YAML_PARSE")],
    "09-output": [
        (4, 46, "LOAD_ERR_COMPILE_CONDITION"),
        (5, 27, "LOAD_ERR_COMPILE_OUTPUT"),
        (5, 48, "LOAD_ERR_COMPILE_OUTPUT"),
    ],
    "10-exception-and-append": [(13, 3, "LOAD_ERR_VALIDATE"), (12, 12, "LOAD_ERR_VALIDATE")],
}
"""Line, column and code of every fault, by the file's name."""


def test_there_are_ten() -> None:
    assert [path.stem for path in BROKEN] == list(FAULTS)


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_text_shows_each_place_with_a_caret(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-V", str(path)]) == 1
    lines = capsys.readouterr().out.splitlines()
    for line, column, code in FAULTS[path.stem]:
        (at,) = [
            number
            for number, text in enumerate(lines)
            if text.startswith(f"{path}:{line}:{column}: error: ") and text.endswith(f"[{code}]")
        ]
        caret = next(text for text in lines[at:] if "^" in text)
        margin = caret.index("|") + 2
        assert caret.index("^") - margin == column - 1


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_json_has_each_place(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-o", "json_output=true", "-V", str(path)]) == 1
    (result,) = json.loads(capsys.readouterr().out)["falco_load_results"]
    assert not result["successful"]
    found = [
        (
            error["context"]["locations"][-1]["position"]["line"] + 1,
            error["context"]["locations"][-1]["position"]["column"] + 1,
            error["code"],
        )
        for error in result["errors"]
    ]
    assert found == FAULTS[path.stem]
