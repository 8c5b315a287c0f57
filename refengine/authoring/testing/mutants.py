"""Mutants: rules that are changed in one place, in a way that some test should notice.

What a rule has for itself is changed in it alone. A macro is changed for all rules that use it at once, as somebody
would who edits it, and has its mutants once, however many rules that are. An item of a list is left out wherever the
list is used, one use after another; these mutants have the same key, and count as one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from operator import is_
from typing import NamedTuple, TypeAlias

from refengine.authoring.explaining.wording import place_of, shortened, written_text
from refengine.condition.glob import Glob
from refengine.condition.networks import Network
from refengine.condition.pathtree import PathTree
from refengine.condition.regex import Regex
from refengine.condition.typed import (
    AllOf,
    AnyOf,
    Condition,
    Constant,
    Existence,
    Macro,
    Modifier,
    Negation,
    Test,
    walk,
)
from refengine.recursion import deep_recursion
from refengine.rulefile.rule import Rule
from refengine.source import Place

_NEIGHBOURS = {
    "<": "<=",
    "<=": "<",
    ">": ">=",
    ">=": ">",
    "startswith": "contains",
    "endswith": "contains",
    "contains": "=",
    "icontains": "contains",
}
"""Operators that are easily taken for one another."""

_NARROWER = frozenset({"<=", ">=", "contains", "icontains"})
"""Those of them whose neighbour holds for less."""


class Effect(Enum):
    """What a change does to the verdicts, and so, which test would notice it."""

    MORE = "a test that is silent only because of it"
    """It makes the condition hold for more events."""

    LESS = "a test with an alert that it alone makes"
    """It makes the condition hold for fewer."""

    OTHER = "a test whose outcome hangs on it"


_OPPOSITE = {Effect.MORE: Effect.LESS, Effect.LESS: Effect.MORE, Effect.OTHER: Effect.OTHER}

Key: TypeAlias = tuple[str, str, str]
"""What tells a mutant from others: the rule or macro, the place, and the change."""


@dataclass(frozen=True, slots=True, eq=False)
class Mutant:
    """A change in one place: what it makes of the conditions of the rules concerned.

    `change` says what is different, `place` where; `macro` is the macro that is changed, None where it is the rule
    itself. `value` is the one that the change leaves out of several, None for other changes; `list` is the list that
    it is an item of, None where it was written in the condition.
    """

    conditions: Mapping[Rule, Condition]
    change: str
    place: Place | None
    effect: Effect
    macro: str | None = None
    value: str | None = None
    list: str | None = None

    @property
    def rule(self) -> Rule:
        """The rule that is changed, or the first of those that use the macro."""
        return next(iter(self.conditions))

    @property
    def key(self) -> Key:
        """What it has in common with the same mutant elsewhere."""
        if self.list is not None:
            return f"list {self.list}", "", f"{self.value} is left out"
        owner = f"rule {self.rule.name}" if self.macro is None else f"macro {self.macro}"
        return owner, str(self.place), self.change


def mutants(rules: Iterable[Rule], named: Iterable[Rule]) -> Iterator[Mutant]:
    """Yield the mutants of the rules `named` and of the macros that they use; of `rules`, all are those concerned."""
    rules = tuple(rules)
    macros: dict[int, Macro] = {}
    with deep_recursion():
        parts = {rule: frozenset(map(id, walk(rule.condition))) for rule in rules}
        for rule in named:
            for at in _changes(rule.condition):
                yield at.mutant({rule: at.condition})
            for part in walk(rule.condition):
                if isinstance(part, Macro):
                    macros.setdefault(id(part.body), part)
        for macro in macros.values():
            users = [rule for rule in rules if id(macro.body) in parts[rule]]
            for at in _changes(macro.body):
                changed = {rule: _with(rule.condition, macro.body, at.condition) for rule in users}
                yield at.mutant(changed, macro.name)


class _Change(NamedTuple):
    """What a part of a condition becomes, in words, and where."""

    condition: Condition
    change: str
    place: Place | None
    effect: Effect
    value: str | None = None
    list: str | None = None

    def mutant(self, conditions: Mapping[Rule, Condition], macro: str | None = None) -> Mutant:
        """Return the mutant that this change makes of some rules."""
        return Mutant(conditions, self.change, self.place, self.effect, macro, self.value, self.list)


def _changes(condition: Condition) -> Iterator[_Change]:
    """Yield what `condition` can be changed into by one change at it or below it, its macros left alone."""
    if isinstance(condition, AllOf | AnyOf):
        yield from _chain_changes(condition)
    elif isinstance(condition, Negation):
        yield _Change(condition.child, "'not' is taken away", _first_place(condition), Effect.OTHER)
        for below in _changes(condition.child):
            yield below._replace(condition=Negation(below.condition), effect=_OPPOSITE[below.effect])
    elif not isinstance(condition, Macro):
        opposite = f"'{written_text(condition)}' is turned into its opposite"
        yield _Change(Negation(condition), opposite, place_of(condition), Effect.OTHER)
        if isinstance(condition, Test):
            yield from _test_changes(condition)


def _chain_changes(condition: AllOf | AnyOf) -> Iterator[_Change]:
    word = "and" if isinstance(condition, AllOf) else "or"
    lost = Effect.MORE if isinstance(condition, AllOf) else Effect.LESS
    children = condition.children
    for at, child in enumerate(children):
        rest = (*children[:at], *children[at + 1 :])
        if rest:
            left = rest[0] if len(rest) == 1 else replace(condition, children=rest)
            change = f"'{_described(child)}' is left out of what '{word}' joins"
            yield _Change(left, change, _first_place(child), lost)
        for below in _changes(child):
            changed = (*children[:at], below.condition, *children[at + 1 :])
            yield below._replace(condition=replace(condition, children=changed))
    if len(children) > 1:
        other = AnyOf(children) if isinstance(condition, AllOf) else AllOf(children)
        becomes = f"'{word}' becomes '{'or' if word == 'and' else 'and'}'"
        yield _Change(other, becomes, _first_place(condition), lost)


def _test_changes(test: Test) -> Iterator[_Change]:
    place = place_of(test)
    neighbour = _NEIGHBOURS.get(test.operator)
    if neighbour is not None and test.modifier is None:
        change = f"'{written_text(test)}' asks '{neighbour}' instead of '{test.operator}'"
        effect = Effect.LESS if test.operator in _NARROWER else Effect.MORE
        yield _Change(replace(test, operator=neighbour), change, place, effect)
    if not isinstance(test.right, tuple):
        return
    constants = test.right
    if len(constants) == 1 and isinstance(constants[0], PathTree):
        paths = constants[0].paths
        for path in paths if len(paths) > 1 else ():
            left = PathTree(other for other in paths if other != path)
            yield _left_out(replace(test, right=(left,)), path, repr(path), place)
    elif len(constants) > 1:
        for at, constant in enumerate(constants):
            left_over = (*constants[:at], *constants[at + 1 :])
            yield _left_out(replace(test, right=left_over), constant, _constant(constant), place)


def _left_out(test: Test, constant: Constant, value: str, place: Place | None) -> _Change:
    effect = Effect.MORE if test.modifier is Modifier.ALLOF else Effect.LESS
    change = f"{value} is left out of '{written_text(test)}'"
    return _Change(test, change, place, effect, value, _list_of(test, constant))


def _list_of(test: Test, constant: Constant) -> str | None:
    """Return the list of which a value was put in, None where it was written in the condition itself."""
    if test.written is None or not isinstance(constant, str):
        return None
    text, span = test.written.text, test.written.span
    for piece in text.pieces:
        if piece.verbatim or not span.start <= piece.start < span.end:
            continue
        items = text.value[piece.start : piece.start + piece.length].split(", ")
        if constant in (item.strip("\"'") for item in items):
            return piece.source.text[piece.offset : piece.offset + piece.origin_length]
    return None


def _constant(constant: Constant) -> str:
    if isinstance(constant, Network):
        return constant.text
    if isinstance(constant, Glob | Regex):
        return shortened(repr(constant.pattern))
    return shortened(repr(constant))


def _described(condition: Condition) -> str:
    if isinstance(condition, Test | Existence):
        return written_text(condition)
    if isinstance(condition, Macro):
        return condition.name
    if isinstance(condition, Negation):
        return f"not {_described(condition.child)}"
    word = " and " if isinstance(condition, AllOf) else " or "
    return shortened(f"({word.join(map(_described, condition.children))})")


def _first_place(condition: Condition) -> Place | None:
    while isinstance(condition, AllOf | AnyOf | Negation | Macro):
        if isinstance(condition, AllOf | AnyOf):
            condition = condition.children[0]
        else:
            condition = condition.body if isinstance(condition, Macro) else condition.child
    return place_of(condition)


def _with(condition: Condition, old: Condition, new: Condition) -> Condition:
    """Return `condition` with `new` where `old` was; what does not have it stays the very same object."""
    if condition is old:
        return new
    if isinstance(condition, AllOf | AnyOf):
        children = tuple(_with(child, old, new) for child in condition.children)
        if all(map(is_, children, condition.children)):
            return condition
        return replace(condition, children=children)
    if isinstance(condition, Negation):
        child = _with(condition.child, old, new)
        return condition if child is condition.child else Negation(child)
    if isinstance(condition, Macro):
        body = _with(condition.body, old, new)
        return condition if body is condition.body else Macro(condition.name, body)
    return condition
