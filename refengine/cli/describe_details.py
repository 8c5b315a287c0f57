"""What a rule, a macro or a list uses: the facts behind `-L` in JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from refengine.condition.check import Checker
from refengine.condition.event_types import event_types
from refengine.condition.nodes import (
    ArgumentList,
    Comparison,
    Exists,
    FieldRef,
    FieldValue,
    Identifier,
    Literal,
    LiteralList,
    MacroUse,
    Node,
    TransformerCall,
    walk,
)
from refengine.condition.parser import parse
from refengine.condition.printer import print_condition, print_operand
from refengine.errors import ConditionError
from refengine.fields.catalogue import CATALOGUE, K8S_AUDIT
from refengine.fields.reading import EVENT_NAMES
from refengine.fields.static import StaticFields
from refengine.recursion import deep_recursion
from refengine.rulefile.definitions import Entry, ListDefinition, MacroDefinition
from refengine.rulefile.loader import LoadResult
from refengine.rulefile.options import SOURCES
from refengine.rulefile.rule import Rule
from refengine.source import Text

Record: TypeAlias = "dict[str, object]"

_PLUGINS = {"container": "container", "k8s": "container", "ka": "k8saudit", "jevt": "json", "json": "json"}
"""The plugin of Falco that brings the fields of a class."""


@dataclass(slots=True)
class _Used:
    """What a condition uses, each by name."""

    macros: set[str] = field(default_factory=set)
    lists: set[str] = field(default_factory=set)
    operators: set[str] = field(default_factory=set)
    fields: set[str] = field(default_factory=set)


class Describer:
    """Describes what one load has read."""

    def __init__(self, result: LoadResult) -> None:
        self._result = result
        self._list_names = frozenset(each.name for each in result.list_definitions)

    def rule(self, rule: Rule) -> Record:
        """Return the description of a rule.

        Macros and lists are those that its own condition names; operators and fields are those of the condition
        with everything put in.
        """
        definition = rule.definition
        written = self._used(_parsed(definition.condition), macros=True)
        compiled = self._used(rule.tree)
        output = rule.output.text.value.removeprefix("*")
        fields = sorted({part.key for part in rule.output.fields})
        exceptions = definition.exceptions
        return {
            "info": {
                "name": rule.name,
                "condition": definition.condition.value,
                "priority": rule.priority.label,
                "output": definition.output.value,
                "description": rule.description,
                "enabled": rule.enabled,
                "source": rule.source,
                "capture": definition.capture,
                "capture_duration": definition.capture_duration,
                "tags": list(rule.tags),
            },
            "details": {
                "macros": sorted(written.macros),
                "lists": sorted(written.lists),
                "condition_operators": sorted(compiled.operators),
                "condition_fields": sorted(compiled.fields),
                "output_fields": fields,
                "exception_names": sorted(each.name for each in exceptions),
                "exception_fields": sorted({name for each in exceptions for name in _entries(each.fields)}),
                "exception_operators": sorted({name for each in exceptions for name in _entries(each.comps)}),
                "events": sorted(rule.event_types),
                "condition_compiled": print_condition(rule.tree),
                "output_compiled": output,
                "plugins": _plugins({*compiled.fields, *fields}, rule.source),
            },
        }

    def macro(self, macro: MacroDefinition) -> Record:
        """Return the description of a macro; one with a fault that no rule minds has no compiled condition."""
        table = self._result.macros
        written = self._used(_parsed(macro.condition), macros=True)
        body = table.body(macro.name)
        compiled = self._used(body)
        return {
            "info": {"name": macro.name, "condition": macro.condition.value},
            "details": {
                "used": macro.name in table.used,
                "macros": sorted(written.macros),
                "lists": sorted(written.lists),
                "condition_operators": sorted(compiled.operators),
                "condition_fields": sorted(compiled.fields),
                "events": sorted(_events(body, self._result.static_fields)),
                "condition_compiled": "" if body is None else print_condition(body),
                "plugins": _plugins(compiled.fields),
            },
        }

    def list(self, definition: ListDefinition) -> Record:
        """Return the description of a list."""
        table = self._result.lists
        items = [item.value for item in definition.items]
        return {
            "info": {"name": definition.name, "items": items},
            "details": {
                "used": definition.name in table.used,
                "lists": sorted(set(items) & self._list_names),
                "items_compiled": list(table.items(definition.name)),
                "plugins": [],
            },
        }

    def _used(self, node: Node | None, *, macros: bool = False) -> _Used:
        """Return what a condition uses; with `macros` only what it names itself, not what they stand for."""
        used = _Used()
        if node is None:
            return used
        with deep_recursion():
            for part in walk(node):
                if isinstance(part, Identifier | MacroUse):
                    used.macros.add(part.name)
                elif isinstance(part, Exists):
                    used.operators.add("exists")
                    used.fields.update(_fields(part.left))
                elif isinstance(part, Comparison):
                    used.operators.add(part.operator)
                    used.fields.update(_fields(part.left))
                    used.fields.update(_fields(part.right))
                    used.lists.update(self._lists(part) if macros else ())
        return used

    def _lists(self, comparison: Comparison) -> Iterator[str]:
        right = comparison.right
        items = right.items if isinstance(right, LiteralList) else (right,)
        for item in items:
            if isinstance(item, Literal) and item.value in self._list_names:
                yield item.value


def _parsed(text: Text) -> Node | None:
    """Return the tree of a condition as written, None where only the lists in it make it one."""
    try:
        return parse(text)
    except ConditionError:
        return None


def _fields(
    operand: FieldRef | TransformerCall | Literal | ArgumentList | LiteralList | FieldValue,
) -> Iterator[str]:
    if isinstance(operand, FieldRef):
        yield print_operand(operand)
    elif isinstance(operand, FieldValue):
        yield print_operand(operand.ref)
    elif isinstance(operand, TransformerCall):
        for argument in operand.arguments:
            yield from _fields(argument)
    elif isinstance(operand, ArgumentList):
        for item in operand.items:
            yield from _fields(item)


def _events(body: Node | None, static_fields: StaticFields) -> Iterable[str]:
    """Return the event types that a macro's condition can match, on events of whichever source has its fields."""
    if body is None:
        return ()
    for source in sorted(SOURCES, reverse=True):
        condition = Checker(source, static_fields).check(body, Text.of("")).condition
        if condition is not None:
            return event_types(condition)
    return EVENT_NAMES


def _entries(entry: Entry) -> list[str]:
    if entry.is_list:
        return [name for item in entry.items for name in _entries(item)]
    return [entry.text.value] if entry.is_given else []


def _plugins(fields: Iterable[str], source: str = "") -> list[str]:
    found = {"k8saudit"} if source == K8S_AUDIT else set()
    for name in fields:
        known = CATALOGUE.get(name.partition("[")[0])
        plugin = None if known is None else _PLUGINS.get(known.field_class)
        if plugin is not None:
            found.add(plugin)
    return sorted(found)
