"""From everything collected so far to rules that are ready: lists, macros, exceptions, conditions, outputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from refengine.condition.check import Checked, Checker
from refengine.condition.event_types import MANY, count_event_types, event_types
from refengine.condition.nodes import Node
from refengine.condition.parser import parse
from refengine.errors import Code, ConditionError, Diagnostic, Item, Note, Phase, TemplateError
from refengine.output.template import Template, parse_template
from refengine.rulefile.collector import Collector
from refengine.rulefile.context import Context
from refengine.rulefile.definitions import SYSCALL, MacroDefinition, RuleDefinition, context_of
from refengine.rulefile.exceptions import with_exceptions
from refengine.rulefile.lists import ListTable, TooLongError
from refengine.rulefile.macros import Expansion, MacroFault, MacroTable, ParsedMacro
from refengine.rulefile.options import LoadOptions
from refengine.rulefile.rule import Rule
from refengine.rulefile.unknown import unknown_names
from refengine.source import Place, Span, Text

CONTAINER_INFO = "%container.info"
"""A variable of outputs that once stood for several fields, and now for nothing."""

_PREFIX = 20


@dataclass(frozen=True, slots=True, eq=False)
class Resolved:
    """The state after one file: the rules that are ready, and the tables that they came from."""

    rules: tuple[Rule, ...]
    lists: ListTable
    macros: MacroTable


class Resolver:
    """Resolves what a collector holds, after each file anew; what did not change is worked out once."""

    def __init__(self, options: LoadOptions) -> None:
        self._options = options
        self._memory = _Memory()

    def resolve(
        self, collector: Collector, upcoming: Mapping[str, MacroDefinition], report: list[Diagnostic]
    ) -> Resolved:
        """Return the rules that are ready; what is wrong with the others goes to `report`.

        `upcoming` are the macros of files that are loaded later.
        """
        return _Resolution(collector, upcoming, self._options, self._memory, report).run()


@dataclass(slots=True)
class _Memory:
    """What was worked out after earlier files: trees by text, expansions, and rules by name with their origin."""

    trees: dict[str, Node] = field(default_factory=dict)
    expansions: dict[tuple[int, ...], tuple[Node, Expansion]] = field(default_factory=dict)
    rules: dict[str, tuple[RuleDefinition, Expansion, Rule]] = field(default_factory=dict)


class _Resolution:
    def __init__(
        self,
        collector: Collector,
        upcoming: Mapping[str, MacroDefinition],
        options: LoadOptions,
        memory: _Memory,
        report: list[Diagnostic],
    ) -> None:
        self._collector = collector
        self._upcoming = upcoming
        self._options = options
        self._memory = memory
        self._report = report
        self._checkers: dict[str, Checker] = {}
        self._lists = ListTable(collector.lists)

    def run(self) -> Resolved:
        parsed = {macro.name: self._macro(macro) for macro in self._collector.macros.values()}
        macros = MacroTable(
            parsed,
            self._collector.unreadable("macro"),
            self._upcoming,
            self._memory.expansions,
        )
        for name, macro in parsed.items():
            self._report_macros(macros.faults(name), macro.definition.history, "macro condition")
        rules = [
            rule
            for definition in self._collector.rules.values()
            if definition.priority <= self._options.minimum_priority
            and definition.source in self._options.sources
            and (rule := self._rule(definition, macros)) is not None
            and not definition.faulty
        ]
        return Resolved(tuple(rules), self._lists, macros)

    # Conditions

    def _macro(self, definition: MacroDefinition) -> ParsedMacro:
        text = self._substituted(definition.condition, definition.history, "macro condition")
        if text is None:
            return ParsedMacro(definition, definition.condition, None)
        return ParsedMacro(definition, text, self._parsed(text, definition.history, "macro condition"))

    def _rule(self, definition: RuleDefinition, macros: MacroTable) -> Rule | None:
        history = definition.history
        text = self._with_exceptions(definition)
        written = None if text is None else self._parsed(text, history, "rule condition")
        if text is None or written is None:
            self._output(definition)
            return None
        expansion = macros.expand(written, text)
        known = self._memory.rules.get(definition.name)
        if known is not None and known[0] is definition and known[1] is expansion:
            return known[2]
        self._report_macros(expansion.faults, history, "rule condition")
        condition = None
        if expansion.node is not None:
            checked = self._checker(definition.source).check(expansion.node, text)
            condition = checked.condition
            excuse = self._excuse(checked, definition, expansion.node, text)
            if excuse is not None:
                self._report.append(excuse)
                return None
            self._report_checked(checked, definition, text)
        output = self._output(definition)
        if expansion.node is None or condition is None or output is None:
            return None
        types = event_types(condition)
        self._advise_event_types(definition, types)
        rule = Rule(
            definition.name,
            definition.source,
            definition.priority,
            definition.description,
            tuple(sorted(definition.tags)),
            definition.enabled,
            condition,
            output,
            text,
            expansion.node,
            types,
            definition,
        )
        self._memory.rules[definition.name] = (definition, expansion, rule)
        return rule

    def _with_exceptions(self, definition: RuleDefinition) -> Text | None:
        faults: list[Diagnostic] = []
        text = with_exceptions(definition.condition, definition.exceptions, faults)
        self._report.extend(faults)
        return None if faults else self._substituted(text, definition.history, "rule condition")

    def _report_checked(self, checked: Checked, definition: RuleDefinition, text: Text) -> None:
        unreadable = self._collector.unreadable("list")
        self._report.extend(
            self._located(found, text, definition.history, "rule condition")
            for found in checked.diagnostics
            if _written(found.place) not in unreadable
        )

    def _excuse(
        self, checked: Checked, definition: RuleDefinition, node: Node, text: Text
    ) -> Diagnostic | None:
        """Return the warning with which a rule is left out that allows for unknown names and uses one."""
        if not checked.errors or not definition.skip_if_unknown_filter:
            return None
        first = checked.errors[0]
        if first.place not in set(unknown_names(node, text, definition.source, self._options.static_fields)):
            return None
        return _as_excused(self._located(first, text, definition.history, "rule condition"))

    def _advise_event_types(self, definition: RuleDefinition, types: frozenset[str]) -> None:
        if definition.source == SYSCALL and definition.warn_evttypes and count_event_types(types) > MANY:
            self._report.append(
                definition.history[0].diagnostic(
                    Code.NO_EVTTYPE,
                    "the rule is evaluated on nearly every event, which is slow",
                    phase=Phase.CHECK,
                    suggestion="restrict its condition to some event types, as in 'evt.type in (open, openat)'",
                )
            )

    def _substituted(self, text: Text, history: Sequence[Context], kind: str) -> Text | None:
        try:
            return self._lists.substitute(text)
        except TooLongError as error:
            fault = Diagnostic(Code.VALIDATE, Phase.RESOLVE, str(error), text.place(Span(0, 1)))
            self._report.append(self._located(fault, text, history, kind))
            return None

    def _parsed(self, text: Text, history: Sequence[Context], kind: str) -> Node | None:
        tree = self._memory.trees.get(text.value)
        if tree is None:
            try:
                tree = self._memory.trees[text.value] = parse(text)
            except ConditionError as error:
                self._report.extend(self._located(fault, text, history, kind) for fault in error.diagnostics)
        return tree

    def _checker(self, source: str) -> Checker:
        checker = self._checkers.get(source)
        if checker is None:
            checker = self._checkers[source] = Checker(source, self._options.static_fields)
        return checker

    # Outputs

    def _output(self, definition: RuleDefinition) -> Template | None:
        text = definition.output
        if definition.source == SYSCALL and CONTAINER_INFO in text.value:
            text = self._without_container_info(definition)
        extra = [
            Text.of(extra.template, "<extra output>")
            for extra in self._options.extra_outputs
            if extra.applies(definition.name, definition.source, definition.tags)
        ]
        # The star makes an absent field print as <NA> instead of suppressing the whole output.
        text = Text.joined((Text.of("*", "<output>"), Text.joined((text, *extra))), separator="")
        try:
            return parse_template(text, definition.source, self._options.static_fields)
        except TemplateError as error:
            for fault in error.diagnostics:
                context = context_of(definition.history, fault.place)
                path = (*context.path, Item("rule output", "", fault.place))
                excused = definition.skip_if_unknown_filter and _names_something(fault)
                self._report.append(replace(_as_excused(fault) if excused else fault, path=path))
            return None

    def _without_container_info(self, definition: RuleDefinition) -> Text:
        text = definition.output
        edits = []
        at = text.value.find(CONTAINER_INFO)
        while at >= 0:
            end = at + len(CONTAINER_INFO)
            edits.append((at, end, ""))
            place = text.place(Span(at, end))
            self._report.append(
                context_of(definition.history, place)
                .child("rule output", "", place)
                .diagnostic(
                    Code.DEPRECATED_ITEM,
                    f"'{CONTAINER_INFO}' is deprecated and prints nothing: name the fields that you want",
                )
            )
            at = text.value.find(CONTAINER_INFO, end)
        return text.substituted(edits)

    # Messages

    def _report_macros(self, faults: Iterable[MacroFault], history: Sequence[Context], kind: str) -> None:
        for fault in faults:
            place = fault.text.place(fault.span)
            found = Diagnostic(
                Code.VALIDATE, Phase.RESOLVE, fault.message, place, fault.notes, fault.suggestion
            )
            self._report.append(self._located(found, fault.text, history, kind))

    def _located(self, found: Diagnostic, text: Text, history: Sequence[Context], kind: str) -> Diagnostic:
        """Return the diagnostic with the way from the file to it, and the list that it comes from if any."""
        context = context_of(history, found.place)
        start = text.place(Span(0, 1))
        value = text.value
        prefix = value if len(value) <= _PREFIX else f"{value[: _PREFIX - 3]}..."
        prefix = prefix.replace("\n", " ").replace("\r", " ")
        path = (
            *context.path,
            Item(kind, "", start),
            Item("condition expression", prefix, found.place),
        )
        return replace(found, path=path, notes=(*found.notes, *self._list_note(found)))

    def _list_note(self, found: Diagnostic) -> Iterable[Note]:
        if found.place is None:
            return
        definition = self._collector.lists.get(_written(found.place))
        if definition is not None:
            yield Note(f"'{definition.name}' stands for the items of this list", definition.history[0].place)


def _as_excused(fault: Diagnostic) -> Diagnostic:
    return replace(fault, code=Code.UNKNOWN_FILTER, message=f"{fault.message}; the rule is left out")


def _names_something(fault: Diagnostic) -> bool:
    """Return whether a fault of an output is about a name, not about a `%` with nothing behind it."""
    return _written(fault.place).lstrip("%0123456789")[:1].isalpha()


def _written(place: Place | None) -> str:
    """Return what stands at `place` in its file."""
    return "" if place is None else place.source.text[place.span.start : place.span.end]
