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
    """Counts the alerts of a run, and by type the events that raised none."""

    by_priority: Counter[Priority] = field(default_factory=Counter)
    by_rule: Counter[str] = field(default_factory=Counter)
    unmatched: Counter[str] = field(default_factory=Counter)

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
        found.unmatched.update(part.unmatched.copy())
    return found


def total(parts: Iterable[Statistics]) -> Statistics:
    """Return the sums of the counters of several backends, which may go on meanwhile."""
    found = Statistics()
    for part in parts:
        found.seen += part.seen
        found.delivered += part.delivered
        found.filtered += part.filtered
        _add(found.dropped, part.dropped)
        _add(found.unwatched, part.unwatched)
    return found


def _add(sums: dict[str, int], counts: dict[str, int]) -> None:
    for what, count in counts.copy().items():
        sums[what] = sums.get(what, 0) + count


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
    causes = _listed(statistics.dropped)
    lines.append(f"Events dropped: {dropped}" + (f" ({causes})" if causes else ""))
    unwatched = _listed(statistics.unwatched)
    if unwatched:
        lines.append(f"Not watched: {unwatched}")
    return "\n".join(lines)


def unmatched_summary(tally: Tally) -> str:
    """Return a line with the types of events that were evaluated for nothing, the most frequent ones first."""
    types = ", ".join(f"{name}: {count}" for name, count in tally.unmatched.most_common())
    return f"Events that no rule matched: {tally.unmatched.total()}" + (f" ({types})" if types else "")


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{what}: {count}" for what, count in sorted(counts.items()) if count)
