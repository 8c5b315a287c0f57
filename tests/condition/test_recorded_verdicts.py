"""Agreement with what Falco says of thousands of conditions, and on which events hundreds of them matched."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from refengine import check_condition
from refengine.condition.compile import compile_conditions
from refengine.condition.interpret import Interpreter
from refengine.condition.typed import Condition, fields_of
from refengine.event import RecordedEvent
from refengine.fields.reading import Many
from tests.condition.evaluate import READER, check, typed
from tests.corpus import corpus

pytestmark = pytest.mark.corpus

OTHER_FORM = ("evt.time", "evt.datetime", "evt.deltatime", "thread.cpu", "proc.exe_ino.ctime_duration")
"""Fields that were recorded in another form than conditions compare: times as numbers, say."""


def lines(path: str) -> Iterator[dict[str, Any]]:
    for line in corpus(path).read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def test_conditions_are_accepted_or_refused_alike_and_with_the_same_codes() -> None:
    different = []
    for row in lines("oracle/accept.jsonl"):
        faults = check_condition(row["condition"])
        codes = {str(found.code) for found in faults}
        if (not faults, codes) != (row["ok"], set(row["codes"])):
            different.append((row["condition"], codes, row["codes"]))
    assert different == []


def test_conditions_draw_the_same_warnings() -> None:
    different = []
    for row in lines("oracle/accept.jsonl"):
        if row["ok"]:
            codes = {str(found.code) for found in check(row["condition"])[1]}
            if codes != set(row["warnings"]):
                different.append((row["condition"], codes, row["warnings"]))
    assert different == []


@cache
def events(capture: str) -> tuple[RecordedEvent, ...]:
    path = corpus(f"captures/{capture}.expected.jsonl.gz")
    with gzip.open(path, "rt", encoding="utf-8") as recorded:
        return tuple(RecordedEvent(json.loads(line)) for line in recorded)


def comparable(condition: Condition) -> bool:
    return not any(
        read.key.startswith(OTHER_FORM) or read.many is not Many.ONE for read in fields_of(condition)
    )


def rows() -> Iterator[tuple[str, str, Condition, set[int]]]:
    for row in lines("oracle/eval.jsonl"):
        condition = typed(row["condition"])
        if comparable(condition):
            recorded = {number(event) for event in events(row["capture"])}
            yield row["capture"], row["condition"], condition, recorded.intersection(row["events"])


def number(event: RecordedEvent) -> int:
    value = event.values["evt.num"]
    assert isinstance(value, int)
    return value


def test_the_interpreter_matches_the_same_events() -> None:
    interpreter = Interpreter(READER)
    different = []
    for capture, text, condition, expected in rows():
        matched = {number(event) for event in events(capture) if interpreter.holds(condition, event)}
        if matched != expected:
            different.append((capture, text, matched ^ expected))
    assert different == []


def test_compiled_rules_match_the_same_events() -> None:
    conditions: dict[str, list[tuple[str, Condition, set[int]]]] = {}
    for capture, text, condition, expected in rows():
        conditions.setdefault(capture, []).append((text, condition, expected))
    assert sum(map(len, conditions.values())) > 250
    for capture, program in conditions.items():
        found: list[set[int]] = [set() for _ in program]
        functions = {
            name: compile_conditions(
                enumerate(condition for _, condition, _ in program),
                READER,
                event_type=name,
                first_only=False,
                numbered=True,
            )
            for name in {event.name for event in events(capture)}
        }
        for event in events(capture):
            for index in functions[event.name](event):
                found[index].add(number(event))
        assert [
            (text, matched ^ expected)
            for (text, _, expected), matched in zip(program, found, strict=True)
            if matched != expected
        ] == []
