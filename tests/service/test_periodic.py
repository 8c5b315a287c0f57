from __future__ import annotations

import pytest

from refengine.service.periodic import Periodic


def test_each_action_has_its_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("refengine.service.periodic.time.monotonic", lambda: now[0])
    done: list[tuple[str, float]] = []
    jobs = Periodic(
        [(1.0, lambda: done.append(("often", now[0]))), (2.5, lambda: done.append(("rarely", now[0])))]
    )
    for tenth in range(1, 61):
        now[0] = 100.0 + tenth / 10
        jobs.run()
    assert [at for name, at in done if name == "often"] == pytest.approx([101, 102, 103, 104, 105, 106])
    assert [at for name, at in done if name == "rarely"] == pytest.approx([102.5, 105])


def test_a_loop_that_had_no_time_catches_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("refengine.service.periodic.time.monotonic", lambda: now[0])
    done: list[float] = []
    jobs = Periodic([(1.0, lambda: done.append(now[0]))])
    now[0] = 10.0
    jobs.run()
    jobs.run()
    assert done == [10.0]


def test_nothing_to_do_is_fine() -> None:
    Periodic().run()
