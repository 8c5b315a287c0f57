"""Tests that stand for several: every `{name}` in one is replaced by the value that a row gives to the name.

A text that is nothing but `{name}` becomes the value itself, which may be a list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Mapping as ReadOnlyMapping
from dataclasses import replace

from refengine.authoring.testing.format import Form
from refengine.rulefile.yaml import Mapping, Node, Scalar, Sequence

_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")

EACH = "each"
"""The key of the rows."""


def instances(case: Mapping, form: Form) -> Iterator[tuple[Mapping, str]]:
    """Yield the mappings that a case stands for, each with what tells it from the others (nothing for one alone)."""
    rows = case.by_key.get(EACH)
    if rows is None:
        yield case, ""
        return
    names: set[str] = set()
    for row in form.several(rows, "'each'"):
        if form.mapping(row, "a row of 'each'", ()) is None or not isinstance(row, Mapping):
            continue
        if names and names != set(row.by_key):
            form.fault(row, f"this row gives {_listed(row.by_key)}, the first one {_listed(names)}")
            continue
        names = names or set(row.by_key)
        used: set[str] = set()
        filled = _filled(case, row.by_key, used)
        for unused in sorted(names - used):
            form.fault(row, f"nothing in the test says {{{unused}}}, so the rows make no difference by it")
        assert isinstance(filled, Mapping)
        yield filled, ", ".join(_shown(value) for value in row.by_key.values())


def _filled(node: Node, values: ReadOnlyMapping[str, Node], used: set[str]) -> Node:
    if isinstance(node, Scalar):
        return _scalar(node, values, used)
    if isinstance(node, Sequence):
        return replace(node, items=tuple(_filled(item, values, used) for item in node.items))
    pairs = tuple(
        (key, value if isinstance(key, Scalar) and key.value == EACH else _filled(value, values, used))
        for key, value in node.pairs
    )
    by_key: dict[str, Node] = {}
    for key, value in pairs:
        if isinstance(key, Scalar):
            by_key.setdefault(key.value, value)
    return Mapping(pairs, by_key, node.source, node.span)


def _scalar(node: Scalar, values: ReadOnlyMapping[str, Node], used: set[str]) -> Node:
    whole = _PLACEHOLDER.fullmatch(node.value)
    if whole is not None and whole[1] in values:
        used.add(whole[1])
        return values[whole[1]]
    if "{" not in node.value:
        return node

    def value_of(found: re.Match[str]) -> str:
        if found[1] not in values:
            return found[0]
        used.add(found[1])
        return _shown(values[found[1]])

    return replace(node, value=_PLACEHOLDER.sub(value_of, node.value))


def _shown(node: Node) -> str:
    if isinstance(node, Scalar):
        return "~" if node.is_null else node.value
    if isinstance(node, Sequence):
        return f"[{', '.join(map(_shown, node.items))}]"
    return "{…}"


def _listed(names: object) -> str:
    assert isinstance(names, ReadOnlyMapping | set)
    return ", ".join(f"'{name}'" for name in sorted(names)) or "nothing"
