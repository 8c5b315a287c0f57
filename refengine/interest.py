"""What the enabled rules can use of the events of a source, for a backend to deliver no more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from refengine.backends import precondition
from refengine.backends.base import Interest
from refengine.backends.precondition import Block, Comparison, Decides, Precondition, Told
from refengine.condition.event_types import ALL
from refengine.condition.glob import Glob
from refengine.condition.matcher import comparing
from refengine.condition.networks import Network
from refengine.condition.pathtree import PathTree
from refengine.condition.prefilter import Every, Fact, Formula, Never, Some, any_of, prefilter
from refengine.condition.regex import Regex
from refengine.condition.typed import Constant, Existence, Modifier, Test
from refengine.condition.types import ADDRESS_TYPES
from refengine.fields.reading import FieldRead, Many
from refengine.rulefile.rule import Rule
from refengine.values import ValueType


def interest_of(rules: Iterable[Rule], decides: Decides | None = None) -> Interest:
    """Return the event types that some of the rules can match, and the fields that they read and print.

    With `decides`, which tells what the backend can decide by itself, it has the preconditions for that, too.
    """
    rules = tuple(rules)
    types: set[str] = set()
    fields: set[str] = set()
    fields_of: dict[str, set[str]] = {}
    for rule in rules:
        types |= rule.event_types
        reads = {name for read in rule.reads() for name in (read.field.name, read.key)}
        fields |= reads
        for name in rule.event_types:
            fields_of.setdefault(name, set()).update(reads)
    if types >= ALL:
        return Interest(None, frozenset(fields))
    found = {} if decides is None else _preconditions(rules, types, decides)
    return Interest(
        frozenset(types),
        frozenset(fields),
        found,
        {name: frozenset(reads) for name, reads in fields_of.items()},
    )


def precondition_of(rule: Rule, event_type: str, decides: Decides) -> Precondition:
    """Return what an event of this type has to fulfil for `rule` to match it, as far as `decides` goes."""
    comparisons = _Comparisons()
    return comparisons.lowered(comparisons.formula(rule, event_type, decides))


def _preconditions(
    rules: tuple[Rule, ...], types: Iterable[str], decides: Decides
) -> Mapping[str, Precondition]:
    comparisons = _Comparisons()
    found = {}
    for name in sorted(types):
        formulas = (comparisons.formula(rule, name, decides) for rule in rules if name in rule.event_types)
        lowered = comparisons.lowered(any_of(formulas))
        if lowered is not True:
            found[name] = lowered
    return found


class _Comparisons:
    """Comparisons in the terms that backends know, each made once: what carries one out has to be compiled.

    Tests are told apart by what they are, not by what they say. They are kept with what was made of them: some are
    made for one formula only, and the next one could have the number of one that is gone.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[int, bool], tuple[Test | Existence, Comparison | None]] = {}

    def formula(self, rule: Rule, event_type: str, decides: Decides) -> Formula:
        def decided(test: Test | Existence) -> bool:
            comparison = self._of(test, True)
            return comparison is not None and decides(event_type, comparison)

        return prefilter(rule.condition, event_type, decided)

    def lowered(self, formula: Formula) -> Precondition:
        """Return a formula in the terms that backends know."""
        if isinstance(formula, Fact):
            comparison = self._of(formula.test, formula.holds)
            assert comparison is not None, "nothing else is decided"
            return comparison
        if isinstance(formula, Every):
            return precondition.AllOf(tuple(map(self.lowered, formula.parts)))
        if isinstance(formula, Some):
            return precondition.AnyOf(tuple(map(self.lowered, formula.parts)))
        return not isinstance(formula, Never)

    def _of(self, test: Test | Existence, holds: bool) -> Comparison | None:
        key = (id(test), holds)
        if key not in self._known:
            self._known[key] = test, _comparison(test, holds)
        return self._known[key][1]


def _comparison(test: Test | Existence, holds: bool) -> Comparison | None:
    """Return a comparison of a field with numbers, texts or addresses, None for anything else."""
    if isinstance(test, Existence) or not isinstance(test.right, tuple):
        return None
    if test.modifier in (Modifier.ONEOF, Modifier.ALLOF):
        return None  # not what a comparison with any of several constants says
    left = test.left
    if not isinstance(left, FieldRead) or left.is_list or left.many is Many.ANCESTORS:
        return None
    constants: list[Told] = []
    for constant in test.right:
        told = _told(constant, left.type)
        if told is None:
            return None
        constants.extend(told)
    return Comparison(left.key, test.operator, tuple(constants), holds, comparing(test))


def _told(constant: Constant, type: ValueType) -> tuple[Told, ...] | None:
    """Return a constant for a field of this type as backends are told of it, None where they know no such kind."""
    if isinstance(constant, str | int):
        return (constant,)
    if isinstance(constant, Glob | Regex):
        return (constant.pattern,)
    if isinstance(constant, Network):
        return (Block(constant.address, constant.prefix),)
    if isinstance(constant, bytes) and type in ADDRESS_TYPES:
        return (Block(constant, 8 * len(constant)),)
    return constant.paths if isinstance(constant, PathTree) else None
