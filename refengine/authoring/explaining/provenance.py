"""What an item is after all statements about it, and which statement each part of it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from refengine.rulefile.context import Context
from refengine.rulefile.definitions import ListDefinition, MacroDefinition, RuleDefinition
from refengine.rulefile.loader import LoadResult
from refengine.rulefile.yaml import Mapping, Node, Scalar, Sequence, read_documents
from refengine.source import Place, Source, Span, Text

DEFINED, APPENDED, REPLACED = "defined", "appended", "replaced"

_TEXTS = ("condition", "output")
"""Keys of a rule that are joined of texts which know their places."""

_SKIPPED = ("rule", "macro", "list", "append", "override", *_TEXTS)


@dataclass(frozen=True, slots=True)
class Fragment:
    """A part of a value: its text, where it was written, and what the statement did there."""

    text: str
    place: Place
    how: str


@dataclass(frozen=True, slots=True)
class Final:
    """An item of the kind `rule`, `macro` or `list` as it is in the end: its keys, each with its fragments."""

    kind: str
    name: str
    statements: tuple[Place, ...]
    keys: tuple[tuple[str, tuple[Fragment, ...]], ...]


def final_items(result: LoadResult) -> Iterator[Final]:
    """Yield every list and macro, and then every rule, as the last statement left it."""
    yield from map(_list, result.list_definitions)
    yield from map(_macro, result.macro_definitions)
    yield from map(_rule, result.rule_definitions)


def _list(definition: ListDefinition) -> Final:
    items = tuple(
        Fragment(item.value, place, _how(definition.history, place))
        for item in definition.items
        for place in [item.place(Span(0, len(item.value)))]
    )
    return Final("list", definition.name, _places(definition.history), (("items", items),))


def _macro(definition: MacroDefinition) -> Final:
    fragments = tuple(_fragments(definition.condition, definition.history, "condition"))
    return Final("macro", definition.name, _places(definition.history), (("condition", fragments),))


def _rule(definition: RuleDefinition) -> Final:
    given: dict[str, tuple[Fragment, ...]] = {}
    for number, context in enumerate(dict.fromkeys(definition.history)):
        mapping = _mapping(context)
        if mapping is None:
            continue
        for key, value in mapping.by_key.items():
            if key not in _SKIPPED:
                how = _deed(mapping, key, number)
                if how is None:
                    continue
                fragments = tuple(_parts(value, how))
                given[key] = (*given.get(key, ()), *fragments) if how == APPENDED else fragments
    for key, text in (("condition", definition.condition), ("output", definition.output)):
        given[key] = tuple(_fragments(text, definition.history, key))
    order = ("desc", "condition", "exceptions", "output", "priority", "source", "enabled", "tags")
    names = [*(key for key in order if key in given), *(key for key in given if key not in order)]
    keys = tuple((key, given[key]) for key in names)
    return Final("rule", definition.name, _places(definition.history), keys)


def _places(history: Iterable[Context]) -> tuple[Place, ...]:
    return tuple(dict.fromkeys(context.place for context in history))


def _deed(mapping: Mapping, key: str, number: int) -> str | None:
    """Return what the statement with this number does to a key, None where it leaves the key as it is."""
    if number == 0:
        return DEFINED
    override = mapping.by_key.get("override")
    if isinstance(override, Mapping):
        word = override.by_key.get(key)
        if not isinstance(word, Scalar):
            return None
        return APPENDED if word.value.strip() == "append" else REPLACED
    if "append" in mapping.by_key:
        return APPENDED if key == "exceptions" else None
    return REPLACED if key == "enabled" else None


def _fragments(text: Text, history: tuple[Context, ...], key: str) -> Iterator[Fragment]:
    """Yield the lines of the files that make `text` together."""
    start = 0
    value = text.value
    for end in (*_breaks(text), len(value)):
        part = value[start:end]
        if part.strip():
            place = text.place(Span(start + len(part) - len(part.lstrip()), start + len(part.rstrip())))
            yield Fragment(" ".join(part.split()), place, _how(history, place, key))
        start = end


def _breaks(text: Text) -> Iterator[int]:
    """Yield the offsets where what stands behind comes from another line than what stands before."""
    before: tuple[int, int] | None = None
    for piece in text.pieces:
        if not piece.length:
            continue
        starts = text.value[piece.start : piece.start + piece.length]
        for offset, character in enumerate(starts):
            if character.isspace():
                continue
            at = piece.offset + (offset if piece.verbatim else 0)
            line = (id(piece.source), piece.source.position(at).line)
            if before is not None and line != before:
                yield piece.start + offset
            before = line


def _how(history: tuple[Context, ...], place: Place, key: str = "items") -> str:
    for number, context in reversed(list(enumerate(history))):
        if context.holds(place):
            if number == 0:
                return DEFINED
            mapping = _mapping(context)
            how = None if mapping is None else _deed(mapping, key, number)
            return how or APPENDED
    return DEFINED


def _parts(value: Node, how: str) -> Iterator[Fragment]:
    if isinstance(value, Sequence):
        for item in value.items:
            yield Fragment(_written(item), item.place, how)
    else:
        yield Fragment(_written(value), value.place, how)


def _written(node: Node) -> str:
    """Return a node in the flow style of YAML, in one line."""
    if isinstance(node, Scalar):
        return " ".join(node.value.split())
    if isinstance(node, Sequence):
        return f"[{', '.join(map(_written, node.items))}]"
    return f"{{{', '.join(f'{_written(key)}: {_written(value)}' for key, value in node.pairs)}}}"


def _mapping(context: Context) -> Mapping | None:
    """Return the mapping of a statement, read again from its file."""
    extent = context.extent
    if extent is None:
        return None
    return items_of(extent.source).get((extent.span.start, extent.span.end))


@lru_cache(maxsize=16)
def items_of(source: Source) -> dict[tuple[int, int], Mapping]:
    """Return the items of a rules file by where they begin and end, read again from its text."""
    return {
        (item.span.start, item.span.end): item
        for document in read_documents(source)
        if isinstance(document, Sequence)
        for item in document.items
        if isinstance(item, Mapping)
    }
