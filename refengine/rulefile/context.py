"""The way from a rules file to the thing that a message speaks of.

A context is a chain of items (`rules content`, `rule 'Shell in a container'`, `value for 'priority'`); kinds
are those that Falco's JSON result names.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from refengine.errors import Code, Diagnostic, Item, Note, Phase
from refengine.rulefile.yaml import Mapping, Node
from refengine.source import Place, Source, Span


@dataclass(frozen=True, slots=True)
class Context:
    """A chain of items, the outermost first; never empty."""

    path: tuple[Item, ...]
    extent: Place | None = None
    """All of the innermost item, of which its place may be only the first line."""

    @classmethod
    def of_file(cls, source: Source) -> Context:
        """Return the context of a whole file."""
        return cls((Item("rules content", "", Place(source, Span(0, 0))),))

    @property
    def place(self) -> Place:
        """Where the innermost item stands."""
        place = self.path[-1].place
        assert place is not None  # every constructor here gives one
        return place

    def holds(self, place: Place) -> bool:
        """Return whether `place` stands inside the node of the innermost item."""
        return (
            self.extent is not None
            and self.extent.source is place.source
            and (self.extent.span.start <= place.span.start <= self.extent.span.end)
        )

    def child(self, kind: str, name: str, node: Node | Place) -> Context:
        """Return the context of something inside the innermost item."""
        if isinstance(node, Place):
            return Context((*self.path, Item(kind, name, node)), node)
        return Context((*self.path, Item(kind, name, place_of(node))), node.place)

    def diagnostic(
        self,
        code: Code,
        message: str,
        *,
        phase: Phase = Phase.STRUCTURE,
        place: Place | None = None,
        notes: Iterable[Note] = (),
        suggestion: str | None = None,
    ) -> Diagnostic:
        """Return a diagnostic about the innermost item, or about `place` inside it."""
        return Diagnostic(code, phase, message, place or self.place, tuple(notes), suggestion, self.path)


def place_of(node: Node) -> Place:
    """Return the place to show for `node`: of a mapping, which may be long, only its first pair."""
    if isinstance(node, Mapping) and node.pairs:
        key, value = node.pairs[0]
        return Place(node.source, Span(node.span.start, max(key.span.end, value.span.end)))
    return node.place
