"""Checks of single comparisons: absent values that `!=` passes over, expressions that say too little."""

from __future__ import annotations

import re
from collections.abc import Iterator

from refengine.authoring.explaining.wording import place_of, written_text
from refengine.authoring.finding import Finding, Severity
from refengine.authoring.linting.subject import Subject
from refengine.condition.regex import Regex
from refengine.condition.typed import AllOf, AnyOf, Condition, Existence, Macro, Negation, Test
from refengine.fields.reading import FieldRead

_OFTEN_ABSENT = (
    "fd.",
    "fs.path.",
    "evt.arg",
    "evt.rawarg",
    "k8s.",
    "ka.",
    "jevt.",
    "container.image",
    "proc.aname[",
    "proc.env",
)
"""How the names of fields begin that many events do not have, although the rule looks at them."""

_WILD = re.compile(r"\.[*]")
_SPECIAL = re.compile(r"[.^$*+?()\[\]{}|\\]")


def negated_absent(subject: Subject) -> Iterator[Finding]:
    """Yield `!=` on fields that may be absent, where it is false, although the value is certainly not the one named."""
    seen: set[int] = set()
    for rule in subject.rules:
        for test, guarded in _unequal(rule.condition, frozenset()):
            if guarded or id(test) in seen:
                continue
            seen.add(id(test))
            key = test.left.key
            if key.startswith(_OFTEN_ABSENT):
                yield Finding(
                    "unequal-absent",
                    Severity.NOTE,
                    f"'{written_text(test)}' is false where {key} is absent",
                    place_of(test),
                    suggestion=f"write 'not {key} = …' where an absent value is to count as another one,"
                    f" or '{key} exists and …' to say that it is not",
                    rule=rule.name,
                )


def _unequal(condition: Condition, present: frozenset[str]) -> Iterator[tuple[Test, bool]]:
    """Yield the comparisons by `!=`, with whether something beside them makes sure that the value is there."""
    if isinstance(condition, Macro):
        yield from _unequal(condition.body, present)
    elif isinstance(condition, Negation):
        yield from _unequal(condition.child, frozenset())
    elif isinstance(condition, AnyOf):
        for child in condition.children:
            yield from _unequal(child, present)
    elif isinstance(condition, AllOf):
        asked = present | {key for child in condition.children for key in _asks_for(child)}
        for child in condition.children:
            yield from _unequal(child, asked)
    elif isinstance(condition, Test) and condition.operator == "!=":
        yield condition, condition.left.key in present


def _asks_for(condition: Condition) -> Iterator[str]:
    """Yield the operands that are certainly there where `condition` holds, other than by `!=`."""
    if isinstance(condition, Macro):
        yield from _asks_for(condition.body)
    elif isinstance(condition, AllOf):
        for child in condition.children:
            yield from _asks_for(child)
    elif isinstance(condition, Existence) or (isinstance(condition, Test) and condition.operator != "!="):
        yield condition.left.key


def needless_regex(subject: Subject) -> Iterator[Finding]:
    """Yield expressions that a plainer operator says as well, and faster."""
    seen: set[int] = set()
    for rule in subject.rules:
        for test in _tests(rule.condition):
            if test.operator != "regex" or id(test) in seen or not isinstance(test.right, tuple):
                continue
            seen.add(id(test))
            (constant,) = test.right[:1]
            plain = (
                plainer(constant.pattern) if isinstance(constant, Regex) and len(test.right) == 1 else None
            )
            if plain is not None:
                operator, value = plain
                yield Finding(
                    "needless-regex",
                    Severity.WARNING,
                    f"'{written_text(test)}' asks no more than '{operator}' does, which is faster",
                    place_of(test),
                    suggestion=f"write {test.left.key} {operator} '{value}'",
                    rule=rule.name,
                )


def plainer(pattern: str) -> tuple[str, str] | None:
    """Return the operator and value that say the same as an expression that must fit all of a text, None where none does."""
    text = pattern.removeprefix("^").removesuffix("$")
    before = text.startswith(".*")
    text = text[2:] if before else text
    after = text.endswith(".*") and not text.endswith("\\.*")
    text = text[:-2] if after else text
    if not text or _SPECIAL.search(text):
        return None
    operators = {
        (False, False): "=",
        (False, True): "startswith",
        (True, False): "endswith",
        (True, True): "contains",
    }
    return operators[before, after], text


def _tests(condition: Condition) -> Iterator[Test]:
    pending = [condition]
    while pending:
        part = pending.pop()
        if isinstance(part, AllOf | AnyOf):
            pending.extend(part.children)
        elif isinstance(part, Negation):
            pending.append(part.child)
        elif isinstance(part, Macro):
            pending.append(part.body)
        elif isinstance(part, Test):
            yield part


def deciding_fields(condition: Condition, positive: bool = True) -> Iterator[FieldRead]:
    """Yield the fields that a condition asks to have one of several values; where it names the only one, all is said."""
    if isinstance(condition, Macro):
        yield from deciding_fields(condition.body, positive)
    elif isinstance(condition, Negation):
        yield from deciding_fields(condition.child, not positive)
    elif isinstance(condition, AllOf | AnyOf):
        for child in condition.children:
            yield from deciding_fields(child, positive)
    elif positive and isinstance(condition, Test) and isinstance(condition.left, FieldRead):
        only_one = condition.operator in ("=", "==", "!=") or (
            condition.operator in ("in", "intersects")
            and isinstance(condition.right, tuple)
            and len(condition.right) == 1
        )
        if not only_one or condition.modifier is not None:
            yield condition.left
