"""What a session has on its desk: the events that were loaded, the rules, and what was selected last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from refengine.authoring.exploring.columns import Columns
from refengine.authoring.exploring.matching import matching_rows
from refengine.authoring.exploring.recordings import Recording
from refengine.authoring.exploring.scope import Question, Scope
from refengine.fields.catalogue import K8S_AUDIT, SYSCALL
from refengine.fields.reading import FieldRead, read_key
from refengine.source import Text
from refengine.terminal import Style

_USUAL = {
    SYSCALL: ("evt.type", "proc.name", "proc.cmdline", "proc.pname", "proc.exepath", "fd.name", "user.name"),
    K8S_AUDIT: ("ka.verb", "ka.user.name", "ka.target.resource", "ka.target.name", "ka.target.namespace"),
}
"""Fields that are read with the events, since nearly everybody asks for some of them."""


@dataclass(slots=True)
class Selection:
    """The events that were asked for last: all of them where there was no question. `told` of them were shown."""

    question: Question | None
    rows: Sequence[int]
    told: int = 0


class Workspace:
    """Events and rules, and what was asked of them last.

    `reader_of` gives the name of the backend that reads a recording. `width` is asked for the width of the screen
    whenever something is laid out.
    """

    def __init__(
        self,
        columns: Columns,
        scope: Scope,
        reader_of: Callable[[Path], str],
        *,
        style: Style,
        width: Callable[[], int],
    ) -> None:
        self.columns = columns
        self.scope = scope
        self.style = style
        self.width = width
        self._reader_of = reader_of
        self.selection = Selection(None, range(0))

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources of the events, by their first."""
        return tuple(dict.fromkeys(source for source, _ in self.columns.groups)) or (SYSCALL,)

    def load(self, path: Path) -> tuple[int, tuple[str, ...]]:
        """Take in the events of a recording; return how many, and what was found wrong with them.

        :raises UsageError: when it is no file, or there is no room.
        :raises BackendError: when it cannot be read.
        """
        recording = Recording.of(path, self._reader_of(path))
        known = len(self.columns.faults)
        fields = [read_key(key, source) for source, keys in _USUAL.items() for key in keys]
        count = self.columns.add(recording, fields)
        remarks = [*recording.remarks, *self.columns.faults[known:]]
        if count and len(self.columns) == self.columns.limit:
            remarks.append(f"only the first {self.columns.limit:,} events are looked at: see --limit")
        self.select_all()
        return count, tuple(remarks)

    def question(self, text: Text) -> Question:
        """Return what a condition asks of the events.

        :raises ConditionError: when it is wrong.
        """
        return self.scope.question(text, self.sources)

    def select(self, question: Question) -> None:
        """Have selected the events for which the condition holds.

        :raises UnsupportedFieldError: when a field of it cannot be read from these events.
        """
        self.selection = Selection(question, matching_rows(question, self.columns))

    def select_all(self) -> None:
        """Have selected all events."""
        self.selection = Selection(None, range(len(self.columns)))

    def shown_fields(self, rows: Sequence[int]) -> tuple[FieldRead, ...]:
        """Return the fields to show of some events: what identifies them, and what the condition asked for."""
        sources = dict.fromkeys(self.columns.sources[row] for row in rows)
        keys = [(key, source) for source in sources for key in _USUAL.get(source, ("evt.type",))[:2]]
        fields = {key: read_key(key, source) for key, source in keys}
        if self.selection.question is not None:
            for field in self.selection.question.fields():
                fields.setdefault(field.key, field)
        return tuple(field for key, field in fields.items() if key not in _TIMES)


_TIMES = ("evt.time", "evt.num")
"""Fields that every table shows anyhow."""
