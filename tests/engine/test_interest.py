"""What rules need of events: each comparison is told as what it is, however many rules there are."""

from __future__ import annotations

from collections.abc import Iterator

from refengine import load_rules
from refengine.backends.precondition import Comparison, Precondition
from refengine.interest import interest_of
from refengine.source import Source

RULE = """
- rule: r{n}
  desc: Comparisons of one field are made one, for each type of event anew, and those of processes come to nothing
  condition: >
    evt.type in (open, openat, openat2) and (proc.pname = a{n} or proc.pname = b{n} or proc.name in (c{n}, d{n}))
    and (fd.name = /x{n} or fd.name in (/y{n}, /z{n}))
  output: o
  priority: INFO
"""
COUNT = 60


def comparisons(precondition: Precondition) -> Iterator[Comparison]:
    if isinstance(precondition, Comparison):
        yield precondition
    elif not isinstance(precondition, bool):
        for part in precondition.parts:
            yield from comparisons(part)


def test_comparisons_that_are_made_for_one_type_are_not_taken_for_others() -> None:
    text = "".join(RULE.format(n=number) for number in range(COUNT))
    rules = load_rules(Source("rules.yaml", text)).enabled("syscall")
    found = interest_of(rules, lambda _, comparison: comparison.field == "fd.name").preconditions
    assert set(found) == {"open", "openat", "openat2"}
    for precondition in found.values():
        told = list(comparisons(precondition))
        assert {each.field for each in told} == {"fd.name"}
        names = {name for each in told for name in each.constants}
        assert names == {f"/{letter}{number}" for letter in "xyz" for number in range(COUNT)}
