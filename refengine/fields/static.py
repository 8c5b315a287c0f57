"""Fields that the configuration defines: each is a constant, called `static.NAME`, of events of every source."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeAlias

from refengine.fields.catalogue import Field
from refengine.values import Format, ValueType

StaticFields: TypeAlias = Mapping[str, str]
"""The values of these fields by their names, which here are without `static.`."""

NO_STATIC_FIELDS: StaticFields = MappingProxyType({})

STATIC = "static."
"""The beginning of the names of these fields."""


def static_field(name: str) -> Field:
    """Return the field whose name behind `static.` is `name`."""
    return Field(f"{STATIC}{name}", "static", frozenset(), ValueType.CHARBUF, Format.NA, frozenset(), "")


def static_value(name: str, given: StaticFields) -> str | None:
    """Return the value of the field with the whole name `name`, None where there is no such field."""
    return given.get(name[len(STATIC) :]) if name.startswith(STATIC) else None
