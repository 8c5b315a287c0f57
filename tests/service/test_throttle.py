from __future__ import annotations

import pytest

from refengine.output.alert import Alert
from refengine.priority import Priority
from refengine.service import throttle
from refengine.service.throttle import Throttle, ThrottleSettings
from refengine.service.token_bucket import TokenBucket

SECOND = 1_000_000_000


def alert(rule: str, at: float, **fields: str) -> Alert:
    return Alert(rule, Priority.INFORMATIONAL, "syscall", int(at * SECOND), 0, "", fields)


def test_a_bucket_gives_its_burst_and_then_its_rate() -> None:
    bucket = TokenBucket(rate=2, burst=3, now=0)
    assert [bucket.take(0) for _ in range(4)] == [True, True, True, False]
    assert [bucket.take(at) for at in (0.4, 0.5, 0.6, 1.0, 1.1)] == [False, True, False, True, False]
    assert [bucket.take(100) for _ in range(4)] == [True, True, True, False], "never more than the burst"


def test_a_clock_that_goes_backwards_gives_nothing() -> None:
    bucket = TokenBucket(rate=1, burst=1, now=10)
    assert bucket.take(10)
    assert not bucket.take(5)
    assert not bucket.take(10.5)
    assert bucket.take(11)


def test_nothing_is_held_back_by_default() -> None:
    limits = Throttle(())
    assert all(limits.passes(alert("R", 0)) for _ in range(1000))
    assert not limits.held_back


def test_each_rule_has_its_own_bucket_and_what_is_held_back_is_counted() -> None:
    limits = Throttle([ThrottleSettings(rate=1, burst=2)])
    passed = [limits.passes(alert(rule, 0)) for rule in "AABBAB"]
    assert passed == [True, True, True, True, False, False]
    assert limits.held_back == {"A": 1, "B": 1}
    assert limits.passes(alert("A", 1))


def test_the_first_setting_for_a_rule_decides() -> None:
    limits = Throttle([ThrottleSettings(rate=0, burst=1, rule="A"), ThrottleSettings(rate=0, burst=3)])
    assert [limits.passes(alert("A", at)) for at in range(3)] == [True, False, False]
    assert [limits.passes(alert("B", at)) for at in range(4)] == [True, True, True, False]


def test_alerts_that_say_the_same_are_told_only_once() -> None:
    limits = Throttle([ThrottleSettings(rate=0, burst=1, fields=("fd.name", "proc.name"))])
    names = ["x", "x", "y", "x", "y"]
    assert [limits.passes(alert("A", 0, **{"fd.name": name})) for name in names] == [
        True,
        False,
        True,
        False,
        False,
    ]


def test_kinds_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "BUCKETS", 3)
    limits = Throttle([ThrottleSettings(rate=0, burst=1, fields=("fd.name",))])
    for name in "abcd":
        assert limits.passes(alert("A", 0, **{"fd.name": name}))
    assert not limits.passes(alert("A", 0, **{"fd.name": "d"}))
    assert limits.passes(alert("A", 0, **{"fd.name": "a"})), "the oldest has been forgotten"
