"""What an extractor is: the way from an event to a field's value."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeAlias

from refengine.event import Event
from refengine.values import Value

Extract: TypeAlias = "Callable[[Event], Value | None]"
"""Reads one field of an event; None where the field is absent from it."""

Candidates: TypeAlias = "Callable[[Event], Iterable[Value] | None]"
"""Gives the values that a comparison of a many-valued field is tried on; None where the field is absent."""


class AttributePath:
    """Reads what is at the end of a path of attributes, as `thread.comm`; None where something on the way is None.

    Compiled rules have the path written out instead of calling this.
    """

    __slots__ = ("names",)

    def __init__(self, path: str) -> None:
        self.names = tuple(path.split("."))

    def __call__(self, event: Event) -> Any:
        """Return the value, which is one of the field's type."""
        at: Any = event
        for name in self.names:
            at = getattr(at, name)
            if at is None:
                return None
        return at


class Extractor(NamedTuple):
    """How one field is read.

    `bind` takes the argument text between the brackets (None where the condition gives none) and returns the
    function that reads the field; it is called once, when a rule is compiled, and does there whatever work the
    argument needs. `candidates` is set for the fields whose comparison, without an argument, ranges over
    several values: both ends of a connection (`fd.ip`), all ancestors (`proc.aname`).
    """

    bind: Callable[[str | None], Extract]
    candidates: Candidates | None = None


def plain(extract: Extract) -> Extractor:
    """Return the extractor of a field that takes no argument."""
    return Extractor(lambda _argument: extract)
