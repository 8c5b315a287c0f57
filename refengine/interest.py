"""What the enabled rules can use of the events of a source, for a backend to deliver no more."""

from __future__ import annotations

from collections.abc import Iterable

from refengine.backends.base import Interest
from refengine.condition.event_types import ALL
from refengine.rulefile.rule import Rule


def interest_of(rules: Iterable[Rule]) -> Interest:
    """Return the event types that some of the rules can match, and the fields that they read and print."""
    types: set[str] = set()
    fields: set[str] = set()
    for rule in rules:
        types |= rule.event_types
        fields.update(name for read in rule.reads() for name in (read.field.name, read.key))
    return Interest(None if types >= ALL else frozenset(types), frozenset(fields))
