"""The rules that an engine runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from refengine.errors import Diagnostic
from refengine.rulefile.loader import load
from refengine.rulefile.options import DEFAULTS, LoadOptions
from refengine.rulefile.rule import Rule
from refengine.source import Source


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Rules in the order of their first definition, and the warnings of their load."""

    rules: tuple[Rule, ...]
    warnings: tuple[Diagnostic, ...] = ()

    def enabled(self, source: str | None = None) -> tuple[Rule, ...]:
        """Return the rules that are switched on, of one event source or of all."""
        return tuple(rule for rule in self.rules if rule.enabled and source in (None, rule.source))

    def __iter__(self) -> Iterator[Rule]:
        return iter(self.rules)

    def __len__(self) -> int:
        return len(self.rules)

    def __getitem__(self, name: str) -> Rule:
        """Return the rule called `name`.

        :raises KeyError: when there is none.
        """
        for rule in self.rules:
            if rule.name == name:
                return rule
        raise KeyError(name)


def load_rules(*files: str | Path | Source, options: LoadOptions = DEFAULTS) -> RuleSet:
    """Load rules files, one after another, into one set; a later file may change what an earlier one defined.

    A file is given by its path, or as a `Source` with its text.

    :raises RulesError: when a file does not load, with every error of all the files.
    """
    result = load(files, options)
    result.check()
    return RuleSet(result.rules, tuple(found for found in result.diagnostics if not found.is_error))
