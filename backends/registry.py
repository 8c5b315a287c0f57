"""The backends by name; each is imported when it is asked for, and not before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, Protocol, cast

from refengine.backends.base import Availability, Connection, Need
from refengine.backends.target import Target
from refengine.errors import BackendError


class _Module(Protocol):
    """What the module `connect` of a backend's package offers."""

    @staticmethod
    def availability() -> Availability: ...

    @staticmethod
    def connect(target: Target) -> Connection: ...


class Entry(NamedTuple):
    """A backend: its name, its package, and in words what it observes.

    `examples` are targets of the kinds that it takes, by which one is had that is not to be opened.
    """

    name: str
    package: str
    description: str
    examples: tuple[Target, ...] = (Target(),)


_FILE = Target(files=(Path("events"),))

BACKENDS: Mapping[str, Entry] = MappingProxyType(
    {
        entry.name: entry
        for entry in (
            Entry(
                "ebpf",
                "refengine.backends.ebpf",
                "the whole machine, from inside the kernel; needs root and the system's bcc",
            ),
            Entry(
                "ptrace",
                "refengine.backends.ptrace",
                "a command and everything it starts, or running processes; needs no privileges",
                (Target(command=("true",)),),
            ),
            Entry(
                "fanotify",
                "refengine.backends.fanotify",
                "files of the whole machine, and processes, as root; of given folders without privileges",
                (Target(), Target(watched=(Path("/"),))),
            ),
            Entry("capture", "refengine.backends.capture", "the events recorded in a capture file", (_FILE,)),
            Entry(
                "k8s_audit",
                "refengine.backends.k8s_audit",
                "audit events of a Kubernetes API server, from a file or as it posts them",
                (_FILE,),
            ),
            Entry(
                "events",
                "refengine.backends.events",
                "events given by their fields, as lines of JSON",
                (_FILE,),
            ),
        )
    }
)
"""Every backend by its name."""


def availability(name: str) -> Availability:
    """Return whether a backend can run here, and if not, why and what would help.

    :raises BackendError: when there is none of that name.
    """
    return _module(name).availability()


def needs(name: str) -> tuple[Need, ...]:
    """Return all that a backend needs, met or not; nothing for one that needs nothing in particular.

    :raises BackendError: when there is none of that name.
    """
    find: Callable[[], tuple[Need, ...]] = getattr(_module(name), "needs", tuple)
    return find()


def connect(name: str, target: Target) -> Connection:
    """Return a backend for `target`, not opened yet, with its state.

    :raises BackendError: when there is none of that name, or it cannot observe such a target.
    """
    return _module(name).connect(target)


def _module(name: str) -> _Module:
    entry = BACKENDS.get(name)
    if entry is None:
        near = get_close_matches(name, BACKENDS, 1)
        hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(BACKENDS)}"
        raise BackendError(f"there is no backend '{name}': {hint}")
    return cast(_Module, import_module(f"{entry.package}.connect"))
