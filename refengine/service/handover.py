"""Whether a backend that is open delivers what new rules need, and what else can be done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from refengine.backends.base import Interest
from refengine.backends.precondition import Precondition
from refengine.rulefile.rule import Rule

OVERLAP = 1_000_000
"""Nanoseconds by which two backends overlap, since they may give one event slightly different times."""


def covers(opened: Interest, wanted: Interest) -> bool:
    """Return whether a backend that was opened with one interest delivers all that another one asks for."""
    if opened.event_types is not None and (
        wanted.event_types is None or not wanted.event_types <= opened.event_types
    ):
        return False
    if opened.fields:
        if not wanted.fields <= opened.fields:
            return False
        if not all(
            wanted.reads(name) <= opened.reads(name) for name in wanted.event_types or opened.fields_of
        ):
            return False
    return _let_through(opened.preconditions, wanted)


def _let_through(opened: Mapping[str, Precondition], wanted: Interest) -> bool:
    """Return whether the preconditions of before keep nothing back that is wanted now."""
    for name, precondition in opened.items():
        if wanted.wants(name) and wanted.preconditions.get(name, True) != precondition:
            return False
    return True


def blind(rules: Iterable[Rule], opened: Interest) -> Iterator[str]:
    """Yield the names of the rules that need events, or fields of them, that were not asked for."""
    for rule in rules:
        types = opened.event_types
        reads = {name for read in rule.reads() for name in (read.field.name, read.key)}
        if (types is not None and not rule.event_types <= types) or (
            opened.fields and not all(reads <= opened.reads(name) for name in rule.event_types)
        ):
            yield rule.name
