from __future__ import annotations

from refengine.backends.base import Statistics
from refengine.cli.summary import Tally, summary, total, total_tally, unmatched_summary
from refengine.output.alert import Alert
from refengine.priority import Priority


def alert(rule: str, priority: Priority) -> Alert:
    return Alert(rule, priority, "syscall", 0, 1, "")


def test_the_summary_counts_by_priority_and_rule() -> None:
    tally = Tally()
    for rule, priority in (
        ("Shell", Priority.NOTICE),
        ("Read", Priority.WARNING),
        ("Read", Priority.WARNING),
        ("List", Priority.INFORMATIONAL),
    ):
        tally.add(alert(rule, priority))
    assert summary(tally, Statistics(seen=10, delivered=8, dropped={"buffer full": 2, "none": 0})) == (
        "Events detected: 4\n"
        "Rule counts by severity:\n"
        "   WARNING: 2\n"
        "   NOTICE: 1\n"
        "   INFO: 1\n"
        "Triggered rules by rule name:\n"
        "   Read: 2\n"
        "   Shell: 1\n"
        "   List: 1\n"
        "Events seen: 10\n"
        "Events evaluated: 8\n"
        "Events dropped: 2 (buffer full: 2)"
    )


def test_what_was_noticed_and_not_watched_is_told_where_there_is_any() -> None:
    assert summary(Tally(), Statistics(unwatched={"b": 0})).endswith("\nEvents dropped: 0")
    unwatched = total([Statistics(unwatched={"b": 1, "a": 2, "c": 0}), Statistics(unwatched={"b": 1})])
    assert summary(Tally(), unwatched).endswith("\nNot watched: a: 2, b: 2")


def test_a_run_without_alerts_has_a_summary_too() -> None:
    assert summary(Tally(), Statistics()).startswith(
        "Events detected: 0\nRule counts by severity:\nTriggered"
    )


def test_events_that_no_rule_matched_are_counted_by_type() -> None:
    first, second = Tally(), Tally()
    assert unmatched_summary(first) == "Events that no rule matched: 0"
    first.unmatched.update(("openat", "execve"))
    second.unmatched.update(("openat",))
    assert (
        unmatched_summary(total_tally((first, second)))
        == "Events that no rule matched: 3 (openat: 2, execve: 1)"
    )
