"""Explanations for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from refengine.authoring.explaining.inquiry import Answer, Inquiry
from refengine.authoring.explaining.truth import Truth, truth_of
from refengine.authoring.explaining.wording import leaf_words
from refengine.condition.trace import nearest_miss
from refengine.condition.typed import Existence, Test
from refengine.terminal import Style

NEAREST = 5
"""Rules that came near and are explained, where nobody asked for one by its name."""

_SHOWN_TYPES = 8


def answer_text(answer: Answer, style: Style) -> str:
    """Return the whole truth tree of a rule for an event, and what would turn the verdict around."""
    lines = [
        *_heading(answer, style),
        *_tree(truth_of(answer.rule, answer.trace), style),
        *_miss(answer, style),
    ]
    return "\n".join(lines) + "\n"


def summary_text(inquiry: Inquiry, style: Style) -> str:
    """Return which rules held, and for the nearest of the others what kept them from it."""
    answers = inquiry.answers()
    lines: list[str] = []
    for answer in answers:
        if answer.holds:
            count = inquiry.held[answer.rule]
            lines.append(
                f"{style.green('✓')} {style.bold(answer.rule.name)}  holds for {count} event{'s' if count > 1 else ''},"
                f" first for {_event(answer)}{_taken(answer)}"
            )
    others = sorted((answer for answer in answers if not answer.holds), key=lambda answer: answer.distance)
    for answer in others[:NEAREST]:
        lines.append(
            f"{style.red('✗')} {style.bold(answer.rule.name)}  does not hold; nearest is {_event(answer)}"
        )
        lines.extend(f"  {line}" for line in _miss(answer, style))
    if len(others) > NEAREST:
        lines.append(f"{len(others) - NEAREST} more rules hold for none of the events")
    return "\n".join(lines) + "\n"


def _heading(answer: Answer, style: Style) -> Iterator[str]:
    rule = answer.rule
    verdict = style.green("holds") if answer.holds else style.red("does not hold")
    yield f"rule '{style.bold(rule.name)}'  {style.dim(str(rule.definition.history[0].place))}"
    yield f"{verdict} for {_event(answer)}{_taken(answer)}"
    if not rule.enabled:
        yield style.yellow("the rule is not enabled, so that it raises no alert in any case")


def _taken(answer: Answer) -> str:
    if answer.taken_by is None:
        return ""
    place = answer.taken_by.definition.history[0].place
    return f", but rule '{answer.taken_by.name}' ({place}) comes before it and takes the event, unless all rules are to match"


def _event(answer: Answer) -> str:
    return f"event {answer.number} ({answer.event_type or 'without evt.type'})"


def _miss(answer: Answer, style: Style) -> Iterator[str]:
    leaves = nearest_miss(answer.trace)
    types = [leaf for leaf in leaves if _asks_type(leaf.condition)]
    if types and not answer.holds:
        names = sorted(answer.rule.event_types)
        shown = f"{', '.join(names[:_SHOWN_TYPES])}{' …' if len(names) > _SHOWN_TYPES else ''}"
        yield f"the rule looks at events of another type: {shown or 'of none at all'}"
    if answer.holds:
        yield "it would not hold if this were otherwise:"
    else:
        yield (
            "nearest miss: it would hold if"
            if len(leaves) == 1
            else "nearest miss: it would hold if all of these were otherwise:"
        )
    for leaf in leaves:
        words = leaf_words(leaf)
        now = "holds" if leaf.holds else "does not hold"
        yield f"  {_mark(leaf.holds, True, style)} {words.written}  {now}: {words.reason}{_place(words.place, style)}"


def _asks_type(condition: object) -> bool:
    return isinstance(condition, Test | Existence) and condition.left.key in ("evt.type", "syscall.type")


def _tree(truth: Truth, style: Style, margin: str = "", branch: str = "") -> Iterable[str]:
    yield f"{margin}{branch}{_line(truth, style)}"
    below = margin + {"": "", "├─ ": "│  ", "└─ ": "   "}[branch]
    for child in truth.children:
        yield from _tree(child, style, below, "└─ " if child is truth.children[-1] else "├─ ")


def _line(truth: Truth, style: Style) -> str:
    mark = _mark(truth.holds, truth.reached, style)
    label = truth.label
    if truth.kind in ("macro", "exception"):
        label = f"{style.bold(label)} ({truth.kind})"
    text = f"{mark} {label}"
    if truth.reason:
        asked = truth.reason if truth.reached else f"not asked; {truth.reason}"
        text = f"{text}  {style.dim(asked)}"
    return f"{text}{_place(truth.place, style)}"


def _place(place: object, style: Style) -> str:
    return "" if place is None else f"  {style.dim(f'[{place}]')}"


def _mark(holds: bool, reached: bool, style: Style) -> str:
    if not reached:
        return style.dim("·")
    return style.green("✓") if holds else style.red("✗")
