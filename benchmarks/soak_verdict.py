"""What a soak has shown: whether anything grew, and whether every alert came."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from benchmarks.growth import STRETCHES, Growth, growth

WARM_UP = 0.25
"""The share of the time after which nothing may grow any more."""

MEMORY_GROWTH_MAX = 1.0
"""Megabytes that memory may certainly grow by, in an hour or with a million events that are evaluated."""
MEMORY_RISE_MAX = 5.0
"""Megabytes that memory may rise by after the warm-up, for busier moments than there were before."""
RESIDENT_MAX = 150.0
"""Megabytes in all."""
OBJECTS_GROWTH_MAX = 30_000
"""Blocks of memory for Python's objects that may certainly be added, in an hour or with a million events."""
MEMORY_RISE_MIN, OBJECTS_RISE_MIN = 0.2, 4_000
"""What megabytes and blocks have to rise by in all to count: in a short soak less shows nothing, however even it comes."""
GROWTH_SECONDS = 540.0
"""How long samples have to be taken for growth to be told from chance; in a shorter soak only rises are judged."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The monitor at one moment.

    `at` is in seconds since its start. `private` is the memory in megabytes that nobody shares with it and the system
    cannot take back, `resident` all that is there; `objects` is how many blocks of memory Python's objects have. `open`
    and `threads` are its own descriptors and threads, `known_threads` and `known_descriptors` those of the machine that
    it keeps in mind. `processor` is in seconds. The rest are counters since the start.
    """

    at: float
    private: float
    resident: float
    objects: int
    open: int
    threads: int
    known_threads: int
    known_descriptors: int
    processor: float
    seen: int
    evaluated: int
    dropped: int
    alerts: int


@dataclass(frozen=True, slots=True)
class Trend:
    """By how much a figure grew after the warm-up: in an hour, with a million evaluated events, and from level to level."""

    hourly: Growth
    by_million: Growth
    rise: float

    def exceeds(self, limit: float) -> bool:
        """Return whether it certainly grew by more, in an hour or with a million events."""
        return self.hourly.certain > limit or self.by_million.certain > limit


def settled(samples: Sequence[Sample]) -> Sequence[Sample]:
    """Return the samples after the warm-up."""
    begin = samples[0].at + (samples[-1].at - samples[0].at) * WARM_UP
    return [sample for sample in samples if sample.at >= begin]


def trend(samples: Sequence[Sample], figure: Callable[[Sample], float]) -> Trend:
    """Return how a figure of samples changed, all of which count.

    :raises ValueError: when there are too few.
    """
    first, last = samples[0], samples[-1]
    found = growth([figure(sample) for sample in samples])
    early, late = (statistics.median(map(figure, part)) for part in _ends(samples))
    return Trend(
        found.each((last.at - first.at) / 3600),
        found.each((last.evaluated - first.evaluated) / 1e6),
        late - early,
    )


def growing(samples: Sequence[Sample]) -> list[str]:
    """Return what of the monitor grows, or is too large."""
    if len(settled(samples)) < STRETCHES:
        return [f"{len(samples)} samples are too few to judge by"]
    long = samples[-1].at - samples[0].at >= GROWTH_SECONDS
    samples = settled(samples)
    faults = []
    memory = trend(samples, lambda sample: sample.private)
    if long and memory.exceeds(MEMORY_GROWTH_MAX) and memory.rise > MEMORY_RISE_MIN:
        faults.append(
            f"memory grows, certainly by {memory.hourly.certain:.1f} MB an hour "
            f"or {memory.by_million.certain:.1f} MB with a million events"
        )
    if memory.rise > MEMORY_RISE_MAX:
        faults.append(f"memory rose by {memory.rise:.1f} MB after the warm-up")
    resident = max(sample.resident for sample in samples)
    if resident > RESIDENT_MAX:
        faults.append(f"{resident:.0f} MB were resident")
    objects = trend(samples, lambda sample: sample.objects)
    if long and objects.exceeds(OBJECTS_GROWTH_MAX) and objects.rise > OBJECTS_RISE_MIN:
        faults.append(
            f"more and more objects are kept, certainly {objects.hourly.certain:.0f} blocks an hour "
            f"or {objects.by_million.certain:.0f} with a million events"
        )
    for name, figure in (
        ("descriptors", lambda sample: sample.open),
        ("threads", lambda sample: sample.threads),
    ):
        early, late = (statistics.median(map(figure, part)) for part in _ends(samples))
        if late > early + 1:
            faults.append(f"there were {early:.0f} {name}, and {late:.0f} in the end")
    return faults


def lost(expected: Iterable[str], told: Counter[str], dropped: int) -> list[str]:
    """Return what is wrong with the alerts that were told, each of which was expected once, and with events dropped."""
    wanted = set(expected)
    missing = sorted(wanted - told.keys())
    others = sorted(told.keys() - wanted)
    again = sorted(alert for alert, count in told.items() if count > 1)
    faults = []
    if missing:
        faults.append(f"of {len(wanted)} alerts {len(missing)} are missing: {', '.join(missing[:5])}")
    if again:
        faults.append(f"{len(again)} alerts came again: {', '.join(again[:5])}")
    if others:
        faults.append(f"{len(others)} alerts were not expected: {', '.join(others[:5])}")
    if dropped:
        faults.append(f"{dropped} events were dropped")
    return faults


def _ends(samples: Sequence[Sample]) -> tuple[Sequence[Sample], Sequence[Sample]]:
    """Return the first and the last fifth."""
    fifth = max(1, len(samples) // 5)
    return samples[:fifth], samples[-fifth:]
