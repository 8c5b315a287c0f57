"""What has to be true of an event so that a rule can match it, in terms that a backend may decide by itself.

A precondition may hold for events that no rule matches, but it holds for every event that one does. It speaks of
fields by name, so that backends need to know nothing of rules and conditions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field as member
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Comparison:
    """The value of a field, compared: `field operator constant` for any of the constants comes out as `holds`.

    `field` is the full text, argument included. A comparison with an absent value comes out as false. `compares`
    carries it out on a present value, for observers that have values; what `constants` says of patterns is their
    text.
    """

    field: str
    operator: str
    constants: tuple[str | int, ...]
    holds: bool = True
    compares: Callable[[Any], bool] | None = member(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class AllOf:
    """All of the parts, two or more."""

    parts: tuple[Precondition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Any of the parts, two or more."""

    parts: tuple[Precondition, ...]


Precondition: TypeAlias = "Comparison | AllOf | AnyOf | bool"
"""True excludes nothing, false everything."""

Decides: TypeAlias = Callable[[str, Comparison], bool]
"""Tells whether a backend can decide a comparison for events of the type named first."""
