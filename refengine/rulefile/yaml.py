"""From the text of a YAML file to nodes that know their places.

Rule files are read in a plain dialect: every scalar stays the text that was written (`yes`, `0755`, `=` and
dates are strings), only an unquoted empty scalar, `~` or `null` is null, `<<` is a key like any other, and of
two equal keys the first counts. PyYAML provides the parser, by libyaml where it was built with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping as ReadOnlyMapping
from dataclasses import dataclass, field
from typing import TypeAlias

import yaml

from refengine.errors import Code, Diagnostic, Note, Phase, RulesError
from refengine.rulefile.alignment import align
from refengine.source import Place, Source, Span, Text

_Loader: type[yaml.SafeLoader] | type[yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

NULLS = frozenset({"", "~", "null", "Null", "NULL"})
"""What an unquoted scalar may be to be null."""

DEPTH_LIMIT = 500
"""How deep collections may nest."""


@dataclass(frozen=True, slots=True, eq=False)
class Scalar:
    """A scalar as text; `style` is `'`, `"`, `|`, `>` or None for a plain one."""

    value: str
    is_null: bool
    style: str | None
    source: Source
    span: Span

    @property
    def place(self) -> Place:
        """Where the scalar stands, its quotes or block header included."""
        return Place(self.source, self.span)

    @property
    def text(self) -> Text:
        """The value as a text whose characters know where in the file they stand."""
        return Text(self.value, lambda: align(self.value, self.style, self.source, self.span))


@dataclass(frozen=True, slots=True, eq=False)
class Sequence:
    """A sequence of nodes."""

    items: tuple[Node, ...]
    source: Source
    span: Span

    @property
    def place(self) -> Place:
        """Where the sequence stands."""
        return Place(self.source, self.span)


@dataclass(frozen=True, slots=True, eq=False)
class Mapping:
    """A mapping, as pairs in the order of the file; `by_key` has the first of each scalar key."""

    pairs: tuple[tuple[Node, Node], ...]
    by_key: ReadOnlyMapping[str, Node]
    source: Source
    span: Span

    @property
    def place(self) -> Place:
        """Where the mapping stands."""
        return Place(self.source, self.span)


Node: TypeAlias = "Scalar | Sequence | Mapping"


def read_documents(source: Source) -> tuple[Node, ...]:
    """Return the root node of each document of a YAML stream.

    :raises RulesError: where the text is not YAML, with one diagnostic (code YAML_PARSE) at the fault.
    """
    loader: yaml.SafeLoader | yaml.CSafeLoader | None = None
    try:
        loader = _Loader(source.text)
        composer = _Composer(source)
        while loader.check_event():
            event = loader.get_event()
            assert event is not None  # `check_event` said that there is one
            composer.take(event)
    except yaml.MarkedYAMLError as error:
        raise _marked(error, source) from None
    except (yaml.reader.ReaderError, UnicodeEncodeError) as error:
        raise _unreadable(error, source) from None
    finally:
        if loader is not None:
            loader.dispose()
    return tuple(composer.documents)


@dataclass(slots=True)
class _Open:
    """A collection whose end has not been seen yet."""

    event: yaml.CollectionStartEvent
    children: list[Node] = field(default_factory=list)


class _Composer:
    """Builds nodes from the parser's events, with a stack of its own so that depth costs no recursion."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.documents: list[Node] = []
        self._open: list[_Open] = []
        self._anchors: dict[str, Node | None] = {}

    def take(self, event: yaml.Event) -> None:
        """Take the next event of the stream."""
        if isinstance(event, yaml.ScalarEvent):
            plain = event.style is None or event.style == ""
            null = plain and event.implicit[0] and event.tag is None and event.value in NULLS
            node = Scalar(
                event.value, null, None if plain else event.style, self.source, self._span(event, event)
            )
            self._close(node, event.anchor)
        elif isinstance(event, yaml.CollectionStartEvent):
            if len(self._open) >= DEPTH_LIMIT:
                raise self._fault(f"collections nest deeper than {DEPTH_LIMIT} levels", event)
            if event.anchor is not None:
                self._anchors[event.anchor] = None
            self._open.append(_Open(event))
        elif isinstance(event, yaml.CollectionEndEvent):
            opened = self._open.pop()
            span = self._span(opened.event, event)
            if isinstance(opened.event, yaml.MappingStartEvent):
                keys, values = opened.children[::2], opened.children[1::2]
                pairs = tuple(zip(keys, values, strict=True))
                by_key: dict[str, Node] = {}
                for key, value in pairs:
                    if isinstance(key, Scalar):
                        by_key.setdefault(key.value, value)
                self._close(Mapping(pairs, by_key, self.source, span), opened.event.anchor)
            else:
                self._close(Sequence(tuple(opened.children), self.source, span), opened.event.anchor)
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                raise self._fault(f"no anchor '&{event.anchor}' stands before this alias", event)
            target = self._anchors[event.anchor]
            if target is None:
                raise self._fault(f"alias '*{event.anchor}' stands inside the very node that it names", event)
            self._close(target, None)
        elif isinstance(event, yaml.DocumentStartEvent):
            self._anchors.clear()

    def _close(self, node: Node, anchor: str | None) -> None:
        if anchor is not None:
            self._anchors[anchor] = node
        (self._open[-1].children if self._open else self.documents).append(node)

    def _span(self, first: yaml.Event, last: yaml.Event) -> Span:
        start, end = first.start_mark, last.end_mark
        assert start is not None  # only events made by hand have no marks
        assert end is not None
        return Span(start.index, end.index)

    def _fault(self, message: str, event: yaml.Event) -> RulesError:
        return _error(message, Place(self.source, self._span(event, event)))


def _error(message: str, place: Place, notes: Iterable[Note] = ()) -> RulesError:
    return RulesError([Diagnostic(Code.YAML_PARSE, Phase.YAML, message, place, tuple(notes))])


def _marked(error: yaml.MarkedYAMLError, source: Source) -> RulesError:
    """Return the error for a fault that the YAML parser found, at its mark."""
    mark, context = error.problem_mark, error.context_mark
    at = 0 if mark is None else mark.index
    notes = []
    if error.context is not None and context is not None and context.index != at:
        notes.append(Note(error.context, Place(source, Span(context.index, context.index + 1))))
    return _error(f"not valid YAML: {error.problem}", Place(source, Span(at, at + 1)), notes)


def _unreadable(error: Exception, source: Source) -> RulesError:
    """Return the error for a character that YAML does not allow at all."""
    found = yaml.reader.Reader.NON_PRINTABLE.search(source.text)
    at = 0 if found is None else found.start()
    what = str(error) if found is None else f"character U+{ord(found[0]):04X} is not allowed"
    return _error(f"not valid YAML: {what}", Place(source, Span(at, at + 1)))
