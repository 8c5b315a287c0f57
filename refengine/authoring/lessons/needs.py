"""What a solution must have beside passing tests: that it uses what the lesson is about.

Needs look at what rules say, never at how they are laid out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from refengine.authoring.lessons.lesson import Need
from refengine.authoring.linting.checks import lint
from refengine.condition.nodes import Comparison, Exists, FieldValue, MacroUse, Node, TransformerCall, walk
from refengine.condition.parser import parse
from refengine.condition.printer import print_condition
from refengine.rulefile.loader import LoadResult, load
from refengine.source import Source


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """What a learner has written: the rules files in their order, loaded, and which of them is the learner's.

    `original` is that file as it was at the start.
    """

    files: tuple[Source, ...]
    own: Source
    result: LoadResult
    original: str


Ask = Callable[[Work, "frozenset[str]"], bool]
"""Says whether work has something; the names are what a need is about, none meaning any."""


def unmet(needs: tuple[Need, ...], work: Work) -> Iterator[Need]:
    """Yield the needs that work does not meet."""
    for need in needs:
        if not NEEDS[need.kind](work, frozenset(need.of)):
            yield need


def _nodes(work: Work) -> Iterator[Node]:
    for rule in work.result.rules:
        yield from walk(rule.tree)


def _operator(work: Work, names: frozenset[str]) -> bool:
    used = {node.operator for node in _nodes(work) if isinstance(node, Comparison)}
    if any(isinstance(node, Exists) for node in _nodes(work)):
        used.add("exists")
    return bool(used & names)


def _no_operator(work: Work, names: frozenset[str]) -> bool:
    return not _operator(work, names)


def _macro(work: Work, names: frozenset[str]) -> bool:
    used = {node.name for node in _nodes(work) if isinstance(node, MacroUse)}
    return bool(used & names if names else used)


def _list(work: Work, names: frozenset[str]) -> bool:
    used = work.result.lists.used
    return names <= used if names else bool(used)


def _fewer_items(work: Work, names: frozenset[str]) -> bool:
    """Return whether the lists named hold other lists instead of repeating their items."""
    lists = {definition.name: definition for definition in work.result.list_definitions}
    return all(name in lists and any(item.value in lists for item in lists[name].items) for name in names)


def _transformer(work: Work, names: frozenset[str]) -> bool:
    return any(
        isinstance(side, TransformerCall) and side.name in names
        for node in _nodes(work)
        if isinstance(node, Comparison)
        for side in (node.left, node.right)
    )


def _field_to_field(work: Work, _names: frozenset[str]) -> bool:
    return any(isinstance(node, Comparison) and isinstance(node.right, FieldValue) for node in _nodes(work))


def _exception(work: Work, names: frozenset[str]) -> bool:
    there = {
        exception.name
        for rule in work.result.rule_definitions
        for exception in rule.exceptions
        if exception.values
    }
    return bool(there & names if names else there)


def _single_exception(work: Work, _names: frozenset[str]) -> bool:
    return any(
        exception.values and not exception.fields.is_list
        for rule in work.result.rule_definitions
        for exception in rule.exceptions
    )


def _same_condition(work: Work, names: frozenset[str]) -> bool:
    """Return whether the rules named have the condition that they were handed out with."""
    before = _conditions(load([*work.files[: work.files.index(work.own)], Source("original", work.original)]))
    now = _conditions(work.result)
    return all(name in before and before[name] == now.get(name) for name in names)


def _conditions(result: LoadResult) -> dict[str, str]:
    return {
        definition.name: print_condition(parse(definition.condition))
        for definition in result.rule_definitions
    }


def _not_anew(work: Work, names: frozenset[str]) -> bool:
    """Return whether the rules named are still those of the file of others, changed or not."""
    first = {rule.name: rule.history[0].place.source for rule in work.result.rule_definitions}
    return all(name in first and first[name] is not work.own for name in names)


def _clean(work: Work, names: frozenset[str]) -> bool:
    """Return whether `refengine lint` finds nothing in the learner's file, or nothing by the checks named."""
    return not any(
        found.place is not None and found.place.source.name == work.own.name
        for found in lint(work.files, names or None)
    )


def _requires(work: Work, names: frozenset[str]) -> bool:
    plugins = (plugin for item in work.result.plugin_requirements for plugin in item.alternatives)
    there = {f"{plugin.name} {plugin.version}" for plugin in plugins}
    there.update(f"engine {item.version}" for item in work.result.engine_requirements)
    return names <= there


NEEDS: Mapping[str, Ask] = MappingProxyType(
    {
        "operator": _operator,
        "no operator": _no_operator,
        "macro": _macro,
        "list": _list,
        "list in list": _fewer_items,
        "transformer": _transformer,
        "field to field": _field_to_field,
        "exception": _exception,
        "exception of one field": _single_exception,
        "same condition": _same_condition,
        "not anew": _not_anew,
        "clean": _clean,
        "requirement": _requires,
    }
)
"""What needs can be about."""
