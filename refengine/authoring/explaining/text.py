"""Explanations for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from refengine.authoring.explaining.inquiry import Answer, Inquiry
from refengine.authoring.explaining.truth import Truth, truth_of, truth_of_condition
from refengine.authoring.explaining.wording import leaf_words, listed_values
from refengine.condition.event_types import event_types
from refengine.condition.trace import Trace, nearest_miss
from refengine.condition.typed import Existence, Macro, Test
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
        *_miss(answer.trace, answer.rule.event_types, _own(answer.rule), style),
    ]
    return "\n".join(lines) + "\n"


def condition_text(trace: Trace, own: Source, event: str, style: Style) -> str:
    """Return the truth tree of a condition that is no rule's, for what `event` calls an event.

    `own` is where the condition was typed: places in it go without saying.
    """
    verdict = style.green("holds") if trace.holds else style.red("does not hold")
    tree = _Tree(own, style, whole=False, tells_own=False)
    lines = [
        f"{verdict} for {event}",
        *tree.lines(truth_of_condition(trace)),
        *_miss(trace, event_types(trace.condition), own, style, tells_own=False),
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
        rule = answer.rule
        lines.extend(f"  {line}" for line in _miss(answer.trace, rule.event_types, None, style))
    if len(others) > NEAREST:
        lines.append(
            f"{len(others) - NEAREST} more rules hold for none of the events; --rule NAME explains one"
        )
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


def _miss(
    trace: Trace, types: frozenset[str], own: Source | None, style: Style, *, tells_own: bool = True
) -> Iterator[str]:
    leaves = nearest_miss(trace)
    if not trace.holds and any(_asks_type(leaf.condition) for leaf in leaves):
        names = sorted(types)
        shown = f"{', '.join(names[:_SHOWN_TYPES])}{' …' if len(names) > _SHOWN_TYPES else ''}"
        what = "rule looks" if tells_own else "condition looks"
        yield f"the {what} at events of another type: {shown or 'of none at all'}"
    turned = "it would not hold" if trace.holds else "nearest miss: it would hold"
    yield f"{turned} if {'this' if len(leaves) == 1 else 'all of these'} were otherwise:"
    macros = dict(_macros(trace))
    for leaf in leaves:
        words = leaf_words(leaf)
        now = "holds" if leaf.holds else "does not hold"
        place = _place(words.place, own, style, tells_own=tells_own)
        macro = f"{macros[leaf]}: " if leaf in macros else ""
        yield f"  {_mark(leaf.holds, True, style)} {macro}{words.written}  {now}: {words.reason}{place}"
        if not leaf.holds and (values := listed_values(leaf.condition)):
            yield style.dim(f"      the values are {values}")


def _macros(trace: Trace, name: str = "") -> Iterator[tuple[Trace, str]]:
    """Yield the comparisons that stand in macros, each with the name of the innermost."""
    if isinstance(trace.condition, Macro):
        name = trace.condition.name
    if not trace.children and name:
        yield trace, name
    for child in trace.children:
        yield from _macros(child, name)


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

    def __init__(self, own: Source, style: Style, *, whole: bool, tells_own: bool = True) -> None:
        self._own = own
        self._tells_own = tells_own
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
        return f"{text}{_place(inner.place, self._own, style, tells_own=self._tells_own)}"


def _place(place: Place | None, own: Source | None, style: Style, *, tells_own: bool) -> str:
    """Return the place in brackets, the file left out where it is the condition's own."""
    if place is None or (place.source is own and not tells_own):
        return ""
    start = place.start
    name = "" if place.source is own else place.source.name
    return f"  {style.dim(f'[{name}:{start.line}:{start.column}]')}"


def _mark(holds: bool, reached: bool, style: Style) -> str:
    if not reached:
        return style.dim("·")
    return style.green("✓") if holds else style.red("✗")
