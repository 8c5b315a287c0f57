"""What can be proved about conditions without any event: that they never hold, or that one holds wherever another does.

A proof is a contradiction between comparisons. The answers err on one side only: what is said to be impossible is;
of what is not, nothing is known. What values `evt.num` can have is left out, since rules say `evt.num = 0` for a
condition that is to be filled in later.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations

from refengine.condition.bytewise import has_loose_bytes
from refengine.condition.glob import Glob
from refengine.condition.interpret import compare
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
    Negation,
    Test,
)
from refengine.fields.reading import FieldRead, Many
from refengine.recursion import deep_recursion
from refengine.values import Value

_EQUALITY = frozenset({"=", "==", "in"})
_LEFT_OUT = frozenset({"evt.num"})


@dataclass(frozen=True, slots=True)
class Literal:
    """A comparison that must hold, or, if not `positive`, must not."""

    leaf: Test | Existence
    positive: bool


class Prover:
    """Proves, remembering the keys of conditions that it has seen."""

    def __init__(self) -> None:
        self._keys: dict[int, tuple[Condition, Hashable]] = {}

    def never(self, *conditions: tuple[Condition, bool]) -> bool:
        """Return whether it is impossible that all conditions have the verdicts given beside them at once."""
        with deep_recursion():
            return not self._possible(_Context(), conditions)

    def conflict(self, condition: Condition) -> tuple[Literal, ...]:
        """Return one or two comparisons for which `condition` never holds, none where it takes more to see that."""
        needed = list(_needed(condition))
        for size in (1, 2):
            for literals in combinations(needed, size):
                context = _Context()
                if not all(map(context.add, literals)):
                    return literals
        return ()

    def implies(self, condition: Condition, other: Condition) -> bool:
        """Return whether `other` certainly holds wherever `condition` does."""
        return self.never((condition, True), (other, False))

    def dead_parts(self, condition: Condition) -> Iterator[tuple[Condition, Literal | None]]:
        """Yield the alternatives that can never hold where they stand, the outermost of each only.

        Those inside macros are left out: a macro is written for many uses. Each comes with the comparison beside it that rules it out, None where it is impossible by itself.
        """
        with deep_recursion():
            yield from self._dead(condition, _Context())

    # Possibility

    def _possible(self, context: _Context, wanted: Iterable[tuple[Condition, bool]]) -> bool:
        """Return whether all of `wanted` may come together with what `context` says; true where it is not known."""
        grown, choices = self._flat(context, wanted)
        if grown is None:
            return False
        return all(
            any(self._possible(grown, ((child, verdict),)) for child in children)
            for children, verdict in choices
        )

    def _flat(
        self, context: _Context, wanted: Iterable[tuple[Condition, bool]]
    ) -> tuple[_Context | None, list[tuple[tuple[Condition, ...], bool]]]:
        """Return the context with every comparison that must come, and the choices that are left; None: impossible."""
        grown = context.copy()
        choices: list[tuple[tuple[Condition, ...], bool]] = []
        pending = list(wanted)
        while pending:
            part, verdict = pending.pop()
            while isinstance(part, Negation | Macro):
                verdict = verdict is not isinstance(part, Negation)
                part = part.child if isinstance(part, Negation) else part.body
            if isinstance(part, AllOf | AnyOf):
                key = self.key(part)
                if (key, not verdict) in grown.composites:
                    return None, []
                grown.composites.add((key, verdict))
                if isinstance(part, AllOf) is verdict:
                    pending.extend((child, verdict) for child in part.children)
                else:
                    choices.append((part.children, verdict))
            elif not grown.add(Literal(part, verdict)):
                return None, []
        return grown, choices

    def _dead(self, condition: Condition, context: _Context) -> Iterator[tuple[Condition, Literal | None]]:
        if isinstance(condition, AnyOf):
            yield from self._dead_choices(condition.children, context)
        elif isinstance(condition, AllOf):
            grown, _ = self._flat(context, ((condition, True),))
            for child in condition.children:
                if grown is not None and isinstance(child, AnyOf):
                    yield from self._dead_choices(child.children, grown)

    def _dead_choices(
        self, children: tuple[Condition, ...], context: _Context
    ) -> Iterator[tuple[Condition, Literal | None]]:
        for child in children:
            if self._possible(context, ((child, True),)):
                yield from self._dead(child, context)
            else:
                yield child, self._culprit(child, context)

    def _culprit(self, part: Condition, context: _Context) -> Literal | None:
        if not self._possible(_Context(), ((part, True),)):
            return None  # by itself
        for literal in context.literals():
            alone = _Context()
            alone.add(literal)
            if not self._possible(alone, ((part, True),)):
                return literal
        return next(iter(context.literals()), None)

    # Keys

    def key(self, condition: Condition) -> Hashable:
        """Return what is equal for conditions that say the same in the same way."""
        known = self._keys.get(id(condition))
        if known is None:
            known = self._keys[id(condition)] = (condition, self._made_key(condition))
        return known[1]

    def _made_key(self, condition: Condition) -> Hashable:
        if isinstance(condition, AllOf | AnyOf):
            return (type(condition).__name__, frozenset(map(self.key, condition.children)))
        if isinstance(condition, Negation):
            return ("not", self.key(condition.child))
        if isinstance(condition, Macro):
            return self.key(condition.body)
        return leaf_key(condition)


def _needed(condition: Condition) -> Iterator[Literal]:
    """Yield the comparisons that must hold, or must not, for `condition` to hold."""
    pending = [(condition, True)]
    while pending:
        part, verdict = pending.pop()
        if isinstance(part, Negation):
            pending.append((part.child, not verdict))
        elif isinstance(part, Macro):
            pending.append((part.body, verdict))
        elif isinstance(part, AllOf | AnyOf):
            if isinstance(part, AllOf) is verdict:
                pending.extend((child, verdict) for child in part.children)
        else:
            yield Literal(part, verdict)


def leaf_key(leaf: Test | Existence) -> Hashable:
    """Return what is equal for comparisons that say the same."""
    if isinstance(leaf, Existence):
        return (leaf.left.key, "exists")
    operator = "=" if leaf.operator == "==" else leaf.operator
    if not isinstance(leaf.right, tuple):
        return (leaf.left.key, operator, leaf.modifier, leaf.right.key)
    constants = frozenset(map(_constant_key, leaf.right))
    if _is_single(leaf) and operator in _EQUALITY and leaf.modifier is None:
        operator = "in"
    return (leaf.left.key, operator, leaf.modifier, constants, len(leaf.right) if leaf.modifier else 0)


def _constant_key(constant: Constant) -> Hashable:
    if isinstance(constant, Glob):
        return ("glob", constant.pattern, constant.folding)
    if isinstance(constant, Regex):
        return ("regex", constant.pattern)
    if isinstance(constant, PathTree):
        return ("paths", frozenset(constant.paths))
    if isinstance(constant, Network):
        return ("network", constant.text)
    return (type(constant).__name__, constant)


def _is_single(leaf: Test | Existence) -> bool:
    """Return whether the left-hand side has one value at most."""
    left = leaf.left
    return not left.is_list and (not isinstance(left, FieldRead) or left.many is Many.ONE)


@dataclass(slots=True)
class _Operand:
    """What must hold of one operand. `values` are all that it may have, None where any."""

    literals: list[Literal] = field(default_factory=list)
    values: tuple[Value, ...] | None = None


@dataclass(slots=True)
class _Context:
    """Everything that must hold at once: comparisons by their operand, and larger parts by their keys."""

    operands: dict[str, _Operand] = field(default_factory=dict)
    composites: set[tuple[Hashable, bool]] = field(default_factory=set)

    def copy(self) -> _Context:
        """Return a context that grows on its own."""
        operands = {key: _Operand(list(found.literals), found.values) for key, found in self.operands.items()}
        return _Context(operands, set(self.composites))

    def literals(self) -> Iterator[Literal]:
        """Yield all comparisons."""
        for operand in self.operands.values():
            yield from operand.literals

    def add(self, literal: Literal) -> bool:
        """Add a comparison; return whether that is still possible, as far as one can see."""
        key = literal.leaf.left.key
        operand = self.operands.setdefault(key, _Operand())
        if any(_clash(literal, other) for other in operand.literals):
            return False
        operand.literals.append(literal)
        if key in _LEFT_OUT or not _is_single(literal.leaf):
            return True
        finite = _finite(literal)
        if finite is not None:
            known = operand.values
            operand.values = finite if known is None else tuple(value for value in known if value in finite)
        if operand.values is not None:
            operand.values = tuple(
                value for value in operand.values if all(_allows(other, value) for other in operand.literals)
            )
            return bool(operand.values)
        return True


def _finite(literal: Literal) -> tuple[Value, ...] | None:
    """Return the only values with which a comparison holds, None where they are not to be counted."""
    leaf = literal.leaf
    if not literal.positive or not isinstance(leaf, Test) or not isinstance(leaf.right, tuple):
        return None
    if leaf.operator not in _EQUALITY or leaf.modifier is not None:
        return None
    if any(isinstance(constant, Network | Glob | Regex | PathTree) for constant in leaf.right):
        return None
    return leaf.right  # type: ignore[return-value]  # only values are left


def _allows(literal: Literal, value: Value) -> bool:
    """Return whether an operand that has this value fulfils the literal, true where that is not known."""
    leaf = literal.leaf
    if isinstance(leaf, Existence):
        return literal.positive
    if not isinstance(leaf.right, tuple):
        return True
    return compare(leaf, value, leaf.right) is literal.positive


def _clash(one: Literal, other: Literal) -> bool:
    """Return whether two literals about the same operand exclude each other."""
    if one.positive is not other.positive:
        positive, negative = (one.leaf, other.leaf) if one.positive else (other.leaf, one.leaf)
        return isinstance(negative, Existence) or _entails(positive, negative)
    return one.positive and (_excludes(one.leaf, other.leaf) or _excludes(other.leaf, one.leaf))


def _entails(leaf: Test | Existence, other: Test | Existence) -> bool:
    """Return whether `other` certainly holds where `leaf` does."""
    if leaf_key(leaf) == leaf_key(other):
        return True
    text, wider = _plain(leaf), _plain(other)
    if text is None or wider is None:
        return False
    if other.operator == "contains":  # type: ignore[union-attr]  # plain comparisons have operators
        return wider in text
    if leaf.operator != other.operator:  # type: ignore[union-attr]  # as above
        return False
    return text.startswith(wider) if other.operator == "startswith" else text.endswith(wider)  # type: ignore[union-attr]  # as above


def _excludes(leaf: Test | Existence, other: Test | Existence) -> bool:
    """Return whether two beginnings, or two ends, of a text exclude each other."""
    text, second = _plain(leaf), _plain(other)
    if text is None or second is None or leaf.operator != other.operator:  # type: ignore[union-attr]  # as above
        return False
    if leaf.operator == "startswith":  # type: ignore[union-attr]  # as above
        return not (text.startswith(second) or second.startswith(text))
    if leaf.operator == "endswith":  # type: ignore[union-attr]  # as above
        return not (text.endswith(second) or second.endswith(text))
    return False


def _plain(leaf: Test | Existence) -> str | None:
    """Return the text that a single value is to begin with, to end with or to contain, None for anything else."""
    if isinstance(leaf, Existence) or leaf.operator not in ("startswith", "endswith", "contains"):
        return None
    if leaf.modifier is not None or not isinstance(leaf.right, tuple) or not _is_single(leaf):
        return None
    constant = leaf.right[0]
    return constant if isinstance(constant, str) and not has_loose_bytes(constant) else None
