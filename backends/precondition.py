"""What has to be true of an event so that a rule can match it, in terms that a backend may decide by itself.

A precondition may hold for events that no rule matches, but it holds for every event that one does. It speaks of
fields by name, so that backends need to know nothing of rules and conditions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field as member
from socket import AF_INET, AF_INET6, inet_ntop
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Block:
    """The internet addresses that share the first `prefix` bits of `address`, which is packed; one where it is all."""

    address: bytes
    prefix: int

    def __str__(self) -> str:
        text = inet_ntop(AF_INET if len(self.address) == 4 else AF_INET6, self.address)
        return text if self.prefix == 8 * len(self.address) else f"{text}/{self.prefix}"


Told: TypeAlias = "str | int | Block"
"""A constant as backends are told of it; what is said of patterns is their text."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The value of a field, compared: `field operator constant` for any of the constants comes out as `holds`.

    `field` is the full text, argument included. A comparison with an absent value comes out as false. Of a field
    that stands for both ends of a connection (`fd.ip`, `fd.port`, `fd.net`, `fd.proto`) either end may compare, but
    `!=` asks both. `compares` carries the comparison out on a present value, for observers that have values.
    """

    field: str
    operator: str
    constants: tuple[Told, ...]
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
