"""What rules files define, and what they do to earlier definitions.

A reader turns each item of a file into one of the statements below; the collector carries them out in order.
Definitions are never changed: appending makes a new one in the old one's place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from refengine.priority import Priority
from refengine.rulefile.context import Context
from refengine.rulefile.versions import Version
from refengine.source import Place, Text

SYSCALL = "syscall"
"""The event source of rules that name none."""


@dataclass(frozen=True, slots=True)
class ListDefinition:
    """A list. `index` is the number of its first statement among all statements, `visibility` of its last."""

    name: str
    items: tuple[Text, ...]
    history: tuple[Context, ...]
    index: int = 0
    visibility: int = 0


@dataclass(frozen=True, slots=True)
class MacroDefinition:
    """A macro. `index` and `visibility` are as for a list."""

    name: str
    condition: Text
    history: tuple[Context, ...]
    index: int = 0
    visibility: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """A value of an exception: a text, or a list of entries (then the text is empty)."""

    text: Text
    items: tuple[Entry, ...] = ()
    is_list: bool = False

    @property
    def is_given(self) -> bool:
        """True when there is something in it."""
        return bool(self.items) if self.is_list else self.text.value != ""


@dataclass(frozen=True, slots=True)
class ExceptionDefinition:
    """An exception of a rule, as written: `fields` and `comps` may be missing (not given)."""

    name: str
    fields: Entry
    comps: Entry
    values: tuple[Entry, ...]
    context: Context


@dataclass(frozen=True, slots=True)
class RuleDefinition:
    """A rule with everything that later statements did to it.

    `history` has the context of each statement that defined or changed it. `capture_duration` is in
    milliseconds. `index` and `visibility` are as for a list. A `faulty` rule is one of which some parts could
    not be read: the others are checked, but it never runs.
    """

    name: str
    condition: Text
    output: Text
    description: str
    priority: Priority
    history: tuple[Context, ...]
    source: str = SYSCALL
    enabled: bool = True
    warn_evttypes: bool = True
    skip_if_unknown_filter: bool = False
    capture: bool = False
    capture_duration: int = 0
    tags: frozenset[str] = frozenset()
    exceptions: tuple[ExceptionDefinition, ...] = ()
    index: int = 0
    visibility: int = 0
    faulty: bool = False


@dataclass(frozen=True, slots=True)
class ListStatement:
    """Define a list, or append its items to the one of the same name."""

    definition: ListDefinition
    append: bool


@dataclass(frozen=True, slots=True)
class MacroStatement:
    """Define a macro, or append its condition to the one of the same name."""

    definition: MacroDefinition
    append: bool


@dataclass(frozen=True, slots=True)
class RuleStatement:
    """Define a rule."""

    definition: RuleDefinition


@dataclass(frozen=True, slots=True)
class RuleUpdate:
    """Append to some keys of an earlier rule, or replace them; None leaves a key as it is."""

    name: str
    append: bool
    context: Context
    condition: Text | None = None
    output: Text | None = None
    description: str | None = None
    priority: Priority | None = None
    enabled: bool | None = None
    warn_evttypes: bool | None = None
    skip_if_unknown_filter: bool | None = None
    capture: bool | None = None
    capture_duration: int | None = None
    tags: frozenset[str] | None = None
    exceptions: tuple[ExceptionDefinition, ...] | None = None


@dataclass(frozen=True, slots=True)
class RuleToggle:
    """Enable or disable an earlier rule."""

    name: str
    enabled: bool
    context: Context


@dataclass(frozen=True, slots=True)
class EngineRequirement:
    """The file needs an engine of this version or a later one."""

    version: Version
    context: Context


@dataclass(frozen=True, slots=True)
class PluginVersion:
    """A plugin and the least version of it, as written."""

    name: str
    version: str
    place: Place


@dataclass(frozen=True, slots=True)
class PluginRequirement:
    """The file needs one of these plugins."""

    alternatives: tuple[PluginVersion, ...]
    context: Context


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An item with a fault, already reported; later items may speak of its name."""

    kind: str
    name: str


Statement: TypeAlias = (
    ListStatement
    | MacroStatement
    | RuleStatement
    | RuleUpdate
    | RuleToggle
    | EngineRequirement
    | PluginRequirement
    | Unreadable
)


def context_of(history: Sequence[Context], place: Place | None) -> Context:
    """Return the context of the statement that `place` was written in, of the first where none holds it."""
    if place is not None:
        for context in reversed(history):
            if context.holds(place):
                return context
    return history[0]
