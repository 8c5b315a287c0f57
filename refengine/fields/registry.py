"""Which extractor reads which field."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from refengine.fields.extractor import Extractor

EXTRACTORS: Mapping[str, Extractor] = MappingProxyType({})
"""Every extractor by its field's name."""


def extractor_of(name: str) -> Extractor | None:
    """Return the extractor of the field called `name`, None where there is none."""
    return EXTRACTORS.get(name)
