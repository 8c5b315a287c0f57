from __future__ import annotations

import pytest

from benchmarks.soak_rules import RULES, alert_of, alerts
from refengine import load_rules
from refengine.source import Source


def test_the_rules_are_valid() -> None:
    rules = load_rules(Source("soak.yaml", RULES.format(folder="/tmp/soak", port=4000))).rules
    assert [rule.name for rule in rules][-1] == "Soak connected"


def test_alerts_are_those_of_the_things_done() -> None:
    assert list(alerts({"opened": 2, "connected": 2, "lived": 0})) == [
        "opened opened-0",
        "opened opened-1",
        "connected 127.0.0.1",
        "connected 127.0.0.2",
    ]


@pytest.mark.parametrize(
    ("line", "alert"),
    [
        ("10:00:00.000000000: Informational soak opened /tmp/soak-a/opened-17", "opened opened-17"),
        ("10:00:00.000000000: Informational soak connected 127.0.1.44", "connected 127.0.1.44"),
        ("10:00:00.000000000: Informational File below /etc opened (file=/etc/soak)", None),
        ("Events detected: 3", None),
    ],
)
def test_lines_are_recognised(line: str, alert: str | None) -> None:
    assert alert_of(line) == alert
