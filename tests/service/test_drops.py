from __future__ import annotations

import json

import pytest

from refengine.backends.base import Statistics
from refengine.errors import BackendError
from refengine.output.alert import Alert
from refengine.output.formats import LineFormat
from refengine.service.drops import DropAction, DropSettings, DropWatch

BOTH = frozenset({DropAction.LOG, DropAction.ALERT})


class Trial:
    def __init__(self, **settings: object) -> None:
        self.statistics = Statistics()
        self.alerts: list[Alert] = []
        self.logged: list[str] = []
        self.watch = DropWatch(
            DropSettings(**settings),  # type: ignore[arg-type]
            lambda: self.statistics,
            self.alerts.append,
            self.logged.append,
        )

    def second(self, seen: int, **dropped: int) -> None:
        self.statistics.seen += seen
        for cause, count in dropped.items():
            self.statistics.dropped[cause] = self.statistics.dropped.get(cause, 0) + count
        self.watch.check()


def test_few_drops_are_no_matter() -> None:
    trial = Trial()
    for _ in range(5):
        trial.second(1000, buffer=100)
    assert not trial.alerts
    assert not trial.logged


def test_many_are_logged_and_raise_an_alert_once_in_a_while() -> None:
    trial = Trial()
    for _ in range(5):
        trial.second(1000, buffer=150, other=50)
    (alert,) = trial.alerts
    assert alert.rule == "Falco internal: syscall event drop"
    assert alert.source == "internal"
    assert alert.fields == {"n_drops": 200, "n_evts": 1000, "n_drops_buffer": 150, "n_drops_other": 50}
    assert trial.logged == [f"{alert.message} (buffer: 150, other: 50)"]


def test_the_forms_of_an_internal_alert() -> None:
    trial = Trial()
    trial.second(10, buffer=10)
    (alert,) = trial.alerts
    text = LineFormat(iso8601=True).line(alert, "node")
    assert text.endswith(
        ": Debug Falco internal: syscall event drop. 10 system calls dropped in last second. "
        "(n_drops=10 n_drops_buffer=10 n_evts=10)"
    )
    record = json.loads(LineFormat(json=True).line(alert, "node"))
    assert record["output"] == alert.message
    assert record["output_fields"] == dict(alert.fields)
    assert "tags" not in record


def test_a_higher_rate_allows_more() -> None:
    trial = Trial(rate=1000.0, burst=3)
    for _ in range(3):
        trial.second(10, buffer=10)
    assert len(trial.alerts) == 3


def test_ignoring_is_an_action() -> None:
    trial = Trial(actions=frozenset({DropAction.IGNORE}))
    trial.second(10, buffer=10)
    assert not trial.alerts
    assert not trial.logged


def test_the_end_is_an_action() -> None:
    trial = Trial(actions=frozenset({DropAction.EXIT}))
    with pytest.raises(BackendError, match="10 system calls dropped"):
        trial.second(10, buffer=10)


def test_drops_can_be_simulated() -> None:
    trial = Trial(simulate=True)
    trial.second(10)
    assert trial.alerts[0].fields["n_drops"] == 10
