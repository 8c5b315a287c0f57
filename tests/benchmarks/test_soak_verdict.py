"""The verdict of a soak, on figures as monitors have them: with and without a leak, for ten minutes and for an hour."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from benchmarks.soak_verdict import Sample, growing, lost

SEEDS = range(12)
LENGTHS = pytest.mark.parametrize("seconds", [600, 3600])

Figure = Callable[[float], float]


def flat(at: float) -> float:
    return 0.0


def leak(megabytes: float) -> Figure:
    """Return a figure that rises by so much an hour."""
    return lambda at: megabytes * at / 3600


def steps(*moments: float, height: float = 1.0) -> Figure:
    return lambda at: height * sum(at >= moment for moment in moments)


def saw(period: float, height: float) -> Figure:
    return lambda at: height * (at % period) / period


def total(*figures: Figure) -> Figure:
    return lambda at: sum(figure(at) for figure in figures)


def noise(seed: int, deviation: float) -> Figure:
    source = random.Random(seed)
    return lambda at: source.gauss(0.0, deviation)


def samples(seconds: float, *memory: Figure, objects: Figure = flat, events: float = 500) -> list[Sample]:
    """Return samples of a monitor whose memory and objects are the sums of figures; `events` come each second."""
    every = max(5.0, seconds / 180)
    held = total(*memory)
    return [
        Sample(
            at=at,
            private=30 + held(at),
            resident=75 + held(at),
            objects=round(250_000 + objects(at)),
            open=50,
            threads=3,
            known_threads=100,
            known_descriptors=40,
            processor=at / 50,
            seen=round(at * events * 3),
            evaluated=round(at * events),
            dropped=0,
            alerts=round(at * 40),
        )
        for at in (number * every for number in range(1, round(seconds / every) + 1))
    ]


@LENGTHS
@pytest.mark.parametrize("deviation", [0.0, 0.02, 0.3])
def test_what_only_varies_is_flat(seconds: float, deviation: float) -> None:
    for seed in SEEDS:
        assert growing(samples(seconds, noise(seed, deviation))) == []


@LENGTHS
def test_busy_moments_may_lift_memory_for_good(seconds: float) -> None:
    for seed in SEEDS:
        moments = [random.Random(seed).uniform(0, seconds) for _ in range(2)]
        assert growing(samples(seconds, steps(*moments), noise(seed, 0.05))) == []


@LENGTHS
@pytest.mark.parametrize("period", [20, 60, 170])
def test_what_is_taken_and_given_back_again_and_again_is_flat(seconds: float, period: float) -> None:
    for seed in SEEDS:
        assert growing(samples(seconds, saw(period, 2.0), noise(seed, 0.05))) == []


@LENGTHS
def test_the_warm_up_does_not_count(seconds: float) -> None:
    def warming(at: float) -> float:
        return 40 * min(at / seconds, 0.24)

    assert growing(samples(seconds, warming, noise(1, 0.05))) == []


@LENGTHS
@pytest.mark.parametrize("deviation", [0.0, 0.02, 0.05])
def test_a_slow_leak_is_found(seconds: float, deviation: float) -> None:
    for seed in SEEDS:
        (fault,) = growing(samples(seconds, leak(5.0), noise(seed, deviation)))
        assert fault.startswith("memory grows, certainly by ")


def test_a_leak_is_found_behind_busy_moments_and_what_is_given_back() -> None:
    for seed in SEEDS:
        moment = random.Random(seed).uniform(0, 3600)
        found = growing(samples(3600, leak(5.0), steps(moment), saw(60, 1.0), noise(seed, 0.1)))
        assert [fault[:12] for fault in found] == ["memory grows"]


def test_a_leak_that_shows_in_steps_only_is_found() -> None:
    def stairs(at: float) -> float:
        return 0.5 * (leak(5.0)(at) // 0.5)

    for seed in SEEDS:
        assert growing(samples(3600, stairs, noise(seed, 0.05))) != []


def test_a_leak_with_each_event_is_found_where_few_come() -> None:
    # 2.2 MB with a million events are 0.4 MB in an hour of 50 a second.
    (fault,) = growing(samples(3600, leak(0.4), noise(1, 0.01), events=50))
    assert re.search(r"2\.\d MB with a million events", fault)
    assert growing(samples(3600, leak(0.4), noise(1, 0.01), events=500)) == []


@LENGTHS
def test_memory_may_not_rise_much_at_once_either(seconds: float) -> None:
    (fault,) = growing(samples(seconds, steps(seconds / 2, height=8.0), noise(1, 0.05)))
    assert fault.startswith("memory rose by ")


@LENGTHS
def test_objects_that_are_kept_are_found_where_memory_has_room_for_them(seconds: float) -> None:
    for seed in SEEDS:
        (fault,) = growing(samples(seconds, objects=total(leak(80_000), noise(seed, 300))))
        assert fault.startswith("more and more objects are kept")
        assert growing(samples(seconds, objects=noise(seed, 3000))) == []


def test_too_much_memory_is_too_much_even_if_it_stays() -> None:
    found = [replace(sample, resident=151.0) for sample in samples(600)]
    assert growing(found) == ["151 MB were resident"]


@pytest.mark.parametrize("name", ["open", "threads"])
def test_descriptors_and_threads_that_stay_are_found(name: str) -> None:
    def more(sample: Sample) -> Sample:
        return replace(sample, **{name: getattr(sample, name) + int(sample.at // 100)})

    (fault,) = growing([more(sample) for sample in samples(600)])
    assert fault.startswith("there were ")


def test_threads_that_come_and_go_do_not_matter() -> None:
    found = [replace(sample, threads=3 + number % 3) for number, sample in enumerate(samples(600))]
    assert growing(found) == []


def test_too_few_samples_are_no_good_sign() -> None:
    assert growing(samples(60)) == ["12 samples are too few to judge by"]


def test_each_alert_has_to_come_once() -> None:
    assert lost(["a 1", "a 2"], Counter(["a 2", "a 1"]), 0) == []
    assert lost(["a 1", "a 2", "a 3"], Counter(["a 2", "a 2", "b 1"]), 0) == [
        "of 3 alerts 2 are missing: a 1, a 3",
        "1 alerts came again: a 2",
        "1 alerts were not expected: b 1",
    ]


def test_no_event_may_be_dropped() -> None:
    assert lost(["a 1"], Counter(["a 1"]), 3) == ["3 events were dropped"]


def test_a_short_soak_finds_what_rises_at_once() -> None:
    assert growing(samples(360, leak(5.0))) == []
    (fault,) = growing(samples(360, leak(120.0)))
    assert "memory rose" in fault
