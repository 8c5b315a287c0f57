"""A reference interpreter for the Falco rules language.

>>> import refengine
>>> rules = refengine.load_rules("rules/quickstart.yaml")
>>> engine = refengine.Engine(rules)
>>> engine.process(refengine.RecordedEvent({"evt.type": "execve", "proc.name": "bash"}))
"""

from __future__ import annotations

from refengine.condition.check import Checker
from refengine.condition.nodes import Node
from refengine.condition.parser import parse as parse_condition
from refengine.condition.printer import print_condition
from refengine.engine import Engine
from refengine.errors import (
    BackendError,
    Code,
    ConditionError,
    Diagnostic,
    DiagnosticError,
    Phase,
    RefengineError,
    RulesError,
    TemplateError,
    UnsupportedFieldError,
)
from refengine.event import Event, RecordedEvent
from refengine.output.alert import Alert
from refengine.priority import Priority
from refengine.rulefile.options import LoadOptions
from refengine.rulefile.rule import Rule
from refengine.ruleset import RuleSet, load_rules
from refengine.source import Source, Text

__all__ = [
    "Alert",
    "BackendError",
    "Code",
    "ConditionError",
    "Diagnostic",
    "DiagnosticError",
    "Engine",
    "Event",
    "LoadOptions",
    "Node",
    "Phase",
    "Priority",
    "RecordedEvent",
    "RefengineError",
    "Rule",
    "RuleSet",
    "RulesError",
    "Source",
    "TemplateError",
    "UnsupportedFieldError",
    "check_condition",
    "load_rules",
    "parse_condition",
    "print_condition",
]


def check_condition(condition: str | Text, source: str = "syscall") -> tuple[Diagnostic, ...]:
    """Return the errors of a condition, none when it may stand in a rule of the event source `source`.

    Names of macros are errors, since there is no rules file to define them. Warnings are left out; loading a
    rules file gives them too.
    """
    text = Text.of(condition) if isinstance(condition, str) else condition
    try:
        tree = parse_condition(text)
    except ConditionError as error:
        return error.diagnostics
    found = Checker(source).check(tree, text).errors
    undefined = tuple(fault for fault in found if fault.phase is Phase.RESOLVE)
    return undefined or found
