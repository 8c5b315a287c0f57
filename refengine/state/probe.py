"""How the state asks the machine about what no event has told it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from refengine.state.descriptors import Descriptor
from refengine.state.threads import Thread


class Probe(Protocol):
    """Looks up what there is now. Every answer may be None: gone, hidden, or never known."""

    def thread(self, tid: int, threads: Mapping[int, Thread]) -> Thread | None:
        """Return what can be found out about a thread, to be put into `threads`."""

    def descriptor(self, pid: int, number: int, known: Descriptor | None = None) -> Descriptor | None:
        """Return what the process has open as `number`: `known` itself where it still is that."""

    def descriptor_numbers(self, pid: int) -> Iterable[int]:
        """Return the numbers of what the process has open."""

    def working_directory(self, pid: int) -> str | None:
        """Return the working directory of a process or thread."""


class NoProbe:
    """The probe of recorded events: the machine that they come from cannot be asked any more."""

    def thread(self, tid: int, threads: Mapping[int, Thread]) -> Thread | None:
        """Return None."""
        return None

    def descriptor(self, pid: int, number: int, known: Descriptor | None = None) -> Descriptor | None:
        """Return None."""
        return None

    def descriptor_numbers(self, pid: int) -> Iterable[int]:
        """Return nothing."""
        return ()

    def working_directory(self, pid: int) -> str | None:
        """Return None."""
        return None
