"""The names behind flag and enumeration parameters.

The values are those of the capture format, not the kernel's own: every backend translates into them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from refengine.tables.load import read_table

FLAG_TABLES: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {
        table: MappingProxyType({row["name"]: row["value"] for row in rows})
        for table, rows in read_table("flag_tables").items()
    }
)
"""Table name to (flag name to value), flags in the order in which they are rendered."""
