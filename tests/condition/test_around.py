from __future__ import annotations

import pytest

from refengine import Engine, RecordedEvent, Source, load_rules


@pytest.mark.parametrize(("distance", "matches"), [(0, True), (100, True), (101, False)])
def test_events_around_a_time_are_those_no_farther_away(distance: int, matches: bool) -> None:
    rules = load_rules(
        Source(
            "rules.yaml", "[{rule: r, desc: d, output: o, priority: info, condition: 'evt.around[5] = 100'}]"
        )
    )
    event = RecordedEvent({"evt.type": "open", "evt.around[5]": distance})
    assert bool(Engine(rules).process(event)) is matches
