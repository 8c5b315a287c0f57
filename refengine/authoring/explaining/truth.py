"""The truth tree of a rule for an event: every part of its condition by its name, with its verdict and the reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from refengine.authoring.explaining.wording import leaf_words, macro_place
from refengine.condition.trace import Trace
from refengine.condition.typed import AllOf, AnyOf, Macro, Negation
from refengine.recursion import deep_recursion
from refengine.rulefile.rule import Rule
from refengine.source import Place


@dataclass(frozen=True, slots=True)
class Truth:
    """One part of a condition. `kind` is `all`, `any`, `not`, `macro`, `exception` or `test`.

    `label` is what was written, or the name. `reached` is false where evaluation stopped before. `reason` says what
    the event had, and `cause` the same in one word: `holds`, `differs`, `absent` or `short-circuited`; both are of
    comparisons only.
    """

    kind: str
    label: str
    holds: bool
    reached: bool
    place: Place | None = None
    reason: str = ""
    cause: str = ""
    children: tuple[Truth, ...] = ()


def truth_of(rule: Rule, trace: Trace) -> Truth:
    """Return the truth tree of a rule from the trace of its condition."""
    names = [exception for exception in rule.definition.exceptions if exception.values]
    with deep_recursion():
        if not names:
            return _truth(trace)
        # What exceptions add stands behind everything else, one negation each, in their order.
        own, added = trace.children[: -len(names)], trace.children[-len(names) :]
        children = [*_truths(own)]
        for exception, part in zip(names, added, strict=True):
            inner = part.children[0]
            children.append(
                Truth(
                    "not",
                    "not",
                    part.holds,
                    part.reached,
                    children=(
                        Truth(
                            "exception",
                            exception.name,
                            inner.holds,
                            inner.reached,
                            exception.context.place,
                            children=tuple(_truths((inner,))),
                        ),
                    ),
                )
            )
        return Truth("all", "all of", trace.holds, trace.reached, children=tuple(children))


def truth_of_condition(trace: Trace) -> Truth:
    """Return the truth tree of a condition that is no rule's."""
    with deep_recursion():
        return _truth(trace)


def _truths(traces: tuple[Trace, ...]) -> Iterator[Truth]:
    return map(_truth, traces)


def _truth(trace: Trace) -> Truth:
    condition = trace.condition
    children = tuple(_truths(trace.children))
    if isinstance(condition, AllOf):
        return Truth("all", "all of", trace.holds, trace.reached, children=children)
    if isinstance(condition, AnyOf):
        return Truth("any", "any of", trace.holds, trace.reached, children=children)
    if isinstance(condition, Negation):
        return Truth("not", "not", trace.holds, trace.reached, children=children)
    if isinstance(condition, Macro):
        place = macro_place(condition)
        return Truth("macro", condition.name, trace.holds, trace.reached, place, children=children)
    words = leaf_words(trace)
    return Truth("test", words.written, trace.holds, trace.reached, words.place, words.reason, words.kind)
