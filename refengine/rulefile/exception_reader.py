"""Reading the `exceptions` of a rule."""

from __future__ import annotations

from refengine.errors import Code
from refengine.rulefile.context import Context
from refengine.rulefile.definitions import Entry, ExceptionDefinition
from refengine.rulefile.keys import KeyReader, describe
from refengine.rulefile.yaml import Mapping, Node, Scalar, Sequence
from refengine.source import Text

EXCEPTION_KEYS = ("name", "fields", "comps", "values")

NOTHING = Entry(Text("", lambda: ()))
"""An entry that is not given."""

_DEPTH = 2


def read_exceptions(keys: KeyReader, *, append: bool) -> tuple[ExceptionDefinition, ...]:
    """Return the exceptions that the item gives; `append` when they are for an earlier rule."""
    node = keys.mapping.by_key.get("exceptions")
    if node is None or (isinstance(node, Scalar) and node.is_null):
        return ()
    if not isinstance(node, Sequence):
        keys.error(
            f"'exceptions' must be a list of mappings such as '- name: ...', not {describe(node)}",
            keys.context.child("exceptions", "", node),
        )
        return ()
    found: dict[str, ExceptionDefinition] = {}
    exceptions = []
    for item in node.items:
        exception = _read_exception(keys, item, append)
        if exception is None:
            keys.faulty = True
            continue
        if exception.name in found:
            keys.warn(
                Code.EXCEPTION_NAME_NOT_UNIQUE,
                f"the rule has more than one exception named '{exception.name}'",
                exception.context,
            )
        found[exception.name] = exception
        exceptions.append(exception)
    return tuple(exceptions)


def _read_exception(keys: KeyReader, item: Node, append: bool) -> ExceptionDefinition | None:
    if not isinstance(item, Mapping):
        keys.error(
            f"an exception must be a mapping with 'name', 'fields' and 'values', not {describe(item)}",
            keys.context.child("exception", "", item),
        )
        return None
    anonymous = keys.of(item, keys.context.child("exception", "", item))
    name = anonymous.scalar("name")
    label = "" if name is None else name.value
    reader = keys.of(item, keys.context.child("exception", label, item))
    reader.check_keys(EXCEPTION_KEYS)
    fields = _read_entry(reader, "fields", required=not append)
    comps = _read_entry(reader, "comps", required=False)
    values = _read_values(reader, append)
    if name is None or reader.faulty:
        return None
    return ExceptionDefinition(label, fields, comps, values, reader.context)


def _read_values(keys: KeyReader, append: bool) -> tuple[Entry, ...]:
    node = keys.mapping.by_key.get("values")
    if node is None:
        if append:
            keys.warn(Code.APPEND_NO_VALUES, "this exception adds nothing, for it has no values")
        return ()
    where = keys.context.child("exception values", "", node)
    if not isinstance(node, Sequence):
        keys.error(f"'values' must be a list, not {describe(node)}", where)
        return ()
    known: dict[tuple[int, int], Entry] = {}
    return tuple(
        _entry(keys, value, where.child("exception value", "", value), known) for value in node.items
    )


def _read_entry(keys: KeyReader, key: str, *, required: bool) -> Entry:
    node = keys.mapping.by_key.get(key)
    if node is None:
        if required:
            keys.error(f"this exception has no '{key}'")
        return NOTHING
    return _entry(keys, node, keys.within(key, node), {})


def _entry(
    keys: KeyReader, node: Node, where: Context, known: dict[tuple[int, int], Entry], depth: int = 0
) -> Entry:
    """Return the entry that `node` writes; nothing and mappings count as not given.

    What nests deeper than a list in a tuple has no meaning and is left out. `known` has the entries of nodes
    that aliases name again.
    """
    if isinstance(node, Sequence):
        entry = known.get((id(node), depth))
        if entry is None:
            below = node.items if depth < _DEPTH else ()
            items = tuple(
                _entry(keys, item, where.child("exception", "", item), known, depth + 1) for item in below
            )
            entry = known[id(node), depth] = Entry(NOTHING.text, items, is_list=True)
        return entry
    if isinstance(node, Scalar) and not node.is_null:
        if not node.value:
            keys.error("a value of an exception must not be empty", where)
        return Entry(node.text)
    return NOTHING
