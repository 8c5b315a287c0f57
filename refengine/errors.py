"""Everything that can go wrong, as data first and exceptions second.

A `Diagnostic` says what is wrong, where, and what to do about it; the exceptions carry diagnostics. Codes are
those of Falco (`LOAD_ERR_VALIDATE` and so on), so that scripts written for it keep working.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from refengine.source import Place


class Code(str, Enum):
    """The closed list of error and warning codes of a rules load."""

    FILE_READ = "LOAD_ERR_FILE_READ"
    YAML_PARSE = "LOAD_ERR_YAML_PARSE"
    YAML_VALIDATE = "LOAD_ERR_YAML_VALIDATE"
    COMPILE_CONDITION = "LOAD_ERR_COMPILE_CONDITION"
    COMPILE_OUTPUT = "LOAD_ERR_COMPILE_OUTPUT"
    VALIDATE = "LOAD_ERR_VALIDATE"
    EXTENSION = "LOAD_ERR_EXTENSION"

    UNKNOWN_SOURCE = "LOAD_UNKNOWN_SOURCE"
    UNSAFE_NA_CHECK = "LOAD_UNSAFE_NA_CHECK"
    NO_EVTTYPE = "LOAD_NO_EVTTYPE"
    UNKNOWN_FILTER = "LOAD_UNKNOWN_FILTER"
    UNUSED_MACRO = "LOAD_UNUSED_MACRO"
    UNUSED_LIST = "LOAD_UNUSED_LIST"
    UNKNOWN_ITEM = "LOAD_UNKNOWN_ITEM"
    DEPRECATED_ITEM = "LOAD_DEPRECATED_ITEM"
    WARNING_EXTENSION = "LOAD_WARNING_EXTENSION"
    APPEND_NO_VALUES = "LOAD_APPEND_NO_VALUES"
    EXCEPTION_NAME_NOT_UNIQUE = "LOAD_EXCEPTION_NAME_NOT_UNIQUE"
    INVALID_MACRO_NAME = "LOAD_INVALID_MACRO_NAME"
    INVALID_LIST_NAME = "LOAD_INVALID_LIST_NAME"
    CONDITION_WARNING = "LOAD_COMPILE_CONDITION"
    UNKNOWN_KEY = "LOAD_UNKNOWN_KEY"

    @property
    def is_error(self) -> bool:
        """True for the codes that make a file invalid."""
        return self.value.startswith("LOAD_ERR_")

    @property
    def summary(self) -> str:
        """The short text that Falco prints in parentheses after the code."""
        return _SUMMARIES[self]

    def __str__(self) -> str:
        return self.value


_SUMMARIES: dict[Code, str] = {
    Code.FILE_READ: "File read error",
    Code.YAML_PARSE: "YAML parse error",
    Code.YAML_VALIDATE: "Error validating internal structure of YAML file",
    Code.COMPILE_CONDITION: "Error compiling condition",
    Code.COMPILE_OUTPUT: "Error compiling output",
    Code.VALIDATE: "Error validating rule/macro/list/exception objects",
    Code.EXTENSION: "Error in extension item",
    Code.UNKNOWN_SOURCE: "Unknown event source",
    Code.UNSAFE_NA_CHECK: "Unsafe <NA> comparison in condition",
    Code.NO_EVTTYPE: "Condition has no event-type restriction",
    Code.UNKNOWN_FILTER: "Unknown field or event-type in condition or output",
    Code.UNUSED_MACRO: "Unused macro",
    Code.UNUSED_LIST: "Unused list",
    Code.UNKNOWN_ITEM: "Unknown rules file item",
    Code.DEPRECATED_ITEM: "Used deprecated item",
    Code.WARNING_EXTENSION: "Warning in extension item",
    Code.APPEND_NO_VALUES: "Overriding/appending with no values",
    Code.EXCEPTION_NAME_NOT_UNIQUE: "Multiple exceptions defined with the same name",
    Code.INVALID_MACRO_NAME: "Invalid macro name",
    Code.INVALID_LIST_NAME: "Invalid list name",
    Code.CONDITION_WARNING: "Warning in rule condition",
    Code.UNKNOWN_KEY: "Unknown key in item definition",
}


class Phase(str, Enum):
    """The stage of the pipeline that found the fault; later stages see only what earlier ones passed."""

    READ = "read"
    YAML = "yaml"
    STRUCTURE = "structure"
    PARSE = "parse"
    RESOLVE = "resolve"
    CHECK = "check"
    OUTPUT = "output"

    def __str__(self) -> str:
        return self.value


class Note(NamedTuple):
    """A further remark on a diagnostic, with the other place concerned where there is one."""

    message: str
    place: Place | None = None


class Item(NamedTuple):
    """One step of the way to a fault: `rule "Shell in a container"`, `condition expression`, and so on.

    Kinds are the item types that Falco's JSON result names.
    """

    kind: str
    name: str
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One fault or doubt: its code, the phase that found it, a message, and the place to show."""

    code: Code
    phase: Phase
    message: str
    place: Place | None = None
    notes: tuple[Note, ...] = ()
    suggestion: str | None = None
    path: tuple[Item, ...] = ()

    @property
    def is_error(self) -> bool:
        """True for an error, false for a warning."""
        return self.code.is_error

    @property
    def span(self) -> tuple[int, int] | None:
        """The offsets of the place in its source, or None where the diagnostic has no place."""
        return None if self.place is None else (self.place.span.start, self.place.span.end)

    def __str__(self) -> str:
        where = "" if self.place is None else f"{self.place}: "
        return f"{where}{self.code}: {self.message}"


class RefengineError(Exception):
    """The root of every error that the project raises on purpose."""


class DiagnosticError(RefengineError):
    """An error that carries one diagnostic or more; its text is all of them, with carets."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics: tuple[Diagnostic, ...] = tuple(diagnostics)
        super().__init__(self.diagnostics)

    def __str__(self) -> str:
        from refengine.report import render  # the renderer imports this module

        return "\n".join(render(diagnostic) for diagnostic in self.diagnostics)


class ConditionError(DiagnosticError):
    """A condition that does not parse or does not check."""


class TemplateError(DiagnosticError):
    """An output template that does not parse or names an unknown field."""


class RulesError(DiagnosticError):
    """Rules files that do not load; carries every error of all the files."""


class UnsupportedFieldError(RefengineError):
    """A field of the catalogue that this version cannot extract from the events of the chosen source."""


class BackendError(RefengineError):
    """A backend that cannot start, or cannot go on; the message says why and what to do.

    `exit_code` is what the program should end with: 127 and 126 for a command to watch that is not found or
    cannot be executed, 1 otherwise.
    """

    def __init__(self, message: str, exit_code: int = 1) -> None:
        self.exit_code = exit_code
        super().__init__(message)


class UsageError(RefengineError):
    """A command line or a configuration that makes no sense."""
