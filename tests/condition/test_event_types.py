"""The event types that a condition can match, and what the type leaves of it."""

from __future__ import annotations

import pytest

from refengine.condition.event_types import ALL, NONE, count_event_types, event_types
from refengine.condition.fold import Folder
from refengine.condition.interpret import Interpreter
from refengine.condition.typed import AllOf, Condition, Macro, fields_of
from refengine.condition.typed import Test as Comparison
from refengine.event import RecordedEvent
from refengine.fields.reading import FieldRead
from tests.condition.evaluate import READER, typed

OPENS = frozenset({"open", "openat"})
SETS: list[tuple[str, frozenset[str]]] = [
    ("evt.type = open", frozenset({"open"})),
    ("evt.type == open", frozenset({"open"})),
    ("evt.type in (open, openat)", OPENS),
    ("evt.type intersects (open, openat)", OPENS),
    ("evt.type != open", ALL - {"open"}),
    ("not evt.type in (open, openat)", ALL - OPENS),
    ("not evt.type != open", frozenset({"open"})),
    ("syscall.type = open", frozenset({"open"})),
    ("evt.type in ()", NONE),
    ("evt.type = ''", frozenset({""})),
    ("evt.type startswith open", ALL),
    ("evt.type exists", ALL),
    ("not evt.type exists", ALL),
    ("evt.type = anyof (open, openat)", ALL),
    ("tolower(evt.type) = open", ALL),
    ("proc.name = open", ALL),
    ("not proc.name = open", ALL),
    ("evt.type = open and proc.name = cat", frozenset({"open"})),
    ("evt.type = open or proc.name = cat", ALL),
    ("evt.type = open or evt.type = openat", OPENS),
    ("evt.type = open and evt.type = openat", NONE),
    ("evt.type in (open, openat) and not evt.type = open", frozenset({"openat"})),
    ("not (evt.type = open or evt.type = openat)", ALL - OPENS),
    ("not (evt.type = open and proc.name = cat)", ALL),
    ("not (evt.type != open and evt.type != openat)", OPENS),
    ("not (not evt.type = open)", frozenset({"open"})),
    ("not (proc.name = cat or evt.type = open)", ALL - {"open"}),
    ("evt.num = 0", NONE),
    ("evt.num != 0", ALL),
    ("not evt.num != 0", NONE),
    ("evt.num > 0", ALL),
    ("evt.num <= 0", NONE),
    ("evt.num < 1", NONE),
    ("evt.num >= 1", ALL),
    ("not evt.num >= 1", NONE),
    ("evt.num = 1", ALL),
    ("evt.num = 5", ALL),
    ("evt.num in (0)", NONE),
    ("evt.num in ()", NONE),
    ("evt.num = 0 or evt.type = open", frozenset({"open"})),
]


@pytest.mark.parametrize(("text", "types"), SETS)
def test_the_types_that_a_condition_can_match(text: str, types: frozenset[str]) -> None:
    assert event_types(typed(text)) == types


def test_types_pass_through_macros() -> None:
    opens = Macro("opens", typed("evt.type = open"))
    assert event_types(AllOf((opens, typed("proc.name = cat")))) == {"open"}


def test_types_are_counted_by_the_rows_of_the_table() -> None:
    assert count_event_types(NONE) == 0
    assert count_event_types(frozenset({"open"})) >= 1
    assert count_event_types(ALL) > 100


def fields(condition: Condition | bool) -> list[str] | bool:
    """Return the fields that a folded condition still reads, or its verdict."""
    return condition if isinstance(condition, bool) else [read.key for read in fields_of(condition)]


@pytest.mark.parametrize(
    ("text", "event_type", "left"),
    [
        ("evt.type = open", "open", True),
        ("evt.type = open", "close", False),
        ("evt.type = open", None, False),
        ("evt.type != open", "close", True),
        ("evt.type != open", None, False),
        ("not evt.type = open", None, True),
        ("evt.type exists", "open", True),
        ("evt.type exists", None, False),
        ("evt.type in (open, close)", "close", True),
        ("evt.type startswith open", "openat", True),
        ("evt.type = oneof (open, open)", "open", False),
        ("evt.type = open and proc.name = cat", "open", ["proc.name"]),
        ("evt.type = open and proc.name = cat", "close", False),
        ("evt.type = open or proc.name = cat", "open", True),
        ("evt.type = open or proc.name = cat", "close", ["proc.name"]),
        ("(evt.type = open and proc.name = a) or (evt.type = close and fd.num = 1)", "close", ["fd.num"]),
        ("not (evt.type = open and proc.name = cat)", "open", ["proc.name"]),
        ("not (evt.type = open and proc.name = cat)", "close", True),
        ("tolower(evt.type) = open", "open", ["evt.type"]),
        ("syscall.type = open", "open", ["syscall.type"]),
        ("evt.num = 0 or proc.name = cat", "open", ["proc.name"]),
        ("evt.num > 0 and proc.name = cat", "open", ["proc.name"]),
        ("evt.num > 1", "open", ["evt.num"]),
    ],
)
def test_what_the_type_decides_is_folded_away(
    text: str, event_type: str | None, left: list[str] | bool
) -> None:
    assert fields(Folder(event_type, numbered=True).fold(typed(text))) == left


def test_numbers_decide_nothing_where_events_have_none() -> None:
    assert fields(Folder("open", numbered=False).fold(typed("evt.num = 0"))) == ["evt.num"]


def test_shared_parts_are_folded_once_and_stay_shared() -> None:
    macro = Macro("m", typed("evt.type = open and proc.name = cat and proc.pid = 1"))
    folded = Folder("open", numbered=True).fold(AllOf((macro, typed("fd.num = 1"), macro)))
    assert isinstance(folded, AllOf)
    assert folded.children[0] is folded.children[2]
    assert fields(folded) == ["proc.name", "proc.pid", "fd.num"]


def test_a_condition_that_the_type_does_not_concern_stays_itself() -> None:
    condition = typed("proc.name = cat")
    assert isinstance(condition, Comparison)
    assert isinstance(condition.left, FieldRead)
    assert Folder("open", numbered=True).fold(condition) is condition


@pytest.mark.parametrize(
    "text", [text for text, _ in SETS if "evt.num" not in text and "syscall.type" not in text]
)
@pytest.mark.parametrize("name", ["open", "openat", "close"])
def test_the_types_are_never_too_few(text: str, name: str) -> None:
    condition = typed(text)
    if Interpreter(READER).holds(condition, RecordedEvent({"evt.type": name, "proc.name": "cat"})):
        assert name in event_types(condition)
