"""What a test of rules is: events, and the alerts that they must and must not raise."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from refengine.authoring.observing import Observation
from refengine.backends.target import Target
from refengine.engine import Matching
from refengine.event import RecordedEvent
from refengine.priority import Priority
from refengine.rulefile.yaml import Node
from refengine.source import Place, Source


@dataclass(frozen=True, slots=True)
class Named:
    """The name of a rule, and where it was written."""

    name: str
    place: Place


@dataclass(frozen=True, slots=True)
class ExpectedAlert:
    """An alert as a test describes it; what is None, or not among `fields`, does not matter.

    `event` is the number of the event that raises it. `fields` are the values to compare by the fields' full texts, as they were written.
    """

    rule: Named
    output: str | None = None
    priority: Priority | None = None
    tags: frozenset[str] | None = None
    event: int | None = None
    fields: tuple[tuple[Named, Node], ...] = ()


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a test demands.

    `alerts` are all alerts there may be, in order; None where others do not matter. `includes` must be among them.
    `silent` are rules that must raise none.
    """

    alerts: tuple[ExpectedAlert, ...] | None = None
    includes: tuple[ExpectedAlert, ...] = ()
    silent: tuple[Named, ...] = ()

    @property
    def names(self) -> tuple[Named, ...]:
        """The rules that the test speaks of."""
        return (*(alert.rule for alert in (*(self.alerts or ()), *self.includes)), *self.silent)

    @property
    def wants_alerts(self) -> bool:
        """True when no silence can fulfil it."""
        return bool(self.alerts or self.includes)


@dataclass(frozen=True, slots=True)
class Given:
    """Events that are written in the test."""

    events: tuple[RecordedEvent, ...]


@dataclass(frozen=True, slots=True)
class Observed:
    """Events that a backend delivers: from a recording, or from a command that is run for the test.

    A command that has not ended after `seconds` is ended, and the test has failed.
    """

    backend: str
    target: Target
    place: Place
    seconds: float = 30.0

    def observation(self) -> Observation:
        """Return what delivers the events."""
        return Observation(self.backend, self.target, self.seconds)


Events: TypeAlias = "Given | Observed"


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One test. `place` is where it was written; `matching` is how the engine runs, as in `refengine.Engine`."""

    name: str
    place: Place
    events: Events
    expected: Expectation
    matching: Matching


@dataclass(frozen=True, slots=True, eq=False)
class Suite:
    """The tests of one file, with the rules files that they are about."""

    name: str
    rules: tuple[Source | Path, ...]
    cases: tuple[Case, ...]
    place: Place = field(compare=False)
