"""Doubts about a condition that is valid: values that look like fields, needless expressions, old fields."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from refengine.condition import nodes, typed
from refengine.condition.vocabulary import FIELD_VALUE, TRANSFORMERS
from refengine.errors import Code
from refengine.fields.catalogue import CATALOGUE
from refengine.fields.reading import FieldRead

_CALL = re.compile(rf"(?:{'|'.join((*TRANSFORMERS, FIELD_VALUE))})\(.*\)(?:\[[^\]]*\])?", re.DOTALL)
_FIELD = re.compile(r"([a-zA-Z]\w*(?:\.[a-zA-Z]\w*)+)(?:\[[^\]]+\])?", re.ASCII)
_EDGE = re.compile(r"\^?(?:\.[*+?])*(.*?)(?:\.[*+?])*\$?", re.DOTALL)
_SPECIAL = re.compile(r"[.^$*+?()\[\]{}|\\]")
_ABSENT = "<NA>"
_NA_OPERATORS = frozenset({"=", "==", "!=", "in", "intersects", "pmatch"})


class Advice(NamedTuple):
    """A doubt, with the code of the warning that tells it."""

    code: Code
    message: str


def advice_on(
    left: FieldRead | typed.Transform, operator: str | None = None, item: nodes.Literal | None = None
) -> Iterator[Advice]:
    """Yield the doubts about an operand, or about one value that it is compared with."""
    if item is None or operator is None:
        for read in typed.operand_fields(left):
            if read.field.is_deprecated:
                yield Advice(Code.DEPRECATED_ITEM, f"field '{read.key}' is deprecated")
        return
    value = item.value
    found = _FIELD.fullmatch(value)
    if found is not None and found[1] in CATALOGUE:
        yield Advice(
            Code.CONDITION_WARNING,
            f"'{value}' is compared as text, but it is also a field; write val({value}) to compare with its value",
        )
    elif _CALL.fullmatch(value):
        yield Advice(
            Code.CONDITION_WARNING, f"'{value}' is compared as text, but it looks like a transformer"
        )
    if operator == "regex" and is_plain(value):
        yield Advice(
            Code.CONDITION_WARNING,
            f"regex '{value}' does no more than '=', 'contains', 'startswith' or 'endswith', which are faster",
        )
    if value == _ABSENT and operator in _NA_OPERATORS:
        for read in typed.operand_fields(left):
            if read.field.name.startswith(("ka.", "jevt.")):
                yield Advice(
                    Code.UNSAFE_NA_CHECK,
                    f"'{read.key}' is never '{_ABSENT}'; an absent value compares false, so ask with 'exists'",
                )


def is_plain(pattern: str) -> bool:
    """Return whether an expression has nothing special but anchors, or any text, at its ends."""
    found = _EDGE.fullmatch(pattern)
    return found is not None and not _SPECIAL.search(found[1])
