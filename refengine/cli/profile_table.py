"""The table of `--profile-rules`: what each rule cost, and what that brought."""

from __future__ import annotations

from collections.abc import Iterable

from refengine.output.escape import single_line
from refengine.profile import RuleProfile

_HEAD = ("evaluations", "matches", "selectivity", "time ms", "ns each", "share")


def profile_table(profiles: Iterable[RuleProfile]) -> str:
    """Return the table, the rules that took the longest first; those that were never evaluated are only counted."""
    profiles = list(profiles)
    total = sum(each.nanoseconds for each in profiles)
    rows = [
        (
            f"{each.evaluations}",
            f"{each.matches}",
            f"{each.selectivity:.3%}",
            f"{each.nanoseconds / 1e6:.1f}",
            f"{each.nanoseconds / each.evaluations:.0f}",
            f"{each.nanoseconds / total:.1%}" if total else "",
            single_line(each.rule),
        )
        for each in sorted(profiles, key=lambda each: -each.nanoseconds)
        if each.evaluations
    ]
    widths = [max(map(len, column)) for column in zip(_HEAD, *(row[:-1] for row in rows), strict=True)]
    lines = ["  ".join(f"{cell:>{width}}" for cell, width in zip(_HEAD, widths, strict=True)) + "  rule"]
    lines += [
        "  ".join(f"{cell:>{width}}" for cell, width in zip(row[:-1], widths, strict=True)) + f"  {row[-1]}"
        for row in rows
    ]
    left = len(profiles) - len(rows)
    if left:
        lines.append(f"{left} rules were never evaluated: there was no event of their types")
    return "\n".join(lines)
