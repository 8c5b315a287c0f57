"""Comparisons in words: what was written, what the event had, and why that gives the verdict."""

from __future__ import annotations

import json
from dataclasses import dataclass

from refengine.condition.glob import Glob
from refengine.condition.networks import Network
from refengine.condition.nodes import Comparison, Exists
from refengine.condition.parser import parse
from refengine.condition.pathtree import PathTree
from refengine.condition.regex import Regex
from refengine.condition.trace import Trace
from refengine.condition.typed import Condition, Existence, Macro, Test, Transform, Written, walk
from refengine.errors import ConditionError
from refengine.fields.reading import FieldRead
from refengine.output.render import text_writer
from refengine.source import Place, Span, Text
from refengine.values import Format, Value, ValueType

_LISTED = 6
"""Values of lists that are shown at most."""

LONGEST = 120
"""Characters of a value, or of what was written, that are shown at most."""


@dataclass(frozen=True, slots=True)
class LeafWords:
    """A comparison in words. `reason` says what the event had; `kind` is the reason in one word, for programs."""

    written: str
    reason: str
    kind: str
    place: Place | None


def leaf_words(trace: Trace) -> LeafWords:
    """Return a comparison of a trace in words."""
    condition = trace.condition
    assert isinstance(condition, Test | Existence)
    written = written_text(condition)
    return LeafWords(written, _reason(trace, condition), _kind(trace, condition), place_of(condition))


def place_of(condition: Test | Existence) -> Place | None:
    """Return where a comparison was written; of one that an exception made, where the value stands."""
    written = condition.written
    if written is None:
        return None
    if _in_one_place(written) is not None:
        return written.place
    span = written.span
    start = max(piece.start for piece in written.text.pieces if piece.start < span.end)
    return written.text.place(Span(max(start, span.start), span.end))


def value_text(operand: FieldRead | Transform, value: Value | None) -> str:
    """Return the value of an operand as it is shown to people."""
    if value is None:
        return "absent"
    if isinstance(value, tuple):
        return shortened(f"({', '.join(value_text(operand, item) for item in value)})")
    if isinstance(value, str):
        return shortened(json.dumps(value, ensure_ascii=False))
    format = operand.field.format if isinstance(operand, FieldRead) else Format.NA
    text = text_writer(operand.type, format)(value)
    return shortened(json.dumps(text) if operand.type is ValueType.BYTEBUF else text)


def written_text(condition: Test | Existence) -> str:
    """Return a comparison as its author wrote it, in one line.

    Where its parts come from several places, as those of exceptions do, it is what they make together.
    """
    if condition.written is None:
        return condition.left.key
    whole = condition.written.text.value[condition.written.span.start : condition.written.span.end]
    return shortened(" ".join((_in_one_place(condition.written) or whole).split()))


def listed_values(condition: Condition) -> str:
    """Return the values that lists put into a comparison, the first of them, or nothing where all were written."""
    if not isinstance(condition, Test) or not isinstance(condition.right, tuple):
        return ""
    written = written_text(condition)
    values: list[str] = []
    for constant in condition.right:
        if isinstance(constant, PathTree):
            values.extend(constant.paths)
        elif isinstance(constant, Glob | Regex):
            values.append(constant.pattern)
        else:
            values.append(constant.text if isinstance(constant, Network) else str(constant))
    if len(values) < 2 or all(value in written for value in values):
        return ""
    more = len(values) - _LISTED
    return f"{', '.join(values[:_LISTED])}{f' and {more} more' if more > 0 else ''}"


def macro_place(macro: Macro) -> Place | None:
    """Return where the first comparison of a macro stands."""
    for part in walk(macro.body):
        if isinstance(part, Test | Existence):
            return place_of(part)
    return None


def shortened(text: str) -> str:
    """Return `text` without its middle where it is too long to read."""
    if len(text) <= LONGEST:
        return text
    return f"{text[: LONGEST // 2]} … {text[-LONGEST // 3 :]}"


def _in_one_place(written: Written) -> str | None:
    """Return what stands in the file, None where that is no comparison."""
    place = written.place
    text = place.source.text[place.span.start : place.span.end]
    try:
        node = parse(Text.of(text))
    except ConditionError:
        return None
    return text if isinstance(node, Comparison | Exists) else None


def _reason(trace: Trace, condition: Test | Existence) -> str:
    left = condition.left
    name = left.key if isinstance(left, FieldRead) else shortened(left.key)
    if trace.left is None:
        if isinstance(condition, Existence):
            return f"{name} is absent"
        return f"{name} is absent, and comparing an absent value is false"
    verb = "are" if isinstance(trace.left, tuple) else "is"
    said = f"{name} {verb} {value_text(left, trace.left)}"
    if isinstance(condition, Test) and not isinstance(condition.right, tuple):
        right = condition.right
        return f"{said}, {shortened(right.key)} is {value_text(right, trace.right)}"
    return said


def _kind(trace: Trace, condition: Test | Existence) -> str:
    if not trace.reached:
        return "short-circuited"
    if trace.left is None:
        return "absent"
    if isinstance(condition, Test) and not isinstance(condition.right, tuple) and trace.right is None:
        return "absent"
    return "holds" if trace.holds else "differs"
