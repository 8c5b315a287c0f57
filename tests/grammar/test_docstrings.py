"""Every method of the parser that stands for a production says that production in its docstring, word for word."""

from __future__ import annotations

import re
from pathlib import Path

from refengine.condition.operand_parser import OperandParser
from refengine.condition.parser import Parser
from refengine.grammar.notation import productions

GRAMMAR = productions(Path(__file__).resolve().parents[2] / "grammar" / "condition.ebnf")

TOKENS = {
    "BareArgument", "BareString", "Blank", "Decimal", "End", "Escape", "FieldName", "HexDigit", "HexNumber",
    "Identifier", "QuotedString", "Space",
}  # fmt: skip
"""Read by the scanner, whose patterns the recogniser's tests compare with the grammar."""

ELSEWHERE = {"StringOperator", "TransformerName", "ArgumentList"}
"""Lists of words, which the parser takes from the vocabulary, and the list that the method of `Argument` reads."""


def documented() -> dict[str, str]:
    found = {}
    for method in (vars(OperandParser) | vars(Parser)).values():
        text = " ".join((getattr(method, "__doc__", None) or "").split())
        match = re.match(r"([A-Z][A-Za-z]*) ::= (.*)", text)
        if match is not None:
            found[match[1]] = match[2]
    return found


def test_the_docstrings_are_the_productions() -> None:
    for name, text in documented().items():
        assert text.rstrip(".").split("*, before")[0] in (GRAMMAR[name], GRAMMAR[name][:-1]), name


def test_every_production_has_its_method() -> None:
    assert set(GRAMMAR) - TOKENS - ELSEWHERE == set(documented())
