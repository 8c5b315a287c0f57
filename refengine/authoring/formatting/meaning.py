"""What a rules file says, apart from its layout: equal for two texts of the same meaning and the same comments."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from refengine.condition.parser import parse
from refengine.errors import ConditionError, Diagnostic
from refengine.rulefile.context import Context
from refengine.rulefile.reader import read_statements
from refengine.rulefile.yaml import Node, Scalar, Sequence, read_documents
from refengine.source import Place, Source, Text

_COMMENT = re.compile(r"(?:^|(?<=\s))#.*", re.MULTILINE)


def meaning(source: Source) -> tuple[Any, ...]:
    """Return what a file says: its statements, what is wrong with it, and its comments.

    :raises RulesError: where it is no YAML.
    """
    report: list[Diagnostic] = []
    documents = read_documents(source)
    statements = [_plain(statement) for statement in read_statements(documents, source, report)]
    faults = Counter((found.code, found.message) for found in report)
    return statements, faults, Counter(comment.rstrip() for comment in _comments(source, documents))


def _plain(value: Any, name: str = "") -> Any:
    if isinstance(value, Context | Place):
        return None
    if isinstance(value, Text):
        return _condition(value) if name == "condition" else value.value
    if is_dataclass(value) and not isinstance(value, type):
        # Statements and what is in them.
        return (
            type(value).__name__,
            tuple((field.name, _plain(getattr(value, field.name), field.name)) for field in fields(value)),
        )
    if isinstance(value, tuple | list):
        return tuple(_plain(item, name) for item in value)
    return value


def _condition(text: Text) -> Any:
    """Return the tree of a condition, which has no blanks, or the text without blanks at its ends where there is none."""
    try:
        return parse(text)
    except ConditionError:
        return text.value.strip()


def _comments(source: Source, documents: tuple[Node, ...]) -> Iterator[str]:
    spans = sorted((node.span.start, node.span.end) for root in documents for node in scalars(root))
    at = 0
    kept = []
    for start, end in spans:
        kept.append(source.text[at : max(at, start)])
        at = max(at, _content_end(source.text, start, end))
    kept.append(source.text[at:])
    for part in kept:
        yield from _COMMENT.findall(part)


def _content_end(text: str, start: int, end: int) -> int:
    """Return where a scalar's own text ends; the mark of a block scalar may stand behind comments."""
    return start + len(text[start:end].rstrip())


def scalars(root: Node) -> Iterator[Scalar]:
    """Yield every scalar below a node."""
    pending = [root]
    while pending:
        node = pending.pop()
        if isinstance(node, Scalar):
            yield node
        elif isinstance(node, Sequence):
            pending.extend(node.items)
        else:
            pending.extend(part for pair in node.pairs for part in pair)
