"""A reference interpreter for the Falco rules language.

>>> import refengine
>>> rules = refengine.load_rules("rules/quickstart.yaml")
>>> engine = refengine.Engine(rules)
>>> engine.process(refengine.RecordedEvent({"evt.type": "execve", "proc.name": "bash"}))

What stands here is imported when it is first asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from refengine.condition.nodes import Node
    from refengine.condition.parser import parse as parse_condition
    from refengine.condition.printer import print_condition
    from refengine.condition.standalone import check_condition
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
    "Text",
    "UnsupportedFieldError",
    "check_condition",
    "load_rules",
    "parse_condition",
    "print_condition",
]

_HOMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Alert": "output.alert:Alert",
        "BackendError": "errors:BackendError",
        "Code": "errors:Code",
        "ConditionError": "errors:ConditionError",
        "Diagnostic": "errors:Diagnostic",
        "DiagnosticError": "errors:DiagnosticError",
        "Engine": "engine:Engine",
        "Event": "event:Event",
        "LoadOptions": "rulefile.options:LoadOptions",
        "Node": "condition.nodes:Node",
        "Phase": "errors:Phase",
        "Priority": "priority:Priority",
        "RecordedEvent": "event:RecordedEvent",
        "RefengineError": "errors:RefengineError",
        "Rule": "rulefile.rule:Rule",
        "RuleSet": "ruleset:RuleSet",
        "RulesError": "errors:RulesError",
        "Source": "source:Source",
        "TemplateError": "errors:TemplateError",
        "Text": "source:Text",
        "UnsupportedFieldError": "errors:UnsupportedFieldError",
        "check_condition": "condition.standalone:check_condition",
        "load_rules": "ruleset:load_rules",
        "parse_condition": "condition.parser:parse",
        "print_condition": "condition.printer:print_condition",
    }
)
"""Where each name stands: the module, and how it is called there."""


if not TYPE_CHECKING:  # for type checkers, only what is named above is there

    def __getattr__(name: str) -> object:
        """Import what is asked for; from then on it is an attribute like any other."""
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module, own_name = _HOMES[name].split(":")
        value: object = getattr(import_module(f"{__name__}.{module}"), own_name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return [*globals(), *__all__]
