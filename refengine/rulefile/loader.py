"""Loading rules files: reading, collecting, resolving; every fault of every file in one run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from refengine.condition.nodes import FieldRef
from refengine.condition.operand_parser import parse_operand
from refengine.errors import Code, ConditionError, Diagnostic, RulesError
from refengine.fields.reading import FieldError, read_field
from refengine.fields.static import NO_STATIC_FIELDS, StaticFields
from refengine.rulefile.collector import Collector
from refengine.rulefile.definitions import (
    EngineRequirement,
    ListDefinition,
    MacroDefinition,
    MacroStatement,
    PluginRequirement,
    RuleDefinition,
    Statement,
)
from refengine.rulefile.files import read_source
from refengine.rulefile.lists import ListTable
from refengine.rulefile.macros import MacroTable
from refengine.rulefile.options import DEFAULTS, LoadOptions
from refengine.rulefile.reader import read_statements
from refengine.rulefile.resolver import Resolved, Resolver
from refengine.rulefile.rule import Rule
from refengine.rulefile.selection import select
from refengine.rulefile.yaml import read_documents
from refengine.source import Source, Text


class FileResult(NamedTuple):
    """What was found in one file, in order."""

    name: str
    diagnostics: tuple[Diagnostic, ...]

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The diagnostics that make the file invalid."""
        return tuple(found for found in self.diagnostics if found.is_error)

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """The diagnostics that do not."""
        return tuple(found for found in self.diagnostics if not found.is_error)

    @property
    def successful(self) -> bool:
        """True when the file loads."""
        return not self.errors


@dataclass(frozen=True, slots=True, eq=False)
class LoadResult:
    """The outcome of a load.

    `rules` are those that are ready, in the order of first definition; with errors it may lack some. The rest
    is what describing the rules needs.
    """

    files: tuple[FileResult, ...]
    rules: tuple[Rule, ...]
    lists: ListTable
    macros: MacroTable
    list_definitions: tuple[ListDefinition, ...]
    macro_definitions: tuple[MacroDefinition, ...]
    rule_definitions: tuple[RuleDefinition, ...]
    engine_requirements: tuple[EngineRequirement, ...]
    plugin_requirements: tuple[PluginRequirement, ...]
    static_fields: StaticFields = field(default_factory=dict)

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """The diagnostics of all files."""
        return tuple(found for file in self.files for found in file.diagnostics)

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The errors of all files."""
        return tuple(found for file in self.files for found in file.errors)

    @property
    def successful(self) -> bool:
        """True when every file loads."""
        return not self.errors

    def check(self) -> None:
        """Return when every file loads.

        :raises RulesError: with the errors of all files.
        """
        if self.errors:
            raise RulesError(self.errors)


def load(files: Iterable[str | Path | Source], options: LoadOptions = DEFAULTS) -> LoadResult:
    """Load rules files, given by path or as sources, one after another into one set.

    A file may use what it and the files before it define. Nothing is raised for faults: they are in the result.
    """
    loading = _Loading(options)
    contents = [_Content.read(file) for file in files]
    for number, content in enumerate(contents):
        loading.add(content, contents[number + 1 :])
    return loading.finish()


class _Content(NamedTuple):
    """What stands in one file; `readable` is false where it could not be read as YAML."""

    name: str
    statements: tuple[Statement, ...]
    diagnostics: tuple[Diagnostic, ...]
    readable: bool

    @classmethod
    def read(cls, file: str | Path | Source) -> _Content:
        name = file.name if isinstance(file, Source) else str(file)
        report: list[Diagnostic] = []
        try:
            source = file if isinstance(file, Source) else read_source(file)
            statements = tuple(read_statements(read_documents(source), source, report))
        except RulesError as error:
            return cls(name, (), error.diagnostics, False)
        return cls(name, statements, tuple(report), True)


class _Loading:
    def __init__(self, options: LoadOptions) -> None:
        self._options = options
        self._collector = Collector(
            options.sources, lambda name, source: is_field(name, source, options.static_fields)
        )
        self._resolver = Resolver(options)
        self._resolved: Resolved | None = None
        self._names: list[str] = []
        self._found: list[list[Diagnostic]] = []
        self._seen: set[object] = set()

    def add(self, content: _Content, later: Sequence[_Content]) -> None:
        self._names.append(content.name)
        self._found.append([])
        self._keep(content.diagnostics)
        if content.readable:
            upcoming = {
                statement.definition.name: statement.definition
                for other in later
                for statement in other.statements
                if isinstance(statement, MacroStatement)
            }
            report: list[Diagnostic] = []
            for statement in content.statements:
                self._collector.apply(statement, report)
            self._resolved = self._resolver.resolve(self._collector, upcoming, report)
            self._keep(report)

    def finish(self) -> LoadResult:
        collector = self._collector
        resolved = self._resolved or self._resolver.resolve(collector, {}, [])
        if not any(found.is_error for file in self._found for found in file):
            self._report_unused(resolved)
        return LoadResult(
            tuple(
                FileResult(name, tuple(found)) for name, found in zip(self._names, self._found, strict=True)
            ),
            select(resolved.rules, self._options.selections),
            resolved.lists,
            resolved.macros,
            tuple(collector.lists.values()),
            tuple(collector.macros.values()),
            tuple(collector.rules.values()),
            tuple(collector.engine_requirements),
            tuple(collector.plugin_requirements),
            self._options.static_fields,
        )

    def _keep(self, report: Iterable[Diagnostic]) -> None:
        """Add to the last file what no file has yet: a macro's fault, say, comes up for each rule that uses it."""
        for found in report:
            place = found.place
            key = (found.code, found.message, place and (id(place.source), place.span))
            if key not in self._seen:
                self._seen.add(key)
                self._found[-1].append(found)

    def _report_unused(self, resolved: Resolved) -> None:
        """Warn of macros and lists that nothing uses, in the file that defines them first."""
        for code, kind, definitions, used in (
            (Code.UNUSED_MACRO, "macro", self._collector.macros, resolved.macros.used),
            (Code.UNUSED_LIST, "list", self._collector.lists, resolved.lists.used),
        ):
            for name, definition in definitions.items():
                if name not in used:
                    context = definition.history[0]
                    at = self._names.index(context.place.source.name)
                    self._found[at].append(context.diagnostic(code, f"no rule or macro uses {kind} '{name}'"))


def is_field(name: str, source: str, static_fields: StaticFields = NO_STATIC_FIELDS) -> bool:
    """Return whether `name`, perhaps with an argument in brackets, is a field of events of `source`."""
    try:
        operand = parse_operand(Text.of(name), 0)
        if not isinstance(operand, FieldRef) or operand.span.end != len(name):
            return False
        read_field(operand.name, operand.argument, source, static_fields)
    except (ConditionError, FieldError):
        return False
    return True
