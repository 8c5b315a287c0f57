"""Checks of what the language has given up, with fixes where the meaning stays the same."""

from __future__ import annotations

from collections.abc import Iterator

from refengine.authoring.explaining.provenance import items_of
from refengine.authoring.finding import Edit, Finding, Severity
from refengine.authoring.linting.subject import Subject
from refengine.condition.nodes import (
    And,
    Comparison,
    Exists,
    FieldRef,
    FieldValue,
    Literal,
    Node,
    Operand,
    TransformerCall,
    walk,
)
from refengine.fields.catalogue import CATALOGUE
from refengine.rulefile.yaml import Mapping, Scalar
from refengine.source import Place, Span, Text

_EXIT = "<"


def deprecated_field(subject: Subject) -> Iterator[Finding]:
    """Yield fields that rules should no longer use; `evt.dir = <`, which always holds, can be taken away."""
    for owner, text, tree in subject.written_conditions():
        fixes = {
            id(child): edit
            for node in walk(tree)
            if isinstance(node, And)
            for child, edit in _droppable(node, text)
        }
        for node in walk(tree):
            if isinstance(node, Comparison | Exists):
                for ref in _fields(node):
                    yield from _outdated(ref, owner, text, fixes.get(id(node), ()))
    for rule in subject.rules:
        for part in rule.output.fields:
            name = part.key.split("[")[0]
            if name in CATALOGUE and CATALOGUE[name].is_deprecated:
                yield Finding(
                    "deprecated-field",
                    Severity.WARNING,
                    f"field '{part.key}' is deprecated (in the output of rule '{rule.name}')",
                    rule.output.text.place(part.span),
                    rule=rule.name,
                )


def _outdated(ref: FieldRef, owner: str, text: Text, fix: tuple[Edit, ...]) -> Iterator[Finding]:
    field = CATALOGUE.get(ref.name)
    if field is None or not field.is_deprecated:
        return
    suggestion = None
    if ref.name == "evt.dir":
        suggestion = (
            "leave it out: all events are those of the end of a call, so that 'evt.dir = <' always holds"
        )
    yield Finding(
        "deprecated-field",
        Severity.WARNING,
        f"field '{ref.name}' is deprecated (in {owner})",
        text.place(ref.span),
        suggestion=suggestion,
        fix=fix,
    )


def _droppable(node: And, text: Text) -> Iterator[tuple[Node, tuple[Edit, ...]]]:
    """Yield the parts of a conjunction that always hold, with the edit that takes them out."""
    children = node.children
    droppable = [child for child in children if _is_exit(child)]
    if len(droppable) == len(children):
        return
    for at, child in enumerate(children):
        if child not in droppable:
            continue
        if at + 1 < len(children):
            span = Span(child.span.start, children[at + 1].span.start)
        else:
            span = Span(children[at - 1].span.end, child.span.end)
        between = text.value[span.start : span.end].replace(_written(child, text), "", 1)
        place = text.place(span)
        found = place.source.text[place.span.start : place.span.end]
        # Only where nothing else stands there, brackets say, and the file has it in one piece.
        if between.split() == ["and"] and found.split() == text.value[span.start : span.end].split():
            yield child, (Edit(place.source, place.span, ""),)


def _is_exit(node: Node) -> bool:
    return (
        isinstance(node, Comparison)
        and isinstance(node.left, FieldRef)
        and node.left.name == "evt.dir"
        and node.operator in ("=", "==")
        and node.modifier is None
        and isinstance(node.right, Literal)
        and node.right.value == _EXIT
    )


def _written(node: Node, text: Text) -> str:
    return text.value[node.span.start : node.span.end]


def _fields(node: Comparison | Exists) -> Iterator[FieldRef]:
    yield from _operand_fields(node.left)
    if isinstance(node, Comparison):
        if isinstance(node.right, FieldValue):
            yield node.right.ref
        elif isinstance(node.right, TransformerCall):
            yield from _operand_fields(node.right)


def _operand_fields(operand: Operand) -> Iterator[FieldRef]:
    if isinstance(operand, FieldRef):
        yield operand
        return
    for argument in operand.arguments:
        if isinstance(argument, FieldRef | TransformerCall):
            yield from _operand_fields(argument)


def append_key(subject: Subject) -> Iterator[Finding]:
    """Yield `append: true`, which `override` says better: key by key."""
    sources = {
        context.place.source
        for definitions in (
            subject.result.list_definitions,
            subject.result.macro_definitions,
            subject.result.rule_definitions,
        )
        for definition in definitions
        for context in definition.history
    }
    for source in sorted(sources, key=lambda source: source.name):
        for mapping in items_of(source).values():
            value = mapping.by_key.get("append")
            if isinstance(value, Scalar) and value.value.lower() == "true":
                key = next(
                    key for key, _ in mapping.pairs if isinstance(key, Scalar) and key.value == "append"
                )
                yield Finding(
                    "append-key",
                    Severity.WARNING,
                    "'append: true' is deprecated",
                    Place(source, Span(key.span.start, value.span.end)),
                    suggestion="write under 'override' which keys are appended to",
                    fix=_override(mapping, key, value),
                )


def _override(mapping: Mapping, key: Scalar, value: Scalar) -> tuple[Edit, ...]:
    joined = [name for name in ("items", "condition", "exceptions") if name in mapping.by_key]
    if not joined or "override" in mapping.by_key:
        return ()
    text = f"override: {{{', '.join(f'{name}: append' for name in joined)}}}"
    return (Edit(mapping.source, Span(key.span.start, value.span.end), text),)
