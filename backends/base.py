"""The contract between the engine and whatever observes the system."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from refengine.backends.precondition import Decides, Precondition
from refengine.event import Event, RecordedEvent

if TYPE_CHECKING:
    from refengine.state.system import SystemState


@dataclass(frozen=True, slots=True)
class Interest:
    """What the enabled rules can use; a backend need deliver nothing else.

    `event_types` are values of `evt.type` whose events the rules evaluate, None meaning every type. `fields`
    are the names of the fields that conditions and outputs read, and their full texts where they have an argument
    (`evt.arg` and `evt.arg.flags`), which tells a backend what it may leave out; `fields_of` has those of the rules
    that can match an event type, where they are fewer. `preconditions` say by event type what events have to fulfil
    for any rule to match; a type that is not there has none.
    """

    event_types: frozenset[str] | None
    fields: frozenset[str] = frozenset()
    preconditions: Mapping[str, Precondition] = field(default_factory=dict)
    fields_of: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def wants(self, name: str) -> bool:
        """Return whether rules evaluate events of type `name`."""
        return self.event_types is None or name in self.event_types

    def reads(self, name: str) -> frozenset[str]:
        """Return the fields that are read of events of type `name`."""
        return self.fields_of.get(name, self.fields)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a backend can observe at all.

    `source` is the source of all its events, None where each event says its own.
    `event_types` are values of `evt.type`, None meaning all of them; `absent_fields` are the fields that have
    no value under this backend although the event has them elsewhere, each with the reason; `privileges` says
    in words what it needs; `exact` is false where parameters are approximations, and `approximate_fields` are
    the fields that this matters to, each with what is different. `keeps` are the capabilities of the process that it
    goes on to need when it has been connected, None where that is not told. `told_as_another` gives, by the names of calls
    that come in several forms, the one of `event_types` as which they are told of. `decides` tells what it can decide
    before an event costs anything (see `Interest.preconditions`). `selective` is false where all events are
    delivered in full, whatever the interest.
    """

    source: str | None
    event_types: frozenset[str] | None
    privileges: str
    keeps: frozenset[str] | None = None
    absent_fields: Mapping[str, str] = field(default_factory=dict)
    exact: bool = True
    approximate_fields: Mapping[str, str] = field(default_factory=dict)
    told_as_another: Mapping[str, str] = field(default_factory=dict)
    decides: Decides | None = None
    selective: bool = True


class Availability(NamedTuple):
    """Whether a backend can run here; where it cannot, why, and what would change that."""

    available: bool
    reason: str = ""
    remedy: str = ""


class Need(NamedTuple):
    """Something that a backend needs of the machine: whether it is there, what was found, and what helps if not."""

    name: str
    met: bool
    found: str
    remedy: str = ""


@dataclass(slots=True)
class Statistics:
    """Counters of events since `open`.

    `seen` by the probe, `delivered` to the engine, `filtered` out before it, and `dropped` by cause. A backend
    that does not know a number leaves it out of `dropped` or at zero and never guesses. `unwatched` counts by kind
    what it has noticed and cannot tell of.
    """

    seen: int = 0
    delivered: int = 0
    filtered: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    unwatched: dict[str, int] = field(default_factory=dict)


class Backend(Protocol):
    """A source of events. One that has not been opened has no side effects."""

    name: str
    capabilities: Capabilities

    def open(self, interest: Interest) -> None:
        """Start observing.

        :raises BackendError: when it cannot, with the reason and the remedy.
        """

    def read(self, timeout: float) -> Sequence[Event] | Sequence[RecordedEvent] | None:
        """Return the next events, none of them after `timeout` seconds without any; None at the end."""

    @property
    def exit_code(self) -> int | None:
        """The exit code that a watched command's end asks of the whole program, None where there is none."""

    def statistics(self) -> Statistics:
        """Return the counters so far."""

    def close(self) -> None:
        """Stop observing and leave nothing behind; may be called twice."""


def _with_open() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Connection:
    """A backend that is ready to be opened, and the state that its events keep up to date.

    `observe` must be called with every event, in order, before a rule sees it. `warnings` gives what was found
    wrong with the events so far, in sentences for people. `state` is None where events are given by their
    fields; `progress`, for sources with an end, gives the bytes read and those there are, 0 where unknown. `complete`
    tells of one that is open whether all is in place, or has failed to be, that makes events cheaper and may come after it has begun to observe.
    """

    backend: Backend
    observe: Callable[[Any], None]
    warnings: Callable[[], Sequence[str]] = tuple
    state: SystemState | None = None
    progress: Callable[[], tuple[int, int]] | None = None
    complete: Callable[[], bool] = _with_open
