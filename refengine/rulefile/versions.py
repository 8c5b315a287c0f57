"""Versions of three numbers, and what this engine counts as."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

_THREE = re.compile(r"[ \t]*([0-9]+)\.([0-9]+)\.([0-9]+)")


class Version(NamedTuple):
    """A version; the order is that of the three numbers."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"

    @classmethod
    def parse(cls, text: str) -> Version | None:
        """Return the version at the start of `text` (`1.2.3`, `1.2.3-rc1`), None where there is none."""
        found = _THREE.match(text)
        return None if found is None else cls(int(found[1]), int(found[2]), int(found[3]))

    def satisfies(self, required: Version) -> bool:
        """Return whether this version can stand for `required`: same major number and not older."""
        return self.major == required.major and self >= required


ENGINE_VERSION = Version(0, 62, 0)
"""The version of Falco's rule language and fields that this engine is compatible with."""

BUILT_IN_PLUGINS: Mapping[str, Version] = MappingProxyType(
    {
        "container": Version(0, 6, 99),
        "json": Version(0, 7, 99),
        "k8saudit": Version(0, 18, 99),
    }
)
"""Plugins of Falco whose fields this engine has itself, with the last version that they stand for."""
