"""What a load can be told."""

from __future__ import annotations

from typing import NamedTuple

from refengine.fields.catalogue import K8S_AUDIT, SYSCALL
from refengine.fields.static import NO_STATIC_FIELDS, StaticFields
from refengine.priority import Priority
from refengine.rulefile.selection import Selection

SOURCES = frozenset({SYSCALL, K8S_AUDIT})
"""The event sources of the backends."""


class ExtraOutput(NamedTuple):
    """A template to put behind the output of the rules that match: of this name, source and all these tags."""

    template: str
    rule: str | None = None
    source: str | None = None
    tags: frozenset[str] = frozenset()

    def applies(self, rule: str, source: str, tags: frozenset[str]) -> bool:
        """Return whether a rule gets it."""
        return self.rule in (None, rule) and self.source in (None, source) and self.tags <= tags


class LoadOptions(NamedTuple):
    """Options of a load.

    Rules of a priority less grave than `minimum_priority` are left out. `selections` enable and disable rules,
    one after another. `static_fields` are the values of the fields `static.NAME`.
    """

    minimum_priority: Priority = Priority.DEBUG
    selections: tuple[Selection, ...] = ()
    extra_outputs: tuple[ExtraOutput, ...] = ()
    static_fields: StaticFields = NO_STATIC_FIELDS
    sources: frozenset[str] = SOURCES


DEFAULTS = LoadOptions()
"""Options that change nothing."""
