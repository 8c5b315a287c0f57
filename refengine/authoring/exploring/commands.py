"""The commands of a session, each with the words that explain it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from types import MappingProxyType

from refengine.authoring.explaining.inquiry import Inquiry
from refengine.authoring.explaining.text import answer_text, condition_text, summary_text
from refengine.authoring.exploring.completion import field_words
from refengine.authoring.exploring.guide import TOPICS, overview
from refengine.authoring.exploring.line import Argument
from refengine.authoring.exploring.scope import field_at
from refengine.authoring.exploring.table import Heading, table
from refengine.authoring.exploring.views import count_lines, counted, event_lines, selection_lines
from refengine.authoring.exploring.workspace import Workspace
from refengine.condition.trace import Tracer
from refengine.engine import Engine
from refengine.event import Event, RecordedEvent
from refengine.fields.catalogue import CATALOGUE
from refengine.fields.readers import RecordedReader, SystemReader
from refengine.rulefile.rule import Rule
from refengine.source import Span

_WORD = re.compile(r"[^\s,]+")
_WHERE = re.compile(r"(?:^|\s)where\s+")


@dataclass(frozen=True, slots=True)
class Command:
    """A command: its name, what comes behind it, what it does, and the function that yields its lines."""

    name: str
    arguments: str
    about: str
    run: Callable[[Workspace, Argument], Iterable[str]]


def show_all(at: Workspace, argument: Argument) -> Iterator[str]:
    """Select all events."""
    argument.require_none()
    at.select_all()
    yield from selection_lines(at)


def show_more(at: Workspace, argument: Argument) -> Iterator[str]:
    """Show the next page of what is selected."""
    argument.require_none()
    if at.selection.told >= len(at.selection.rows):
        yield "there are no more"
    else:
        yield from selection_lines(at)


def count(at: Workspace, argument: Argument) -> Iterator[str]:
    """Count the values of fields, in what is selected, or in what `where` selects."""
    where = _WHERE.search(argument.text.value)
    named = argument if where is None else argument.before(where.start())
    spans = [found.span() for found in _WORD.finditer(named.text.value)]
    if not spans:
        raise argument.fault("name a field to count the values of, as in: count proc.name")
    fields = [field_at(named.text, Span(*span), at.sources) for span in spans]
    if where is not None:
        at.select(at.question(argument.behind(where.end()).text))
        at.selection.told = len(at.selection.rows)
    yield from count_lines(at, fields)


def explain(at: Workspace, argument: Argument) -> Iterator[str]:
    """Say why a condition or a rule holds for an event or does not."""
    number, rest = argument.number("explain")
    row = _row(at, argument, number)
    text = rest.text.value
    if text and (rules := _named(at.scope.rules, text)):
        yield _explained(at, row, rules)
    elif text or at.selection.question is not None:
        question = at.question(rest.text) if text else at.selection.question
        assert question is not None, "one of the two is there"
        event = at.columns.event(row)
        condition = question.conditions.get(event.source)
        if condition is None:
            raise argument.fault(f"event {number} is of {event.source}, which has other fields")
        tracer = Tracer(RecordedReader() if isinstance(event, RecordedEvent) else SystemReader())
        name = f"event {number} ({event.name or 'without evt.type'})"
        own = question.text.place(Span(0, 0)).source
        yield condition_text(tracer.trace(condition, event), own, name, at.style).rstrip("\n")
    elif at.scope.rules:
        yield _explained(at, row, ())
    else:
        raise argument.fault(f"type a condition first, or one behind the number: explain {number} CONDITION")


def _explained(at: Workspace, row: int, rules: tuple[Rule, ...]) -> str:
    enabled = tuple(rule for rule in at.scope.rules if rule.enabled)
    event = _numbered(at.columns.event(row), at.columns.numbers[row])
    inquiry = Inquiry(rules or enabled, enabled)
    inquiry.see(event)
    if not inquiry.answers():
        return f"the rules look at no events of {event.source}"
    if not rules:
        return summary_text(inquiry, at.style).rstrip("\n")
    return "\n".join(answer_text(answer, at.style) for answer in inquiry.answers()).rstrip("\n")


def show(at: Workspace, argument: Argument) -> Iterator[str]:
    """Show the fields of an event."""
    number, rest = argument.number("show")
    event = at.columns.event(_row(at, argument, number))
    yield from event_lines(event, rest.text.value.lower(), at)


def run_rules(at: Workspace, argument: Argument) -> Iterator[str]:
    """Run the loaded rules over all events: which alert, and how often."""
    rules = tuple(rule for rule in at.scope.rules if rule.enabled)
    pattern = argument.text.value
    if pattern:
        rules = tuple(_named(rules, pattern))
        if not rules:
            raise argument.fault(f"no rule that is enabled has a name like '{pattern}'")
    if not rules:
        raise argument.fault("there are no rules: give them with -r when the session starts")
    engine = Engine(rules, "all")
    held: Counter[str] = Counter()
    alone: Counter[str] = Counter()
    first: dict[str, int] = {}
    for row, event in enumerate(at.columns.events()):
        for place, alert in enumerate(engine.process(event)):
            held[alert.rule] += 1
            alone[alert.rule] += place == 0
            first.setdefault(alert.rule, at.columns.numbers[row])
    rows = [
        [
            f"{alone[rule.name]:,}",
            f"{held[rule.name]:,}",
            str(first[rule.name]),
            rule.priority.label,
            rule.name,
        ]
        for rule in sorted(rules, key=lambda rule: -held[rule.name])
        if rule.name in first
    ]
    headings = [
        Heading("alerts", True),
        Heading("holds", True),
        Heading("first event", True),
        Heading("priority"),
        Heading("rule"),
    ]
    if rows:
        yield from table(headings, rows, at.width(), at.style)[0]
    if silent := len(rules) - len(rows):
        others = f"{silent} {'other ' if rows else ''}rule{'s hold' if silent > 1 else ' holds'}"
        yield at.style.dim(f"{others} for none of {counted(len(at.columns))}")
    if any(alone[name] < held[name] for name in held):
        yield at.style.dim(
            "fewer alerts than it holds for: an earlier rule takes the event, unless all are to match"
        )


def find_fields(at: Workspace, argument: Argument) -> Iterator[str]:
    """List the fields with a text in their name or description."""
    pattern = argument.text.value.lower()
    rows = [
        [name, about]
        for name, about in field_words("", at.sources)
        if _fits(name, pattern) or (pattern and "*" not in pattern and pattern in about.lower())
    ]
    if not rows:
        raise argument.fault(f"no field has '{argument.text.value}' in its name or its description")
    # What has it in its name comes first.
    rows.sort(key=lambda row: not _fits(row[0], pattern))
    yield from table([Heading("field"), Heading("type and meaning")], rows, at.width(), at.style)[0]
    yield at.style.dim(f"{len(rows)} of {len(CATALOGUE)} fields")


def list_macros(at: Workspace, argument: Argument) -> Iterator[str]:
    """List the macros of the loaded rules."""
    yield from _named_table(at, argument, "macro", "condition", at.scope.macros)


def list_lists(at: Workspace, argument: Argument) -> Iterator[str]:
    """List the lists of the loaded rules."""
    items = {name: ", ".join(items) for name, items in at.scope.lists.items()}
    yield from _named_table(at, argument, "list", "items", items)


def load(at: Workspace, argument: Argument) -> Iterator[str]:
    """Take in the events of another recording."""
    if not argument.text.value:
        raise argument.fault("name a recording: a capture, events as lines of JSON, or audit events")
    yield from load_lines(at, Path(argument.text.value).expanduser())


def load_lines(at: Workspace, path: Path) -> Iterator[str]:
    """Take in the events of a recording; yield what came of it."""
    count, remarks = at.load(path)
    yield f"{counted(count)} from {path}"
    for remark in remarks:
        yield f"{at.style.yellow('warning')}: {remark}"


def help_on(at: Workspace, argument: Argument) -> Iterator[str]:
    """Say how to go about it."""
    topic = argument.text.value.lower()
    if not topic:
        yield from overview(((each.name, each.arguments, each.about) for each in COMMANDS.values()), at.style)
    elif topic in TOPICS:
        yield TOPICS[topic].strip("\n")
    elif topic in COMMANDS:
        yield f"{topic} {COMMANDS[topic].arguments}".rstrip()
        yield f"  {COMMANDS[topic].about}"
    else:
        raise argument.fault(f"there is no help on '{topic}': there is on {', '.join((*TOPICS, *COMMANDS))}")


def _row(at: Workspace, argument: Argument, number: int) -> int:
    row = at.columns.row(number)
    if row is None:
        numbers = at.columns.numbers
        there = f"they are numbered from {numbers[0]} to {numbers[-1]}" if numbers else "none are loaded"
        raise argument.before(len(str(number))).fault(f"there is no event {number}: {there}")
    return row


def _numbered(event: Event | RecordedEvent, number: int) -> Event | RecordedEvent:
    event.number = number  # that of the session, of which there may be several recordings
    return event


def _named(rules: Iterable[Rule], pattern: str) -> tuple[Rule, ...]:
    return tuple(rule for rule in rules if fnmatchcase(rule.name.lower(), pattern.lower()))


def _fits(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern) if "*" in pattern else pattern in name


def _named_table(
    at: Workspace, argument: Argument, what: str, content: str, items: Mapping[str, str]
) -> Iterator[str]:
    pattern = argument.text.value
    if not items:
        raise argument.fault(f"there are no {what}s: give rules with -r when the session starts")
    rows = [[name, text] for name, text in items.items() if _fits(name, pattern)]
    if not rows:
        raise argument.fault(f"no {what} has '{pattern}' in its name")
    yield from table([Heading(what), Heading(content)], rows, at.width(), at.style)[0]


COMMANDS: Mapping[str, Command] = MappingProxyType(
    {
        each.name: each
        for each in (
            Command("all", "", "select all events again", show_all),
            Command("more", "", "show the next rows of what is selected", show_more),
            Command(
                "count", "FIELD… [where CONDITION]", "count the values of fields in what is selected", count
            ),
            Command(
                "explain",
                "N [CONDITION | RULE]",
                "say why a condition or rule holds for event N, or does not",
                explain,
            ),
            Command(
                "show", "N [TEXT]", "show the fields of event N, or those with a text in their name", show
            ),
            Command(
                "rules", "[PATTERN]", "run the rules over all events: which alert, and how often", run_rules
            ),
            Command("fields", "[TEXT]", "find fields by name or meaning", find_fields),
            Command("macros", "[TEXT]", "list macros of the rules", list_macros),
            Command("lists", "[TEXT]", "list lists of the rules", list_lists),
            Command("load", "FILE", "take in the events of another recording", load),
            Command("help", "[TOPIC]", "say how to go about it", help_on),
        )
    }
)
"""The commands by their names; any other line is a condition."""
