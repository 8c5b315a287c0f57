"""A rule that is ready: everything resolved, checked and typed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from refengine.condition.nodes import Node
from refengine.condition.typed import Condition, fields_of, operand_fields
from refengine.fields.reading import FieldRead
from refengine.output.alert import ExtraField
from refengine.output.template import Template
from refengine.priority import Priority
from refengine.rulefile.definitions import RuleDefinition
from refengine.source import Text


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """A rule as the engine runs it.

    `text` is the condition after exceptions and lists were put in, `tree` its syntax with macros put in (they
    keep their names) and `condition` the typed form of that. `event_types` are the values of `evt.type` that
    can match. `tags` are in alphabetical order. `extra_fields` go into alerts beside those of the
    output. `definition` has what was written, and the place of every part of it.
    """

    name: str
    source: str
    priority: Priority
    description: str
    tags: tuple[str, ...]
    enabled: bool
    condition: Condition
    output: Template
    text: Text
    tree: Node
    event_types: frozenset[str]
    definition: RuleDefinition
    extra_fields: tuple[ExtraField, ...] = ()

    def concerns(self, source: str, event_type: str) -> bool:
        """Return whether events of `source` with that type can match; where the type is empty, any of the source can."""
        return self.source == source and (not event_type or event_type in self.event_types)

    def reads(self) -> Iterator[FieldRead]:
        """Yield every field that the rule compares or prints, some of them more than once."""
        yield from fields_of(self.condition)
        for template in (self.output, *(extra.template for extra in self.extra_fields)):
            for part in template.fields:
                yield from operand_fields(part.operand)
