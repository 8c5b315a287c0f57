"""Regular expressions run as automata: in one pass over the value, whatever the expression.

An expression becomes a non-deterministic automaton (Thompson's construction), and that is made deterministic
as far as the values that come by need it. Nothing is ever tried again, so no value can take long.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

MOST_MOVES = 20_000
"""Moves that are remembered; beyond them everything is forgotten and found out again."""


class One(NamedTuple):
    """One character of a class, in the syntax of Python's `re`."""

    text: str


class LineEdge(NamedTuple):
    """The place where a line starts, or ends."""

    start: bool


class Sequence(NamedTuple):
    """One part after another."""

    parts: tuple[Expression, ...]


class Either(NamedTuple):
    """Any one of the parts."""

    parts: tuple[Expression, ...]


class Repeated(NamedTuple):
    """The part from `least` to `most` times; None is without end."""

    part: Expression
    least: int
    most: int | None


Expression: TypeAlias = One | LineEdge | Sequence | Either | Repeated


@dataclass(slots=True)
class _Fork:
    """A step that consumes nothing and goes on at each of `following`."""

    following: tuple[int, ...]


class _Edge(NamedTuple):
    start: bool
    following: int


class _Take(NamedTuple):
    pattern: re.Pattern[str]
    following: int


_END = 0
"""The step at which the whole expression has matched."""


class _State:
    """The steps that are reached at a place of the value, and where each character leads from there."""

    __slots__ = ("accepts", "at_line_start", "moves", "steps")

    def __init__(self, steps: frozenset[int], at_line_start: bool, accepts: bool) -> None:
        self.steps = steps
        self.at_line_start = at_line_start
        self.accepts = accepts
        self.moves: dict[str, _State] = {}


class Automaton:
    """An expression, ready to match."""

    def __init__(self, expression: Expression) -> None:
        self._steps: list[_Fork | _Edge | _Take] = [_Fork(())]
        self._first = frozenset((self._build(expression, _END),))
        self._states: dict[tuple[frozenset[int], bool], _State] = {}
        self._known_moves = 0
        self._start = self._state(self._first, True)

    def matches(self, value: str) -> bool:
        """Return whether the expression matches all of `value`."""
        state = self._start
        for character in value:
            following = state.moves.get(character)
            if following is None:
                following = self._move(state, character)
            if not following.steps:
                return False
            state = following
        return state.accepts

    def _build(self, expression: Expression, following: int) -> int:
        """Return the step where `expression` begins, after which comes `following`."""
        if isinstance(expression, One):
            return self._add(_Take(re.compile(expression.text), following))
        if isinstance(expression, LineEdge):
            return self._add(_Edge(expression.start, following))
        if isinstance(expression, Sequence):
            for part in reversed(expression.parts):
                following = self._build(part, following)
            return following
        if isinstance(expression, Either):
            return self._add(_Fork(tuple(self._build(part, following) for part in expression.parts)))
        if expression.most is None:
            fork = _Fork(())
            loop = self._add(fork)
            fork.following = (self._build(expression.part, loop), following)
            following = loop
        else:
            end = following
            for _ in range(expression.most - expression.least):
                following = self._add(_Fork((self._build(expression.part, following), end)))
        for _ in range(expression.least):
            following = self._build(expression.part, following)
        return following

    def _add(self, step: _Fork | _Edge | _Take) -> int:
        self._steps.append(step)
        return len(self._steps) - 1

    def _move(self, state: _State, character: str) -> _State:
        """Return the state behind `character`, and remember it."""
        if self._known_moves >= MOST_MOVES:
            self._states.clear()
            self._known_moves = 0
            self._start = self._state(self._first, True)
        is_line_end = character == "\n"
        taken = set()
        for at in self._reached(state.steps, state.at_line_start, is_line_end):
            step = self._steps[at]
            if isinstance(step, _Take) and step.pattern.fullmatch(character):
                taken.add(step.following)
        following = state.moves[character] = self._state(frozenset(taken), is_line_end)
        self._known_moves += 1
        return following

    def _state(self, steps: frozenset[int], at_line_start: bool) -> _State:
        known = self._states.get((steps, at_line_start))
        if known is None:
            accepts = _END in self._reached(steps, at_line_start, True)
            known = self._states[steps, at_line_start] = _State(steps, at_line_start, accepts)
        return known

    def _reached(self, steps: Iterable[int], at_line_start: bool, at_line_end: bool) -> set[int]:
        """Return `steps` and those that they lead to without a character."""
        reached = set(steps)
        pending = list(reached)
        while pending:
            step = self._steps[pending.pop()]
            following: tuple[int, ...] = ()
            if isinstance(step, _Fork):
                following = step.following
            elif isinstance(step, _Edge) and (at_line_start if step.start else at_line_end):
                following = (step.following,)
            for at in following:
                if at not in reached:
                    reached.add(at)
                    pending.append(at)
        return reached
