"""Which of the kept events a condition holds for."""

from __future__ import annotations

from refengine.authoring.exploring.columns import Columns
from refengine.authoring.exploring.scope import Question
from refengine.condition.compile import compile_conditions
from refengine.condition.event_types import event_types


def matching_rows(question: Question, columns: Columns) -> list[int]:
    """Return the rows of the events for which the condition holds, in order.

    :raises UnsupportedFieldError: when a field of it cannot be read from these events at all.
    """
    columns.read(question.fields())
    found: list[int] = []
    for source, condition in question.conditions.items():
        types = event_types(condition)
        for (of_source, name), rows in columns.groups.items():
            if of_source != source or (name and name not in types):
                continue
            match = compile_conditions(
                ((0, condition),), columns, event_type=name or None, first_only=True, numbered=False
            )
            found.extend(row for row in rows if match(row))
    found.sort()
    return found
