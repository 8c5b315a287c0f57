"""Partial evaluation: what is left of a condition once the event's type is known."""

from __future__ import annotations

from refengine.condition.event_types import always
from refengine.condition.intern import Interner
from refengine.condition.interpret import Interpreter, compare
from refengine.condition.merge import merged
from refengine.condition.reader import Read
from refengine.condition.typed import AllOf, AnyOf, Condition, Existence, Macro, Negation, Test, is_given
from refengine.fields.reading import FieldRead


class Folder:
    """Folds conditions for events of one type, and merges what is left of alternatives about one value.

    `event_type` is the value of `evt.type`, None where the events have none. With `numbered`, events are known
    to be numbered from 1, so that `evt.num = 0` never holds. Shared parts are folded once.
    """

    def __init__(self, event_type: str | None, *, numbered: bool) -> None:
        self._event_type = event_type
        self._numbered = numbered
        self._macros: dict[int, Condition | bool] = {}
        self._intern = Interner().intern

    def fold(self, condition: Condition) -> Condition | bool:
        """Return an equivalent condition, or its verdict where the event's type or the configuration decides.

        Equal conditions come out as the same object.
        """
        folded = self._fold(condition)
        return folded if isinstance(folded, bool) else self._intern(folded)

    def _fold(self, condition: Condition) -> Condition | bool:
        if isinstance(condition, AllOf | AnyOf):
            return self._several(condition)
        if isinstance(condition, Negation):
            child = self.fold(condition.child)
            if isinstance(child, bool):
                return not child
            return condition if child is condition.child else Negation(child)
        if isinstance(condition, Macro):
            return self._macro(condition)
        if is_given(condition.left) and (
            isinstance(condition, Existence)
            or isinstance(condition.right, tuple)
            or is_given(condition.right)
        ):
            return Interpreter(_NoFields()).holds(condition, None)
        if isinstance(condition.left, FieldRead) and condition.left.key == "evt.type":
            return self._event_type_test(condition)
        if self._numbered and isinstance(condition, Test) and isinstance(condition.left, FieldRead):
            right = condition.right
            if condition.left.key == "evt.num" and isinstance(right, tuple) and condition.modifier is None:
                verdict = always(condition)
                return condition if verdict is None else verdict
        return condition

    def _several(self, condition: AllOf | AnyOf) -> Condition | bool:
        decisive = isinstance(condition, AnyOf)
        children: list[Condition] = []
        for child in condition.children:
            folded = self.fold(child)
            if folded is decisive:
                return decisive
            if not isinstance(folded, bool):
                children.append(folded)
        if not children:
            return not decisive
        if len(children) == 1:
            return children[0]
        joined = merged(type(condition)(tuple(children)))
        if not isinstance(joined, AllOf | AnyOf):
            return joined
        return type(joined)(tuple(map(self._known, joined.children)))

    def _known(self, condition: Condition) -> Condition:
        """Return the one object for a comparison that merging may have made, or for its negation."""
        if isinstance(condition, Negation):
            condition = Negation(self._intern(condition.child))
        return self._intern(condition)

    def _macro(self, macro: Macro) -> Condition | bool:
        known = self._macros.get(id(macro))
        if known is None:
            body = self.fold(macro.body)
            known = body if isinstance(body, bool) else Macro(macro.name, body)
            self._macros[id(macro)] = known
        return known

    def _event_type_test(self, condition: Test | Existence) -> Condition | bool:
        if self._event_type is None:
            return False
        if isinstance(condition, Existence):
            return True
        if not isinstance(condition.right, tuple):
            return condition
        return compare(condition, self._event_type, condition.right)


class _NoFields:
    """Reads nothing: for operands whose value is the same for all events."""

    def bind(self, field: FieldRead) -> Read:
        """Never called.

        :raises AssertionError: always.
        """
        raise AssertionError(f"'{field.key}' is read of an event")
