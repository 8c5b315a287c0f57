"""What checks look at: loaded rules with all that was read on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from refengine.authoring.finding import Finding, Severity
from refengine.authoring.linting.logic import Prover
from refengine.condition.nodes import Node
from refengine.condition.parser import parse
from refengine.errors import ConditionError
from refengine.rulefile.loader import LoadResult
from refengine.rulefile.rule import Rule
from refengine.source import Place, Text


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """Rules files that load."""

    result: LoadResult
    prover: Prover = field(default_factory=Prover)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All rules that are ready, in order."""
        return self.result.rules

    def written_conditions(self) -> Iterator[tuple[str, Text, Node]]:
        """Yield every condition as it was written: whose it is, its text, and its tree without lists and macros."""
        for kind, definitions in (
            ("macro", self.result.macro_definitions),
            ("rule", self.result.rule_definitions),
        ):
            for definition in definitions:
                try:
                    node = parse(definition.condition)
                except ConditionError:
                    continue  # a list that stands for more than values; what it makes is checked in the rules
                yield f"{kind} '{definition.name}'", definition.condition, node


@dataclass(frozen=True, slots=True)
class Check:
    """A check: its name, how grave what it finds is, what it finds in one sentence, and how."""

    name: str
    severity: Severity
    about: str
    run: Callable[[Subject], Iterable[Finding]]


def place_of_rule(rule: Rule) -> Place:
    """Return where a rule is defined."""
    return rule.definition.history[0].place
