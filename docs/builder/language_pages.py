"""The reference of operators and transformers, from their tables and the sentences of the specification."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from builder.clauses import Clause
from builder.markdown import code, page, table
from refengine.condition import types
from refengine.condition.transformers import TRANSFORMERS, Transformer
from refengine.condition.vocabulary import MODIFIERS, OPERATORS
from refengine.values import ValueType

_GROUPS = (types.NUMBERS, types.BOOLEANS, types.STRINGS, types.BUFFERS, types.ADDRESSES)

_CLAUSES: Mapping[str, tuple[str, ...]] = {
    "=": ("op.eq",),
    "==": ("op.eq",),
    "!=": ("op.ne",),
    **dict.fromkeys(("<", "<=", ">", ">="), ("op.order",)),
}
"""Where the specification speaks of operators that are no words; those that are words have their own anchors."""


def operators_page(clauses: Mapping[str, Clause]) -> str:
    """Return the page of operators and modifiers."""
    fits = [
        [code(operator), *("✓" if _fits(operator, group) else "" for group in _GROUPS), _on_lists(operator)]
        for operator in OPERATORS
    ]
    modified = [
        [group.name, ", ".join(code(name) for name in OPERATORS if name in _modifiable(group)) or "none"]
        for group in _GROUPS
    ]
    meanings: dict[tuple[str, ...], list[str]] = {}
    for operator in OPERATORS:
        meanings.setdefault(_CLAUSES.get(operator, (f"op.{operator}",)), []).append(operator)
    parts = []
    for stems, operators in meanings.items():
        parts += [f"### {', '.join(map(code, operators))}", _sentences(clauses, stems)]
    return page(
        "Operators",
        "The twenty operators of conditions, from the tables that the engine itself follows. "
        "[Chapter 4](../spec/04-operators.md) of the specification has the whole text.",
        "## Which fits which type",
        table(("operator", *(group.name for group in _GROUPS), "lists"), fits),
        "In rules of the source `k8s_audit` the operators of text fit lists, too. Values of other types have `exists` only.",
        "## What each means",
        *parts,
        "## Modifiers",
        "They stand between an operator and a list, and say how many of its constants must compare: "
        "`fd.name startswith anyof (/etc, /usr)`.",
        table(("types", "operators that take modifiers"), modified),
        *(f"### {code(name)}\n\n{_sentences(clauses, (f'op.mod.{name}',))}" for name in MODIFIERS),
    )


def transformers_page(clauses: Mapping[str, Clause]) -> str:
    """Return the page of transformers."""
    rows = [
        (
            f"[{code(row.name)}](#{row.name})",
            _types(row.takes),
            _gives(row),
            "one" if row.is_unary else "several",
        )
        for row in TRANSFORMERS.values()
    ]
    return page(
        "Transformers",
        "Functions of a field's value, `tolower(proc.name) = curl`. [Chapter 6](../spec/06-transformers.md) of the "
        "specification has the whole text.",
        table(("transformer", "takes", "gives", "arguments"), rows),
        *(f"## {code(name)}\n\n{_sentences(clauses, (f'tr.{name}',))}" for name in TRANSFORMERS),
        "## `val`",
        "`val(field)` on the right-hand side of a comparison is that field's value: `proc.name = val(proc.pname)`. "
        "[Chapter 7](../spec/07-field-to-field.md) is about it.",
    )


def _fits(operator: str, group: types.Group) -> bool:
    return operator == "exists" or operator in group.operators


def _on_lists(operator: str) -> str:
    return "✓" if operator == "exists" or operator in types.LIST_OPERATORS else ""


def _modifiable(group: types.Group) -> frozenset[str]:
    """Return the operators that take modifiers on a group's types: those that compare with one constant."""
    several = {"exists", "in", "intersects", "pmatch", "<", "<=", ">", ">="}
    return group.with_modifier - several


def _sentences(clauses: Mapping[str, Clause], stems: Iterable[str]) -> str:
    """Return the sentences whose anchors begin with one of `stems`, each with its anchor.

    :raises ValueError: when there is none, so that nothing is left without a meaning.
    """
    stems = tuple(stems)
    found = [
        clause
        for clause in clauses.values()
        if any(clause.anchor == stem or clause.anchor.startswith(f"{stem}.") for stem in stems)
    ]
    if not found:
        raise ValueError(f"the specification has no sentence for {', '.join(stems)}")
    return "\n\n".join(f"{clause.text} [{clause.anchor}]" for clause in found)


def _types(found: frozenset[ValueType]) -> str:
    return ", ".join(code(str(type)) for type in ValueType if type in found)


def _gives(row: Transformer) -> str:
    return "the type of its argument" if row.gives is None else code(str(row.gives))
