"""From the nodes of a rules file to statements: lists, macros, rules and requirements.

Every fault of every item is reported; an item with a fault becomes `Unreadable`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeVar

from refengine.condition.scanner import BARE_STRING, IDENTIFIER
from refengine.errors import Code, Diagnostic
from refengine.priority import Priority
from refengine.rulefile.context import Context
from refengine.rulefile.definitions import (
    SYSCALL,
    ListDefinition,
    ListStatement,
    MacroDefinition,
    MacroStatement,
    RuleDefinition,
    RuleStatement,
    RuleToggle,
    RuleUpdate,
    Statement,
    Unreadable,
)
from refengine.rulefile.exception_reader import read_exceptions
from refengine.rulefile.keys import KeyReader, describe
from refengine.rulefile.overrides import Overrides, read_overrides
from refengine.rulefile.requirement_reader import read_engine, read_plugins
from refengine.rulefile.yaml import Mapping, Node, Scalar, Sequence
from refengine.source import Source, Text

T = TypeVar("T")

LIST_KEYS = ("list", "items", "append", "override")
MACRO_KEYS = ("macro", "condition", "append", "override")
RULE_KEYS = (
    "rule",
    "desc",
    "condition",
    "output",
    "priority",
    "source",
    "enabled",
    "tags",
    "exceptions",
    "capture",
    "capture_duration",
    "warn_evttypes",
    "skip-if-unknown-filter",
    "append",
    "override",
)

APPENDABLE = ("condition", "output", "desc", "tags", "exceptions")
REPLACEABLE = (
    *APPENDABLE,
    "priority",
    "enabled",
    "warn_evttypes",
    "skip-if-unknown-filter",
    "capture",
    "capture_duration",
)

_APPEND_IS_OLD = (
    "'append' is deprecated: write an entry under 'override' instead, such as 'condition: append'"
)
_BOTH_APPEND_AND_OVERRIDE = "'append' and 'override' exclude each other: write only 'override'"


def read_statements(
    documents: tuple[Node, ...], source: Source, report: list[Diagnostic]
) -> Iterator[Statement]:
    """Yield the statements of a file in order; faults and doubts go to `report`."""
    context = Context.of_file(source)
    for document in documents:
        if isinstance(document, Scalar) and document.is_null:
            continue
        if not isinstance(document, Sequence):
            where = context.child("rules content", "", document)
            report.append(
                where.diagnostic(
                    Code.YAML_VALIDATE,
                    "a rules file must be a list of items that start with '-',"
                    f" such as '- rule: ...', not {describe(document)}",
                )
            )
            continue
        for item in document.items:
            if isinstance(item, Scalar) and item.is_null:
                continue
            yield from _read_item(item, context, report)


def _read_item(item: Node, context: Context, report: list[Diagnostic]) -> Iterator[Statement]:
    here = context.child("rules content item", "", item)
    if not isinstance(item, Mapping):
        report.append(
            here.diagnostic(
                Code.YAML_VALIDATE,
                "an item must be a mapping such as 'rule: ...', 'macro: ...' or 'list: ...',"
                f" not {describe(item)}",
            )
        )
        return
    for key, reader in _READERS.items():
        if key in item.by_key:
            yield from reader(item, context, report)
            return
    keys = KeyReader(item, here, report)
    first = item.pairs[0][0] if item.pairs else item
    word = first.value if isinstance(first, Scalar) else ""
    keys.warn(
        Code.UNKNOWN_ITEM,
        "this item is none of those that a rules file may have, and is ignored",
        suggestion=f"'{word}' is none of: {', '.join(_READERS)}" if word else None,
    )


# Lists and macros


def _read_list(item: Mapping, parent: Context, report: list[Diagnostic]) -> Iterator[Statement]:
    keys, name = _named("list", item, parent, report)
    keys.check_keys(LIST_KEYS)
    _check_name(keys, name, BARE_STRING, Code.INVALID_LIST_NAME, "blanks, quotes, commas, '=' or brackets")
    items = keys.scalars("items")
    append = _read_append(keys, ("items",))
    if keys.faulty or items is None:
        yield Unreadable("list", name)
        return
    texts = tuple(scalar.text for scalar in items)
    yield ListStatement(ListDefinition(name, texts, (keys.context,)), append)


def _read_macro(item: Mapping, parent: Context, report: list[Diagnostic]) -> Iterator[Statement]:
    keys, name = _named("macro", item, parent, report)
    keys.check_keys(MACRO_KEYS)
    _check_name(
        keys, name, IDENTIFIER, Code.INVALID_MACRO_NAME, "anything but letters, digits and '_' after a letter"
    )
    condition = keys.scalar("condition")
    append = _read_append(keys, ("condition",))
    if keys.faulty or condition is None:
        yield Unreadable("macro", name)
        return
    yield MacroStatement(MacroDefinition(name, condition.text, (keys.context,)), append)


def _named(kind: str, item: Mapping, parent: Context, report: list[Diagnostic]) -> tuple[KeyReader, str]:
    """Return a reader of an item whose name stands under its kind, and the name ('' where it is faulty)."""
    anonymous = KeyReader(item, parent.child(kind, "", item), report)
    node = anonymous.scalar(kind)
    if node is None:
        return anonymous, ""
    return KeyReader(item, parent.child(kind, node.value, item), report), node.value


def _check_name(keys: KeyReader, name: str, pattern: re.Pattern[str], code: Code, forbidden: str) -> None:
    if name and pattern.fullmatch(name) is None:
        kind = keys.context.path[-1].kind
        keys.warn(
            code, f"no condition can name this {kind}: the name of a {kind} must not contain {forbidden}"
        )


def _read_append(keys: KeyReader, overridable: tuple[str, ...]) -> bool:
    """Return whether a list or a macro is to be appended to the earlier one."""
    append = keys.boolean("append") or False
    if append:
        keys.warn(Code.DEPRECATED_ITEM, _APPEND_IS_OLD)
    overrides = read_overrides(keys, overridable, overridable)
    if append and overrides:
        keys.error(_BOTH_APPEND_AND_OVERRIDE)
    return append or bool(overrides.append)


# Rules


def _read_rule(item: Mapping, parent: Context, report: list[Diagnostic]) -> Iterator[Statement]:
    keys, name = _named("rule", item, parent, report)
    keys.check_keys(RULE_KEYS)
    append = keys.boolean("append") or False
    if append:
        keys.warn(Code.DEPRECATED_ITEM, _APPEND_IS_OLD)
    overrides = read_overrides(keys, APPENDABLE, REPLACEABLE)
    if append and overrides:
        keys.error(_BOTH_APPEND_AND_OVERRIDE)
    statements: list[Statement]
    if not overrides and keys.faulty and "override" in keys:
        statements = []  # what the item was meant to be is not known
    elif overrides:
        statements = _read_overridden(keys, name, overrides)
    elif append:
        given = tuple(key for key in ("condition", "exceptions") if key in keys)
        statements = [_read_update(keys, name, given, append=True)]
    elif not any(key in keys for key in ("condition", "output", "desc", "priority")):
        statements = _read_toggle(keys, name)
    else:
        statements = _read_definition(keys, name)
    if keys.faulty and not any(isinstance(statement, RuleStatement) for statement in statements):
        statements = [Unreadable("rule", name)]
    yield from statements


def _read_toggle(keys: KeyReader, name: str) -> list[Statement]:
    enabled = keys.boolean("enabled", required=True)
    return [RuleToggle(name, _or(enabled, True), keys.context)]


def _read_definition(keys: KeyReader, name: str) -> list[Statement]:
    condition, output, description = keys.scalar("condition"), keys.scalar("output"), keys.scalar("desc")
    priority = _read_priority(keys, required=True)
    if priority is None:
        priority = Priority.DEBUG  # so that the rest of a rule whose priority is no good is looked at, too
    source = _read_source(keys)
    enabled, warn = keys.boolean("enabled"), keys.boolean("warn_evttypes")
    skip = keys.boolean("skip-if-unknown-filter")
    capture, duration = keys.boolean("capture"), keys.unsigned("capture_duration")
    tags = _read_tags(keys)
    exceptions = read_exceptions(keys, append=False)
    if condition is None or output is None or description is None:
        return []
    return [
        RuleStatement(
            RuleDefinition(
                name,
                condition.text,
                _stripped(output.text),
                description.value,
                priority,
                (keys.context,),
                source,
                _or(enabled, True),
                _or(warn, True),
                _or(skip, False),
                _or(capture, False),
                _or(duration, 0),
                tags or frozenset(),
                exceptions,
                faulty=keys.faulty,
            )
        )
    ]


def _read_overridden(keys: KeyReader, name: str, overrides: Overrides) -> list[Statement]:
    """Return the updates that `override` asks for: first what is appended, then what is replaced."""
    overrides.check_given(keys, REPLACEABLE)
    statements: list[Statement] = []
    for chosen, append in ((overrides.append, True), (overrides.replace, False)):
        if chosen:
            given = tuple(key for key in chosen if key in keys)
            statements.append(_read_update(keys, name, given, append=append))
    return statements


def _read_update(keys: KeyReader, name: str, chosen: tuple[str, ...], *, append: bool) -> RuleUpdate:
    def text(key: str) -> Text | None:
        node = keys.scalar(key) if key in chosen else None
        return None if node is None else node.text

    def truth(key: str) -> bool | None:
        return keys.boolean(key) if key in chosen else None

    description = text("desc")
    return RuleUpdate(
        name,
        append,
        keys.context,
        text("condition"),
        text("output"),
        None if description is None else description.value,
        _read_priority(keys, required=True) if "priority" in chosen else None,
        truth("enabled"),
        truth("warn_evttypes"),
        truth("skip-if-unknown-filter"),
        truth("capture"),
        keys.unsigned("capture_duration") if "capture_duration" in chosen else None,
        _read_tags(keys) if "tags" in chosen else None,
        read_exceptions(keys, append=append) if "exceptions" in chosen else None,
    )


def _read_priority(keys: KeyReader, *, required: bool) -> Priority | None:
    node = keys.scalar("priority", required=required)
    if node is None:
        return None
    try:
        return Priority.parse(node.value)
    except ValueError as fault:
        keys.error(str(fault), keys.context.child("rule priority", "", node))
        return None


def _read_source(keys: KeyReader) -> str:
    """Return the rule's event source; one that is given as nothing is that of a rule that gives none."""
    node = keys.mapping.by_key.get("source")
    if node is None or (isinstance(node, Scalar) and (node.is_null or not node.value)):
        return SYSCALL
    source = keys.scalar("source")
    return SYSCALL if source is None else source.value


def _read_tags(keys: KeyReader) -> frozenset[str] | None:
    tags = keys.scalars("tags", required=False)
    return None if tags is None else frozenset(tag.value for tag in tags)


def _stripped(text: Text) -> Text:
    """Return `text` without blanks at its ends."""
    value = text.value
    start = len(value) - len(value.lstrip(_BLANKS))
    end = max(start, len(value.rstrip(_BLANKS)))
    return text.substituted([(0, start, ""), (end, len(value), "")])


_BLANKS = " \t\n\r\f\v"


def _or(value: T | None, default: T) -> T:
    return default if value is None else value


_READERS = {
    "required_engine_version": read_engine,
    "required_plugin_versions": read_plugins,
    "list": _read_list,
    "macro": _read_macro,
    "rule": _read_rule,
}
"""The kinds of items by the key that tells them apart, in the order in which the keys are looked for."""
