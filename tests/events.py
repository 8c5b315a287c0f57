"""Events of system calls for tests, made from the parameters that matter to them."""

from __future__ import annotations

from refengine.event import Event, ParamValue
from refengine.fields.catalogue import CATALOGUE
from refengine.fields.registry import extractor_of
from refengine.state.system import SystemState
from refengine.state.threads import Thread
from refengine.tables.event_types import BY_ENUM
from refengine.values import Value, ValueType

_PYTHON_TYPES: dict[ValueType, type | tuple[type, ...]] = {
    ValueType.CHARBUF: str,
    ValueType.BYTEBUF: bytes,
    ValueType.BOOL: bool,
    ValueType.DOUBLE: float,
    ValueType.IPADDR: bytes,
    ValueType.IPNET: bytes,
    ValueType.DYN: (int, str, bytes, float),
}

NOW = 1_700_000_000_000_000_000
"""The time of events that do not say another, in nanoseconds since the epoch."""


def made(enum: str, tid: int = 100, /, *, at: int = NOW, **named: ParamValue | None) -> Event:
    """Return an event of a type; parameters that are not named are absent."""
    kind = BY_ENUM[enum]
    unknown = set(named) - set(kind.index)
    assert not unknown, f"{enum} has no parameter {unknown}"
    return Event(kind, at, tid, [named.get(param.name) for param in kind.params])


def machine(*threads: tuple[int, int, str]) -> SystemState:
    """Return a state that knows threads, each given by number, parent and short name, and no probe to ask."""
    state = SystemState(hostname="machine")
    for tid, ptid, comm in threads or ((100, 1, "shell"),):
        thread = Thread(
            tid, tid, state.threads, ptid=ptid, vtid=tid, vpid=tid, comm=comm, exe=comm, cwd="/home/me/"
        )
        thread.uid = thread.gid = 1000
        state.seed(thread)
    return state


def applied(
    state: SystemState, enum: str, tid: int = 100, /, *, at: int = NOW, **named: ParamValue | None
) -> Event:
    """Return an event of which the state has taken notice."""
    event = made(enum, tid, at=at, **named)
    state.apply(event)
    return event


def field(event: Event, name: str, argument: str | None = None) -> Value | None:
    """Return the value of a field."""
    extractor = extractor_of(name)
    assert extractor is not None, f"{name} has no extractor"
    return extractor.bind(argument)(event)


def has_type(name: str, value: Value) -> bool:
    """Return whether a value is one that the field of that name may have."""
    entry = CATALOGUE[name]
    return isinstance(value, tuple if entry.is_list else _PYTHON_TYPES.get(entry.type, int))


def candidates(event: Event, name: str) -> list[Value] | None:
    """Return the values that a comparison of a field is tried on."""
    extractor = extractor_of(name)
    assert extractor is not None
    assert extractor.candidates is not None
    found = extractor.candidates(event)
    return None if found is None else list(found)
