"""What is printed at the end of a run: alerts by priority and by rule, and events seen and dropped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from refengine.backends.base import Statistics
from refengine.output.alert import Alert
from refengine.output.escape import single_line
from refengine.priority import Priority

_SHORT = {Priority.INFORMATIONAL: "INFO"}


@dataclass(slots=True)
class Tally:
    """Counts the alerts of a run."""

    by_priority: Counter[Priority] = field(default_factory=Counter)
    by_rule: Counter[str] = field(default_factory=Counter)

    def add(self, alert: Alert) -> None:
        """Count one alert."""
        self.by_priority[alert.priority] += 1
        self.by_rule[alert.rule] += 1


def total_tally(parts: Iterable[Tally]) -> Tally:
    """Return the sums of the counts of several watches, which may go on meanwhile."""
    found = Tally()
    for part in parts:
        found.by_priority.update(part.by_priority.copy())
        found.by_rule.update(part.by_rule.copy())
    return found


def total(parts: Iterable[Statistics]) -> Statistics:
    """Return the sums of the counters of several backends, which may go on meanwhile."""
    found = Statistics()
    for part in parts:
        found.seen += part.seen
        found.delivered += part.delivered
        found.filtered += part.filtered
        for cause, count in part.dropped.copy().items():
            found.dropped[cause] = found.dropped.get(cause, 0) + count
        for kind, count in part.unwatched.copy().items():
            found.unwatched[kind] = found.unwatched.get(kind, 0) + count
    return found


def summary(tally: Tally, statistics: Statistics) -> str:
    """Return the summary over several lines: first what Falco prints, then the counters of events.

    Rules that raised the most alerts come first.
    """
    lines = [f"Events detected: {tally.by_rule.total()}", "Rule counts by severity:"]
    lines += [
        f"   {_SHORT.get(priority, priority.label.upper())}: {count}"
        for priority, count in sorted(tally.by_priority.items())
    ]
    lines.append("Triggered rules by rule name:")
    lines += [f"   {single_line(rule)}: {count}" for rule, count in tally.by_rule.most_common()]
    lines.append(f"Events seen: {statistics.seen}")
    lines.append(f"Events evaluated: {statistics.delivered}")
    dropped = sum(statistics.dropped.values())
    causes = ", ".join(f"{cause}: {count}" for cause, count in sorted(statistics.dropped.items()) if count)
    lines.append(f"Events dropped: {dropped}" + (f" ({causes})" if causes else ""))
    unwatched = ", ".join(f"{kind}: {count}" for kind, count in sorted(statistics.unwatched.items()) if count)
    if unwatched:
        lines.append(f"Not watched: {unwatched}")
    return "\n".join(lines)
