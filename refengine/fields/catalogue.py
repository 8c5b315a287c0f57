"""The catalogue: every field of the language with its type and what its argument may be.

This is the language's view of fields, complete whether or not an extractor exists (see `extractor`).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from refengine.tables.load import read_table
from refengine.values import Format, ValueType


class Field(NamedTuple):
    """One field. `sources` are the event sources that have it, the empty set meaning every source."""

    name: str
    field_class: str
    sources: frozenset[str]
    type: ValueType
    format: Format
    flags: frozenset[str]
    description: str

    @property
    def is_list(self) -> bool:
        """True when the field has a list of values."""
        return "is_list" in self.flags

    @property
    def argument_required(self) -> bool:
        """True when the field makes sense only with an argument in brackets."""
        return "arg_required" in self.flags

    @property
    def argument_allowed(self) -> bool:
        """True when the field may have an argument in brackets."""
        return bool(self.flags & {"arg_required", "arg_allowed"})

    @property
    def is_deprecated(self) -> bool:
        """True when rules should no longer use the field."""
        return "deprecated" in self.flags


SYSCALL = "syscall"
K8S_AUDIT = "k8s_audit"

_SOURCES: Mapping[str, frozenset[str]] = {
    "any": frozenset(),
    "syscall": frozenset({SYSCALL}),
    "k8s_audit": frozenset({K8S_AUDIT}),
    "any json source": frozenset({K8S_AUDIT}),
}


def _read() -> dict[str, Field]:
    described = read_table("field_descriptions")
    return {
        row["name"]: Field(
            row["name"],
            row["class"],
            _SOURCES[row["source"]],
            ValueType(row["type"]),
            Format(row["format"]),
            frozenset(row["flags"]),
            described.get(row["name"], ""),
        )
        for row in read_table("fields")
    }


CATALOGUE: Mapping[str, Field] = MappingProxyType(_read())
"""Every field by its name, in the order of the table."""
