"""Events that are given by the values of their fields, for tests, teaching and the conformance suite."""

from __future__ import annotations

from collections.abc import Mapping

from refengine.values import Value


class RecordedEvent:
    """An event known only by field values, each under the field's full text (`proc.aname[2]`).

    A field without a key is absent. A value that is a sequence stands, for a list field, for the list, and
    for a field that a comparison tries on several candidates (`fd.ip`, `proc.aname`) for the candidates.
    """

    __slots__ = ("number", "source", "time", "values")

    def __init__(
        self, values: Mapping[str, Value], *, source: str = "syscall", time: int = 0, number: int = 0
    ) -> None:
        self.values = values
        self.source = source
        self.time = time
        self.number = number

    @property
    def name(self) -> str:
        """The value of `evt.type`, the empty string where it is absent."""
        name = self.values.get("evt.type", "")
        return name if isinstance(name, str) else ""

    def __repr__(self) -> str:
        return f"<RecordedEvent {self.number} {self.name}>"
