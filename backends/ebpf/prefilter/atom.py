"""A comparison as the kernel side carries it out: an expression in C, and the same thing in Python.

The Python form is what tests hold against the interpreter. Both give three answers: yes, no, and unknown, which
counts as whatever is wanted. Constants go into the C text as numbers only, never as text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from refengine.backends.ebpf.prefilter.facts import Facts, Level
from refengine.backends.precondition import Told


@dataclass(frozen=True, slots=True)
class Atom:
    """A comparison as the kernel side carries it out.

    `expression` is true for yes where the outcome is known; `known` says in C when it is, None meaning always.
    `names` are short names of threads that have to be in the kernel side's set of names, under `names_key`. `hint` is
    a comparison of a lower level that knows the outcome more rarely; it is never known to be another.
    """

    level: Level
    expression: str
    holds: Callable[[Facts], bool | None]
    known: str | None = None
    names: frozenset[bytes] = frozenset()
    hint: Atom | None = None

    def at(self, level: Level) -> Atom | None:
        """Return the comparison as far as it is decided at a level, None where it is not at all."""
        if self.level <= level:
            return self
        return None if self.hint is None else self.hint.at(level)

    def wanted(self, holds: bool) -> str:
        """Return the C expression of the outcome being `holds`, or not known."""
        outcome = f"({self.expression})" if holds else f"!({self.expression})"
        return outcome if self.known is None else f"(!({self.known}) || {outcome})"


Constants: TypeAlias = "tuple[Told, ...]"
Make: TypeAlias = "Callable[[str, Constants], Atom | None]"


def integers_of(constants: Constants) -> list[int] | None:
    """Return constants that are all numbers of 64 bits, None where some are not."""
    numbers = [constant for constant in constants if isinstance(constant, int)]
    return (
        numbers if len(numbers) == len(constants) and all(-(1 << 63) < n < 1 << 63 for n in numbers) else None
    )


def texts_of(constants: Constants) -> list[bytes] | None:
    """Return constants that are all texts, as the system has them, None where some are not."""
    texts = [constant for constant in constants if isinstance(constant, str)]
    if len(texts) != len(constants):
        return None
    return [text.encode("utf-8", "surrogateescape") for text in texts]


def number_text(number: int) -> str:
    """Return a number in C."""
    return f"({number}LL)"


def any_of(parts: Iterable[str]) -> str:
    """Return in C that any of the parts is true."""
    return " || ".join(f"({part})" for part in parts) or "0"


def all_of(parts: Iterable[str]) -> str:
    """Return in C that all of the parts are true."""
    return " && ".join(parts) or "1"


def fits(operator: str, value: bytes, constants: list[bytes]) -> bool | None:
    """Return the outcome of a comparison of texts, None for an operator that is not known here."""
    if operator in ("=", "==", "in"):
        return value in constants
    if operator == "!=":
        return any(value != constant for constant in constants)
    if operator == "startswith":
        return any(value.startswith(constant) for constant in constants)
    if operator == "contains":
        return any(constant in value for constant in constants)
    if operator == "endswith":
        return any(value.endswith(constant) for constant in constants)
    return None
