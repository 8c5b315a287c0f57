"""What names mean in a condition that is typed: fields of the events' sources, macros and lists of loaded rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from refengine.condition.check import Checker
from refengine.condition.nodes import Node
from refengine.condition.parser import parse
from refengine.condition.typed import AllOf, AnyOf, Condition, Existence, Macro, Negation, Test, fields_of
from refengine.errors import Code, ConditionError, Diagnostic, Phase
from refengine.fields.catalogue import SYSCALL
from refengine.fields.reading import FieldError, FieldRead, read_key
from refengine.rulefile.lists import TooLongError
from refengine.rulefile.loader import LoadResult, load
from refengine.rulefile.rule import Rule
from refengine.source import Span, Text


@dataclass(frozen=True, slots=True)
class Question:
    """A condition that was typed, typed for each event source that has all of its fields.

    `warnings` are doubts about it.
    """

    text: Text
    conditions: Mapping[str, Condition]
    warnings: tuple[Diagnostic, ...] = ()

    def fields(self) -> tuple[FieldRead, ...]:
        """Return the fields that it reads, those that were written in it before those of its macros."""
        written: dict[str, FieldRead] = {}
        inner: dict[str, FieldRead] = {}
        for condition in self.conditions.values():
            for part in _own_parts(condition):
                for field in fields_of(part):
                    (inner if isinstance(part, Macro) else written).setdefault(field.key, field)
        return tuple({**written, **{key: inner[key] for key in inner if key not in written}}.values())


class Scope:
    """The macros, lists and rules of a load, and the checking of conditions with them.

    :raises RulesError: when `result` has errors.
    """

    def __init__(self, result: LoadResult | None = None) -> None:
        self._result = load(()) if result is None else result
        self._result.check()
        self._checkers: dict[str, Checker] = {}

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules, in order, those that are not enabled among them."""
        return self._result.rules

    @property
    def macros(self) -> Mapping[str, str]:
        """The conditions of the macros as they were written, by their names."""
        return MappingProxyType(
            {macro.name: _one_line(macro.condition.value) for macro in self._result.macro_definitions}
        )

    @property
    def lists(self) -> Mapping[str, tuple[str, ...]]:
        """The items of the lists by their names."""
        return MappingProxyType(
            {name.name: self._result.lists.items(name.name) for name in self._result.list_definitions}
        )

    def question(self, text: Text, sources: Sequence[str]) -> Question:
        """Return what a condition asks of events of `sources`; a source that lacks its fields is left out.

        :raises ConditionError: when it is wrong for every source, with what is wrong for the first.
        """
        try:
            substituted = self._result.lists.substitute(text)
        except TooLongError as error:
            raise ConditionError([_fault(str(error), text)]) from None
        expansion = self._result.macros.expand(parse(substituted), substituted)
        faults = [
            Diagnostic(
                Code.VALIDATE,
                Phase.RESOLVE,
                fault.message,
                fault.text.place(fault.span),
                fault.notes,
                fault.suggestion,
            )
            for fault in expansion.faults
        ]
        if faults or expansion.node is None:
            raise ConditionError(faults or [_fault("a macro in it has a fault", text)])
        return self._checked(expansion.node, text, substituted, sources or (SYSCALL,))

    def _checked(self, node: Node, text: Text, substituted: Text, sources: Sequence[str]) -> Question:
        conditions: dict[str, Condition] = {}
        errors: tuple[Diagnostic, ...] = ()
        warnings: tuple[Diagnostic, ...] = ()
        for source in sources:
            checked = self._checker(source).check(node, substituted)
            if checked.condition is not None:
                conditions[source] = checked.condition
                warnings = warnings or checked.diagnostics
            errors = errors or checked.errors
        if not conditions:
            raise ConditionError(errors)
        return Question(text, conditions, warnings)

    def _checker(self, source: str) -> Checker:
        return self._checkers.setdefault(source, Checker(source, self._result.static_fields))


def field_at(text: Text, span: Span, sources: Iterable[str]) -> FieldRead:
    """Return the field whose full text stands at `span`.

    :raises ConditionError: when no source has it.
    """
    key = text.value[span.start : span.end]
    first: FieldError | None = None
    for source in (*sources, SYSCALL):
        try:
            return read_key(key, source)
        except FieldError as error:
            first = first or error
    assert first is not None, "there is always one source"
    fault = _fault(str(first), text, span)
    raise ConditionError(
        [Diagnostic(fault.code, Phase.CHECK, fault.message, fault.place, suggestion=first.suggestion)]
    )


def _own_parts(condition: Condition) -> Iterable[Test | Existence | Macro]:
    """Yield the comparisons and macros that were written in the condition itself."""
    pending = [condition]
    while pending:
        at = pending.pop()
        if isinstance(at, AllOf | AnyOf):
            pending.extend(reversed(at.children))
        elif isinstance(at, Negation):
            pending.append(at.child)
        else:
            yield at


def _fault(message: str, text: Text, span: Span | None = None) -> Diagnostic:
    place = text.place(span or Span(0, len(text.value)))
    return Diagnostic(Code.VALIDATE, Phase.RESOLVE, message, place)


def _one_line(text: str) -> str:
    return " ".join(text.split())
