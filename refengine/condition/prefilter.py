"""Prefilters: the weakest condition that a cheap observer can decide and that every match fulfils.

A backend can look at some facts of an event before it costs anything: in the kernel, in a seccomp filter. From
each rule's condition this module derives a formula over those facts. It may hold for events that no rule
matches, but it holds for every event that one does. What the observer cannot decide counts as true, whichever
way round it is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from refengine.condition.fold import Folder
from refengine.condition.typed import AllOf, AnyOf, Condition, Existence, Macro, Negation, Test
from refengine.recursion import deep_recursion


@dataclass(frozen=True, slots=True)
class Pass:
    """Always true: the observer can exclude nothing."""


@dataclass(frozen=True, slots=True)
class Never:
    """Always false: nothing can match."""


@dataclass(frozen=True, slots=True, eq=False)
class Fact:
    """True when `test` comes out as `holds`."""

    test: Test | Existence
    holds: bool


@dataclass(frozen=True, slots=True, eq=False)
class Every:
    """All of `parts`, two or more."""

    parts: tuple[Formula, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Some:
    """Any of `parts`, two or more."""

    parts: tuple[Formula, ...]


Formula: TypeAlias = Pass | Never | Fact | Every | Some

Decides: TypeAlias = Callable[["Test | Existence"], bool]
"""Tells whether the observer can decide a comparison: never wrong when it says that one cannot hold."""

PASS = Pass()
NEVER = Never()


def prefilter(condition: Condition, event_type: str, decides: Decides) -> Formula:
    """Return the formula that every match of `condition` on an event of this type fulfils."""
    with deep_recursion():
        folded = Folder(event_type, numbered=True).fold(condition)
        if isinstance(folded, bool):
            return PASS if folded else NEVER
        return _Derivation(decides).formula(folded, True)


def any_of(formulas: Iterable[Formula]) -> Formula:
    """Return the formula that holds when one of `formulas` does."""
    return _joined(formulas, Some, neutral=NEVER, decisive=PASS)


def facts_of(formula: Formula) -> Iterable[Fact]:
    """Yield the facts that `formula` asks for, those of shared parts once."""
    pending = [formula]
    seen: set[int] = set()
    while pending:
        part = pending.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        if isinstance(part, Fact):
            yield part
        elif isinstance(part, Every | Some):
            pending.extend(reversed(part.parts))


def passes(formula: Formula, holds: Callable[[Test | Existence], bool]) -> bool:
    """Return the verdict of `formula`, `holds` giving that of each comparison."""
    if isinstance(formula, Fact):
        return holds(formula.test) is formula.holds
    if isinstance(formula, Every):
        return all(passes(part, holds) for part in formula.parts)
    if isinstance(formula, Some):
        return any(passes(part, holds) for part in formula.parts)
    return isinstance(formula, Pass)


class _Derivation:
    """Pushes negations down to the comparisons, and keeps of these what the observer decides."""

    def __init__(self, decides: Decides) -> None:
        self._decides = decides
        self._macros: dict[tuple[int, bool], Formula] = {}
        self._facts: dict[tuple[int, bool], Fact] = {}

    def formula(self, condition: Condition, wanted: bool) -> Formula:
        if isinstance(condition, AllOf | AnyOf):
            parts = (self.formula(child, wanted) for child in condition.children)
            if isinstance(condition, AllOf) is wanted:
                return _joined(parts, Every, neutral=PASS, decisive=NEVER)
            return _joined(parts, Some, neutral=NEVER, decisive=PASS)
        if isinstance(condition, Negation):
            return self.formula(condition.child, not wanted)
        if isinstance(condition, Macro):
            key = (id(condition), wanted)
            known = self._macros.get(key)
            if known is None:
                known = self._macros[key] = self.formula(condition.body, wanted)
            return known
        if not self._decides(condition):
            return PASS
        return self._facts.setdefault((id(condition), wanted), Fact(condition, wanted))


def _joined(
    formulas: Iterable[Formula], make: type[Every] | type[Some], *, neutral: Formula, decisive: Formula
) -> Formula:
    """Return the formulas under one connective, flat, without what does not matter to the outcome."""
    parts: list[Formula] = []
    for formula in formulas:
        if formula is decisive:
            return decisive
        if formula is neutral:
            continue
        inner = formula.parts if isinstance(formula, make) else (formula,)
        parts.extend(part for part in inner if not any(part is known for known in parts))
    if not parts:
        return neutral
    return parts[0] if len(parts) == 1 else make(tuple(parts))
