"""Whether a figure that is taken again and again grows, told apart from noise and from steps.

What a program has taken of the system it seldom gives back: a busy moment lifts its memory for good. So what
is random is how much is added in a stretch of time, not the level, and one large addition proves nothing. A leak adds
something in nearly every stretch. Hence the two answers: how much the figure grew in all likelihood, which one step can
make large, and how much it certainly grew, which takes additions that keep coming.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

STRETCHES = 11
QUANTILE = 1.833
"""Of Student's distribution with nine degrees of freedom, for the ten additions between the stretches: what is certain
is so in 19 of 20 cases."""


@dataclass(frozen=True, slots=True)
class Growth:
    """By how much a figure grew from the first value to the last: in all likelihood, and certainly."""

    likely: float
    certain: float

    def each(self, units: float) -> Growth:
        """Return the growth in each of so many units of time or work; none where there were none."""
        return Growth(self.likely / units, self.certain / units) if units > 0 else Growth(0.0, 0.0)


def growth(values: Sequence[float]) -> Growth:
    """Return by how much values grew that were taken at even distances.

    Likely is the middle one of the slopes between any two values (Theil and Sen). Certain is the lower end of the
    confidence interval for the addition from one stretch to the next, each stretch taken by its middle value.

    :raises ValueError: when there are fewer values than stretches.
    """
    if len(values) < STRETCHES:
        raise ValueError(f"{len(values)} values are too few to tell whether they grow")
    slopes = [
        (late - early) / (last - first) for (first, early), (last, late) in combinations(enumerate(values), 2)
    ]
    last = len(values) - 1
    ends = [round(number * len(values) / STRETCHES) for number in range(STRETCHES + 1)]
    levels = [statistics.median(values[first:end]) for first, end in pairwise(ends)]
    additions = [late - early for early, late in pairwise(levels)]
    error = statistics.stdev(additions) / math.sqrt(len(additions))
    certain = statistics.fmean(additions) - QUANTILE * error
    # From the middle of the first stretch to that of the last there are as many stretches as additions.
    return Growth(statistics.median(slopes) * last, certain * STRETCHES)
