"""Carrying out the statements of all files in order: definition, redefinition, append, override."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from difflib import get_close_matches

from refengine.errors import Code, Diagnostic, Note
from refengine.rulefile.context import Context
from refengine.rulefile.definitions import (
    EngineRequirement,
    ExceptionDefinition,
    ListDefinition,
    ListStatement,
    MacroDefinition,
    MacroStatement,
    PluginRequirement,
    RuleDefinition,
    RuleStatement,
    RuleToggle,
    RuleUpdate,
    Statement,
    Unreadable,
)
from refengine.rulefile.exceptions import with_defaults
from refengine.rulefile.requirements import check_engine, check_plugins
from refengine.source import Text

_ENABLED_IS_OLD = (
    "'enabled' alone is deprecated: write it together with 'override' and the entry 'enabled: replace'"
)


class Collector:
    """All definitions so far, each kind in the order of first definition.

    `is_field` tells whether a field exists for a source; `sources` are the event sources that exist. Statements
    that cannot be carried out are reported and leave everything as it was.
    """

    def __init__(self, sources: Collection[str], is_field: Callable[[str, str], bool]) -> None:
        self.lists: dict[str, ListDefinition] = {}
        self.macros: dict[str, MacroDefinition] = {}
        self.rules: dict[str, RuleDefinition] = {}
        self.engine_requirements: list[EngineRequirement] = []
        self.plugin_requirements: list[PluginRequirement] = []
        self._sources = sources
        self._is_field = is_field
        self._next = 0
        self._unreadable: set[tuple[str, str]] = set()

    def apply(self, statement: Statement, report: list[Diagnostic]) -> None:
        """Carry out one statement."""
        if isinstance(statement, ListStatement):
            self._apply_list(statement, report)
        elif isinstance(statement, MacroStatement):
            self._apply_macro(statement, report)
        elif isinstance(statement, RuleStatement):
            self._define_rule(statement.definition, report)
        elif isinstance(statement, RuleUpdate):
            self._update_rule(statement, report)
        elif isinstance(statement, RuleToggle):
            self._toggle_rule(statement, report)
        elif isinstance(statement, EngineRequirement):
            self.engine_requirements.append(statement)
            report.extend(check_engine(statement))
        elif isinstance(statement, PluginRequirement):
            self.plugin_requirements.append(statement)
            report.extend(check_plugins(statement))
        else:
            assert isinstance(statement, Unreadable)
            self._unreadable.add((statement.kind, statement.name))

    def unreadable(self, kind: str) -> frozenset[str]:
        """Return the names of a kind that some statement with a fault spoke of: their absence needs no report."""
        return frozenset(name for its_kind, name in self._unreadable if its_kind == kind)

    # Lists and macros

    def _apply_list(self, statement: ListStatement, report: list[Diagnostic]) -> None:
        new = statement.definition
        old = self.lists.get(new.name)
        if statement.append:
            if old is None:
                self._no_previous("list", new.name, new.history[0], self.lists, report)
                return
            new = replace(old, items=(*old.items, *new.items), history=(*old.history, *new.history))
        number = self._number()
        index = number if old is None else old.index
        self.lists[new.name] = replace(new, index=index, visibility=number)

    def _apply_macro(self, statement: MacroStatement, report: list[Diagnostic]) -> None:
        new = statement.definition
        old = self.macros.get(new.name)
        if statement.append:
            if old is None:
                self._no_previous("macro", new.name, new.history[0], self.macros, report)
                return
            condition = Text.joined((old.condition, new.condition))
            new = replace(old, condition=condition, history=(*old.history, *new.history))
        number = self._number()
        index = number if old is None else old.index
        self.macros[new.name] = replace(new, index=index, visibility=number)

    # Rules

    def _define_rule(self, new: RuleDefinition, report: list[Diagnostic]) -> None:
        here = new.history[0]
        old = self.rules.get(new.name)
        if old is not None and old.source != new.source:
            report.append(
                here.diagnostic(
                    Code.VALIDATE,
                    f"rule '{new.name}' is defined again for source '{new.source}';"
                    f" its source is '{old.source}' and cannot change",
                    notes=[Note("it is first defined here", old.history[0].place)],
                )
            )
            return
        if new.source not in self._sources:
            near = get_close_matches(new.source, self._sources, 1)
            report.append(
                here.diagnostic(
                    Code.UNKNOWN_SOURCE,
                    f"there is no event source '{new.source}'; the rule is left out",
                    suggestion=f"did you mean '{near[0]}'?"
                    if near
                    else f"the sources are: {', '.join(sorted(self._sources))}",
                )
            )
        exceptions = self._complete(new.exceptions, new.source, report)
        if exceptions is None:
            self._unreadable.add(("rule", new.name))
            return
        number = self._number()
        index = number if old is None else old.index
        self.rules[new.name] = replace(new, exceptions=exceptions, index=index, visibility=number)

    def _update_rule(self, update: RuleUpdate, report: list[Diagnostic]) -> None:
        old = self.rules.get(update.name)
        if old is None:
            self._no_previous("rule", update.name, update.context, self.rules, report)
            return
        if update.append and update.condition is None and not _gives_anything(update):
            report.append(
                update.context.diagnostic(
                    Code.VALIDATE, "there is nothing to append: give a 'condition' or 'exceptions'"
                )
            )
            return
        exceptions: tuple[ExceptionDefinition, ...] | None = old.exceptions
        if update.exceptions is not None and update.append:
            exceptions = self._appended(old, update.exceptions, report)
        elif update.exceptions is not None:
            exceptions = self._complete(update.exceptions, old.source, report)
        if exceptions is None:
            self._unreadable.add(("rule", update.name))
            return
        changed = (_append if update.append else _replace)(old, update)
        self.rules[old.name] = replace(
            changed,
            exceptions=exceptions,
            history=(*old.history, update.context),
            visibility=self._number(),
        )

    def _toggle_rule(self, toggle: RuleToggle, report: list[Diagnostic]) -> None:
        old = self.rules.get(toggle.name)
        if old is None:
            self._no_previous("rule", toggle.name, toggle.context, self.rules, report)
            return
        report.append(toggle.context.diagnostic(Code.DEPRECATED_ITEM, _ENABLED_IS_OLD))
        self.rules[old.name] = replace(old, enabled=toggle.enabled, history=(*old.history, toggle.context))

    # Exceptions

    def _complete(
        self, exceptions: tuple[ExceptionDefinition, ...], source: str, report: list[Diagnostic]
    ) -> tuple[ExceptionDefinition, ...] | None:
        """Return the exceptions with operators where they gave none; None where one of them has a fault."""
        faults: list[Diagnostic] = []
        complete = tuple(
            with_defaults(exception, self._field_test(source), faults) for exception in exceptions
        )
        report.extend(faults)
        return None if faults else complete

    def _appended(
        self, rule: RuleDefinition, added: tuple[ExceptionDefinition, ...], report: list[Diagnostic]
    ) -> tuple[ExceptionDefinition, ...] | None:
        """Return the rule's exceptions with values and new exceptions added; None where one has a fault."""
        exceptions = list(rule.exceptions)
        faults: list[Diagnostic] = []
        for new in added:
            at = next((at for at, old in enumerate(exceptions) if old.name == new.name), None)
            if at is None:
                if new.fields.is_given and not new.values:
                    faults.append(
                        new.context.diagnostic(
                            Code.VALIDATE,
                            f"the rule has no exception '{new.name}', and a new one needs 'values'",
                        )
                    )
                exceptions.append(with_defaults(new, self._field_test(rule.source), faults))
                continue
            old = exceptions[at]
            for key, entry in (("fields", new.fields), ("comps", new.comps)):
                if entry.is_given:
                    faults.append(
                        new.context.diagnostic(
                            Code.VALIDATE,
                            f"exception '{new.name}' exists: only values can be appended to it, not '{key}'",
                            notes=[Note("it is defined here", old.context.place)],
                        )
                    )
            exceptions[at] = replace(old, values=(*old.values, *new.values))
        report.extend(faults)
        return None if faults else tuple(exceptions)

    def _field_test(self, source: str) -> Callable[[str], bool]:
        if source not in self._sources:
            return lambda _name: True
        return lambda name: self._is_field(name, source)

    # Bookkeeping

    def _number(self) -> int:
        number = self._next
        self._next += 1
        return number

    def _no_previous(
        self, kind: str, name: str, context: Context, known: Collection[str], report: list[Diagnostic]
    ) -> None:
        if (kind, name) in self._unreadable:
            return
        near = get_close_matches(name, known, 1)
        report.append(
            context.diagnostic(
                Code.VALIDATE,
                f"there is no {kind} '{name}' before this to change",
                suggestion=f"did you mean '{near[0]}'?" if near else None,
            )
        )


def _gives_anything(update: RuleUpdate) -> bool:
    return any(
        value is not None for value in (update.output, update.description, update.tags, update.exceptions)
    )


def _append(rule: RuleDefinition, update: RuleUpdate) -> RuleDefinition:
    """Return `rule` with the texts of `update` behind its own, a blank between, and with the added tags."""
    if update.condition is not None:
        rule = replace(rule, condition=Text.joined((rule.condition, update.condition)))
    if update.output is not None:
        rule = replace(rule, output=Text.joined((rule.output, update.output)))
    if update.description is not None:
        rule = replace(rule, description=f"{rule.description} {update.description}")
    if update.tags is not None:
        rule = replace(rule, tags=rule.tags | update.tags)
    return rule


def _replace(rule: RuleDefinition, update: RuleUpdate) -> RuleDefinition:
    """Return `rule` with what `update` gives in place of its own."""
    given = {
        key: value
        for key in (
            "condition",
            "output",
            "description",
            "priority",
            "enabled",
            "warn_evttypes",
            "skip_if_unknown_filter",
            "capture",
            "capture_duration",
            "tags",
        )
        if (value := getattr(update, key)) is not None
    }
    return replace(rule, **given)
