"""A rule that is ready: everything resolved, checked and typed."""

from __future__ import annotations

from dataclasses import dataclass

from refengine.condition.nodes import Node
from refengine.condition.typed import Condition
from refengine.output.template import Template
from refengine.priority import Priority
from refengine.rulefile.definitions import RuleDefinition
from refengine.source import Text


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """A rule as the engine runs it.

    `text` is the condition after exceptions and lists were put in, `tree` its syntax with macros put in (they
    keep their names) and `condition` the typed form of that. `event_types` are the values of `evt.type` that
    can match. `tags` are in alphabetical order. `definition` has what was written, and the
    place of every part of it.
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
