"""Macros: putting the parsed body of a macro in place of its name.

A macro sees the macros whose index is below its own visibility; rules see all. A body is one object wherever
the macro is used, so that later stages do their work on it once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import NamedTuple

from refengine.condition.nodes import And, Identifier, MacroUse, Node, Not, Or, walk
from refengine.errors import Note
from refengine.recursion import deep_recursion
from refengine.rulefile.definitions import MacroDefinition
from refengine.source import Span, Text

DEPTH_LIMIT = 2_000
"""How deep a condition may be with the macros in it."""


@dataclass(frozen=True, slots=True, eq=False)
class ParsedMacro:
    """A macro with its condition after list substitution, and the tree of that; None where it has a fault."""

    definition: MacroDefinition
    text: Text
    body: Node | None


class MacroFault(NamedTuple):
    """What is wrong with a name in a condition, and where."""

    message: str
    text: Text
    span: Span
    notes: tuple[Note, ...] = ()
    suggestion: str | None = None


@dataclass(slots=True)
class Expansion:
    """The outcome for one condition: the tree with macros put in, or None with faults.

    There are no faults where a macro in it has one that is told elsewhere.
    """

    node: Node | None
    depth: int
    faults: list[MacroFault] = field(default_factory=list)
    unknown: list[tuple[Identifier, Text]] = field(default_factory=list)


class MacroTable:
    """The macros at one point of a load, each expanded; `used` grows by the names that conditions use.

    `unreadable` are names of macros whose definition has a fault, which is told elsewhere; `upcoming` are macros of files that are loaded later, which messages tell of. `known` keeps expansions from one point of the load to the next, so that what did not change stays the very
    same object; it holds on to the trees whose identities are its keys.
    """

    def __init__(
        self,
        macros: Mapping[str, ParsedMacro],
        unreadable: frozenset[str],
        upcoming: Mapping[str, MacroDefinition],
        known: dict[tuple[int, ...], tuple[Node, Expansion]],
    ) -> None:
        self.used: set[str] = set()
        self._macros = macros
        self._unreadable = unreadable
        self._upcoming = upcoming
        self._known = known
        self._expanded: dict[str, Expansion] = {}
        for name, macro in macros.items():
            self._expanded[name] = self._expand(macro.body, macro.text, macro.definition.visibility)

    def body(self, name: str) -> Node | None:
        """Return the macro's condition with other macros put in; None where it has a fault."""
        return self._expanded[name].node

    def faults(self, name: str) -> list[MacroFault]:
        """Return what is wrong with the names in a macro's condition."""
        return self._expanded[name].faults

    def expand(self, node: Node, text: Text) -> Expansion:
        """Return the condition of a rule with macros put in."""
        return self._expand(node, text, None)

    def _expand(self, node: Node | None, text: Text, visibility: int | None) -> Expansion:
        if node is None:
            return Expansion(None, 0)
        names = {part.name for part in walk(node) if isinstance(part, Identifier)}
        key = self._key(node, names, visibility)
        if key is not None and key in self._known:
            self.used |= names
            return self._known[key][1]
        with deep_recursion():
            expansion = _Expander(self._macros, self._expanded, visibility, self.used).run(node, text)
        for use, where in expansion.unknown:
            if use.name not in self._unreadable:
                expansion.faults.append(self._unknown(use, where))
        if key is not None:
            self._known[key] = (node, expansion)
        return expansion

    def _key(self, node: Node, names: Iterable[str], visibility: int | None) -> tuple[int, ...] | None:
        """Return what the expansion of `node` depends on, None where a macro in it cannot be used as it is."""
        bodies = [id(node)]
        for name in sorted(names):
            expansion = self._expanded.get(name)
            if expansion is None or expansion.node is None:
                return None
            if visibility is not None and self._macros[name].definition.index >= visibility:
                return None
            bodies.append(id(expansion.node))
        return tuple(bodies)

    def _unknown(self, node: Identifier, text: Text) -> MacroFault:
        """Return the fault of a name that is no macro where it stands."""
        name = node.name
        if name in self._macros:
            note = Note(
                f"macro '{name}' is defined only here", self._macros[name].definition.history[0].place
            )
            return MacroFault(f"there is no macro '{name}' yet", text, node.span, (note,))
        if name in self._upcoming:
            place = self._upcoming[name].history[0].place
            note = Note(f"macro '{name}' is defined here, in a file that is loaded later", place)
            return MacroFault(
                f"there is no macro '{name}' yet",
                text,
                node.span,
                (note,),
                f"load {place.source.name} before this file",
            )
        near = get_close_matches(name, self._macros, 1)
        return MacroFault(
            f"there is no macro '{name}'",
            text,
            node.span,
            suggestion=f"did you mean '{near[0]}'?" if near else None,
        )


class _Expander:
    """The expansion of one condition, with the macros that it sees."""

    def __init__(
        self,
        macros: Mapping[str, ParsedMacro],
        expanded: Mapping[str, Expansion],
        visibility: int | None,
        used: set[str],
    ) -> None:
        self._macros = macros
        self._expanded = expanded
        self._visibility = visibility
        self._used = used
        self._faults: list[MacroFault] = []
        self._unknown: list[tuple[Identifier, Text]] = []
        self._broken = False
        self._path: list[str] = []
        self._ahead: dict[str, tuple[Node, int]] = {}

    def run(self, node: Node, text: Text) -> Expansion:
        new, depth = self._visit(node, text)
        failed = self._broken or self._faults or self._unknown
        return Expansion(None if failed else new, depth, self._faults, self._unknown)

    def _visit(self, node: Node, text: Text) -> tuple[Node, int]:
        """Return `node` with macros put in, itself where it has none, and the depth of that."""
        if isinstance(node, Identifier):
            return self._use(node, text)
        if isinstance(node, Not):
            child, depth = self._visit(node.child, text)
            return (node if child is node.child else Not(child, node.span)), depth + 1
        if isinstance(node, And | Or):
            visited = [self._visit(child, text) for child in node.children]
            depth = 1 + max(depth for _, depth in visited)
            children = tuple(child for child, _ in visited)
            if all(new is old for new, old in zip(children, node.children, strict=True)):
                return node, depth
            return type(node)(children, node.span), depth
        return node, 1

    def _use(self, node: Identifier, text: Text) -> tuple[Node, int]:
        name = node.name
        macro = self._macros.get(name)
        if macro is None or (self._visibility is not None and macro.definition.index >= self._visibility):
            self._unknown.append((node, text))
            return node, 1
        self._used.add(name)
        if name in self._path:
            loop = " → ".join((*self._path[self._path.index(name) :], name))
            self._faults.append(MacroFault(f"macro '{name}' comes back to itself: {loop}", text, node.span))
            return node, 1
        known = self._expanded.get(name)
        if macro.body is None or (known is not None and known.node is None):
            self._broken = True
            return node, 1
        if known is not None:
            assert known.node is not None
            body, depth = known.node, known.depth
        else:
            body, depth = self._look_ahead(name, macro)
        if depth >= DEPTH_LIMIT:
            self._faults.append(MacroFault(f"macro '{name}' nests too deep to be used here", text, node.span))
            return node, 1
        return MacroUse(name, body, macro.text, node.span), depth + 1

    def _look_ahead(self, name: str, macro: ParsedMacro) -> tuple[Node, int]:
        """Return the body of a macro that is defined after this one, expanded with what this one sees."""
        ahead = self._ahead.get(name)
        if ahead is None:
            assert macro.body is not None
            self._path.append(name)
            ahead = self._ahead[name] = self._visit(macro.body, macro.text)
            self._path.pop()
        return ahead
