"""Why a condition holds or does not: the interpreter's verdict on every part of it.

A trace has the shape of its condition. Every part is evaluated, also where the interpreter would not have asked any
more; `reached` tells which it did ask. The verdicts are the interpreter's own: comparisons are handed to it, and
what stands above them follows from theirs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from refengine.condition.interpret import Interpreter
from refengine.condition.reader import Reader
from refengine.condition.typed import AllOf, AnyOf, Condition, Existence, Macro, Negation, Test
from refengine.recursion import deep_recursion
from refengine.values import Value

OTHER_EVENT = 10
"""What a comparison of the event's type counts for the distance: an event of another type is another event altogether."""


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """The verdict on one part of a condition for one event.

    `left` and `right` are the values that a comparison saw, None where absent (`right` only where a field or a
    transformer stands there).
    """

    condition: Condition
    holds: bool
    reached: bool
    children: tuple[Trace, ...] = ()
    left: Value | None = None
    right: Value | None = None

    def leaves(self) -> Iterator[Trace]:
        """Yield the comparisons, from the left."""
        pending = [self]
        while pending:
            at = pending.pop()
            if at.children:
                pending.extend(reversed(at.children))
            else:
                yield at


class Tracer:
    """Evaluates conditions on events that `reader` can read, and tells how it came to the verdict."""

    def __init__(self, reader: Reader) -> None:
        self._interpreter = Interpreter(reader)

    def trace(self, condition: Condition, event: Any) -> Trace:
        """Return the trace of `condition` for `event`."""
        with deep_recursion():
            return self._trace(condition, event, reached=True)

    def _trace(self, condition: Condition, event: Any, *, reached: bool) -> Trace:
        if isinstance(condition, AllOf | AnyOf):
            return self._several(condition, event, reached=reached)
        if isinstance(condition, Negation):
            child = self._trace(condition.child, event, reached=reached)
            return Trace(condition, not child.holds, reached, (child,))
        if isinstance(condition, Macro):
            child = self._trace(condition.body, event, reached=reached)
            return Trace(condition, child.holds, reached, (child,))
        return self._leaf(condition, event, reached=reached)

    def _several(self, condition: AllOf | AnyOf, event: Any, *, reached: bool) -> Trace:
        decisive = isinstance(condition, AnyOf)
        children: list[Trace] = []
        open_ = reached
        for child in condition.children:
            traced = self._trace(child, event, reached=open_)
            children.append(traced)
            open_ = open_ and traced.holds is not decisive
        holds = any(child.holds is decisive for child in children) is decisive
        return Trace(condition, holds, reached, tuple(children))

    def _leaf(self, condition: Test | Existence, event: Any, *, reached: bool) -> Trace:
        ask = self._interpreter
        right = None
        if isinstance(condition, Test) and not isinstance(condition.right, tuple):
            right = ask.value(condition.right, event)
        left = ask.value(condition.left, event)
        return Trace(condition, ask.holds(condition, event), reached, (), left, right)


def nearest_miss(trace: Trace) -> tuple[Trace, ...]:
    """Return the comparisons whose opposite verdicts, the fewest possible, would turn the verdict of `trace` around."""
    with deep_recursion():
        return _turned(trace, not trace.holds)


def _turned(trace: Trace, wanted: bool) -> tuple[Trace, ...]:
    """Return the comparisons to turn around for `trace` to have the verdict `wanted`."""
    if trace.holds is wanted:
        return ()
    if not trace.children:
        return (trace,)
    if isinstance(trace.condition, Negation):
        return _turned(trace.children[0], not wanted)
    options = [_turned(child, wanted) for child in trace.children]
    if isinstance(trace.condition, AllOf) is wanted:
        return tuple(leaf for option in options for leaf in option)
    return min(options, key=_cost)


def _cost(leaves: tuple[Trace, ...]) -> int:
    """Return how far away a verdict is."""
    return sum(OTHER_EVENT if _asks_type(leaf.condition) else 1 for leaf in leaves)


def _asks_type(condition: Condition) -> bool:
    return isinstance(condition, Test | Existence) and condition.left.key in ("evt.type", "syscall.type")


def only_type_differs(trace: Trace) -> bool:
    """Return whether nothing but the type of the event keeps a condition from holding."""
    leaves = nearest_miss(trace)
    return not trace.holds and all(_asks_type(leaf.condition) for leaf in leaves)


def distance(trace: Trace) -> int:
    """Return how far a condition is from the opposite verdict: comparisons to turn around, event types weighing more."""
    return _cost(nearest_miss(trace))
