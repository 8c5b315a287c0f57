"""A condition by itself, outside of a rules file."""

from __future__ import annotations

from refengine.condition.check import Checker
from refengine.condition.parser import parse
from refengine.errors import ConditionError, Diagnostic, Phase
from refengine.source import Text


def check_condition(condition: str | Text, source: str = "syscall") -> tuple[Diagnostic, ...]:
    """Return the errors of a condition, none when it may stand in a rule of the event source `source`.

    Names of macros are errors, since there is no rules file to define them. Warnings are left out; loading a
    rules file gives them too.
    """
    text = Text.of(condition) if isinstance(condition, str) else condition
    try:
        tree = parse(text)
    except ConditionError as error:
        return error.diagnostics
    found = Checker(source).check(tree, text).errors
    undefined = tuple(fault for fault in found if fault.phase is Phase.RESOLVE)
    return undefined or found
