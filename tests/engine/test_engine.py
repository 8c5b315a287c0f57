"""Events in, alerts out."""

from __future__ import annotations

from typing import Any

import pytest

from refengine.engine import Engine, Evaluator, Matching
from refengine.errors import UnsupportedFieldError
from refengine.event import RecordedEvent
from refengine.fields import readers
from refengine.fields.extractor import plain
from refengine.priority import Priority
from tests.engine.rules import loaded, rule

EVALUATORS: list[Evaluator] = ["compile", "interpret"]
SHELL = RecordedEvent(
    {"evt.type": "execve", "proc.name": "bash", "proc.pid": 7}, time=1_700_000_000_000_000_001, number=42
)


def names(engine: Engine, event: RecordedEvent) -> list[str]:
    return [alert.rule for alert in engine.process(event)]


@pytest.fixture(params=EVALUATORS)
def evaluator(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_an_alert_says_what_matched(evaluator: Evaluator) -> None:
    rules = loaded(
        rule(
            "Shell",
            "evt.type = execve and proc.name = bash",
            "shell %proc.name (%proc.pid) %fd.name",
            tags="[b, a]",
        )
    )
    (alert,) = Engine(rules, evaluator=evaluator).process(SHELL)
    assert (alert.rule, alert.priority, alert.source) == ("Shell", Priority.WARNING, "syscall")
    assert (alert.time, alert.number) == (1_700_000_000_000_000_001, 42)
    assert alert.message == "shell bash (7) <NA>"
    assert alert.fields == {"proc.name": "bash", "proc.pid": 7, "fd.name": None}
    assert alert.tags == ("a", "b")


@pytest.mark.parametrize(("matching", "expected"), [("first", ["B"]), ("all", ["B", "C"])])
def test_rules_are_tried_in_order(evaluator: Evaluator, matching: Matching, expected: list[str]) -> None:
    rules = loaded(
        rule("A", "proc.name = cat") + rule("B", "proc.name = bash"),
        rule("C", "evt.type = execve"),
    )
    assert names(Engine(rules, matching, evaluator=evaluator), SHELL) == expected


def test_rules_that_are_switched_off_do_not_run(evaluator: Evaluator) -> None:
    rules = loaded(rule("Off", "proc.name = bash", enabled="false") + rule("On", "proc.pid = 7"))
    engine = Engine(rules, evaluator=evaluator)
    assert names(engine, SHELL) == ["On"]
    assert [each.name for each in engine.rules] == ["On"]
    assert names(Engine((), evaluator=evaluator), SHELL) == []


def test_sources_are_kept_apart(evaluator: Evaluator) -> None:
    rules = loaded(
        rule("System", "evt.num exists", "x")
        + rule("Audit", "evt.num exists", "%ka.verb", source="k8s_audit")
    )
    engine = Engine(rules, "all", evaluator=evaluator)
    assert names(engine, RecordedEvent({"evt.num": 1})) == ["System"]
    audit = RecordedEvent({"evt.num": 1, "ka.verb": "get"}, source="k8s_audit")
    assert [alert.message for alert in engine.process(audit)] == ["get"]
    assert names(engine, RecordedEvent({"evt.num": 1}, source="other")) == []


def test_rules_see_only_events_of_their_types() -> None:
    rules = loaded(
        rule("Open", "evt.type in (open, openat) and proc.name = bash") + rule("Any", "proc.pid = 7")
    )
    engine = Engine(rules, "all")
    for name, expected in [("open", ["Open"]), ("openat", ["Open"]), ("close", []), ("getpid", [])]:
        assert names(engine, RecordedEvent({"evt.type": name, "proc.name": "bash"})) == expected
    assert names(engine, RecordedEvent({"proc.pid": 7})) == ["Any"]


@pytest.mark.parametrize("options", [{"matching": "some"}, {"evaluator": "guess"}])
def test_other_ways_of_matching_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"^(matching|evaluator) is '\w+' or '\w+', not '(some|guess)'$"):
        Engine((), **options)


def test_a_value_of_another_type_is_an_error(evaluator: Evaluator) -> None:
    engine = Engine(loaded(rule("A", "proc.pid = 7")), evaluator=evaluator)
    with pytest.raises(ValueError, match=r"'x' is no value of type int64, which 'proc\.pid' has"):
        engine.process(RecordedEvent({"evt.type": "open", "proc.pid": "x"}))


def test_buffers_can_be_printed_in_base64() -> None:
    rules = loaded(rule("A", "evt.type = write", "%evt.buffer"))
    event = RecordedEvent({"evt.type": "write", "evt.buffer": b"\0\1\xff"})
    assert [alert.message for alert in Engine(rules, base64_buffers=True).process(event)] == ["AAH/"]


def test_fields_that_cannot_be_read_are_named_with_their_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"proc.name", "evt.type"}
    monkeypatch.setattr(
        readers, "extractor_of", lambda name: plain(lambda _event: "x") if name in known else None
    )
    rules = loaded(
        rule("A", "evt.type = open and proc.pid = 1", "%fd.name")
        + rule("B", "evt.type = open and tolower(proc.pname) = x", "%proc.pid")
        + rule("C", "evt.type = open", "%proc.name")
        + rule("D", "ka.verb = get", "x", source="k8s_audit")
        + rule("E", "evt.type = open and proc.cwd = x", enabled="false")
    )
    engine = Engine(rules)
    with pytest.raises(UnsupportedFieldError) as raised:
        engine.require_fields("syscall")
    assert str(raised.value) == "\n".join(
        [
            "these fields cannot be read from events yet:",
            "  proc.pid, used by 'A', 'B'",
            "  fd.name, used by 'A'",
            "  proc.pname, used by 'B'",
        ]
    )
    with pytest.raises(UnsupportedFieldError, match=r"ka\.verb, used by 'D'"):
        engine.require_fields("k8s_audit")
    Engine(loaded(rule("C", "evt.type = open", "%proc.name"))).require_fields("syscall")


def test_preparing_compiles_ahead_and_finds_fields_that_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(readers, "extractor_of", lambda _name: None)
    engine = Engine(loaded(rule("A", "evt.type = open and proc.pid = 1")))
    engine.prepare("syscall", ["close"])
    engine.prepare("k8s_audit", ["open"])
    with pytest.raises(UnsupportedFieldError, match=r"proc\.pid"):
        engine.prepare("syscall", ["open"])
    Engine(loaded(rule("A", "proc.pid = 1")), evaluator="interpret").prepare("syscall", ["open"])


def test_a_deep_condition_runs_in_both_evaluators(evaluator: Evaluator) -> None:
    deep = "not(" * 198 + "proc.name = bash" + ")" * 198
    assert names(Engine(loaded(rule("Deep", deep)), evaluator=evaluator), SHELL) == ["Deep"]
