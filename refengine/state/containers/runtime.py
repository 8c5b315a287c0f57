"""What a container runtime is to us: somebody to ask."""

from __future__ import annotations

from typing import Protocol

from refengine.state.containers.facts import ContainerFacts
from refengine.state.containers.identity import ContainerId


class UnknownError(Exception):
    """A runtime does not tell; `cause` says why in a few words that are counted by."""

    def __init__(self, cause: str, *, lasting: bool = False) -> None:
        super().__init__(cause)
        self.cause = cause
        self.lasting = lasting
        """True where asking again soon is of no use."""


NO_RUNTIME = "no runtime"
FORBIDDEN = "not allowed to ask"
NOT_FOUND = "not found"
TIMED_OUT = "no answer in time"
BROKEN = "broken answer"
"""The causes for which a container stays unknown."""


class Runtime(Protocol):
    """Somebody who knows containers of some kinds; used by several threads."""

    kinds: frozenset[str]

    def ask(self, container: ContainerId) -> ContainerFacts:
        """Return what is known of a container, within a few seconds.

        :raises UnknownError: when nothing is.
        """
