"""Explanations for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from refengine.authoring.explaining.inquiry import Answer, Inquiry
from refengine.authoring.explaining.truth import Truth, truth_of
from refengine.authoring.explaining.wording import leaf_words
from refengine.condition.trace import nearest_miss
from refengine.condition.typed import Existence, Test
from refengine.rulefile.rule import Rule
from refengine.source import Place, Source
from refengine.terminal import Style

NEAREST = 5
"""Rules that came near and are explained, where nobody asked for one by its name."""

_SHOWN_TYPES = 8


def answer_text(answer: Answer, style: Style, *, whole: bool = False) -> str:
    """Return the truth tree of a rule for an event, and what would turn the verdict around.

    What was not asked, since the verdict was clear, is one line, or, if `whole`, all that there is of it.
    """
    tree = _Tree(_own(answer.rule), style, whole=whole)
    lines = [
        *_heading(answer, style),
        *tree.lines(truth_of(answer.rule, answer.trace)),
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
    turned = "it would not hold" if answer.holds else "nearest miss: it would hold"
    yield f"{turned} if {'this' if len(leaves) == 1 else 'all of these'} were otherwise:"
    own = _own(answer.rule)
    for leaf in leaves:
        words = leaf_words(leaf)
        now = "holds" if leaf.holds else "does not hold"
        yield f"  {_mark(leaf.holds, True, style)} {words.written}  {now}: {words.reason}{_place(words.place, own, style)}"


def _own(rule: Rule) -> Source:
    """Return the file of a rule, of which places need not say the name."""
    return rule.definition.history[0].place.source


def _asks_type(condition: object) -> bool:
    return isinstance(condition, Test | Existence) and condition.left.key in ("evt.type", "syscall.type")


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the tree: what stands above a single part is on the same line as the part."""

    label: str
    truth: Truth
    innermost: Truth

    @classmethod
    def of(cls, truth: Truth, style: Style) -> _Line:
        """Return the line of `truth`, with negations before their part and `all of` behind the name of a macro."""
        at, words = truth, []
        while at.kind == "not":
            words.append("not")
            at = at.children[0]
        if at.kind in ("macro", "exception"):
            named, kind = at, at.kind
            if at.children[0].kind in ("all", "any"):
                at = at.children[0]
                kind = f"{kind}, {at.label}"
            label = " ".join((*words, style.bold(named.label), f"({kind})"))
            return cls(label, truth, replace(at, place=named.place))
        return cls(" ".join((*words, at.label)), truth, at)


class _Tree:
    """Draws a truth tree. What was not asked is one line, or, if `whole`, all that there is of it."""

    def __init__(self, own: Source, style: Style, *, whole: bool) -> None:
        self._own = own
        self._style = style
        self._whole = whole

    def lines(self, truth: Truth, margin: str = "", branch: str = "") -> Iterable[str]:
        """Yield the lines of `truth` and of all below it."""
        line = _Line.of(truth, self._style)
        yield f"{margin}{branch}{self._drawn(line)}"
        if not truth.reached and not self._whole:
            return
        below = margin + {"": "", "├─ ": "│  ", "└─ ": "   "}[branch]
        for child in line.innermost.children:
            yield from self.lines(child, below, "└─ " if child is line.innermost.children[-1] else "├─ ")

    def _drawn(self, line: _Line) -> str:
        truth, inner, style = line.truth, line.innermost, self._style
        reason = inner.reason
        if not truth.reached:
            reason = f"not asked; {reason}" if reason else "not asked"
        text = f"{_mark(truth.holds, truth.reached, style)} {line.label}"
        text = f"{text}  {style.dim(reason)}" if reason else text
        return f"{text}{_place(inner.place, self._own, style)}"


def _place(place: Place | None, own: Source, style: Style) -> str:
    """Return the place in brackets, the file left out where it is the rule's own."""
    if place is None:
        return ""
    start = place.start
    name = "" if place.source is own else place.source.name
    return f"  {style.dim(f'[{name}:{start.line}:{start.column}]')}"


def _mark(holds: bool, reached: bool, style: Style) -> str:
    if not reached:
        return style.dim("·")
    return style.green("✓") if holds else style.red("✗")
