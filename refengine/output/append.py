"""The output that Falco suggests for every rule: whatever says where an event happened."""

from __future__ import annotations

from refengine.fields.catalogue import CATALOGUE
from refengine.fields.static import NO_STATIC_FIELDS, STATIC, StaticFields

SUGGESTED = (
    "container.id",
    "container.name",
    "container.image.repository",
    "container.image.tag",
    "k8s.pod.name",
    "k8s.ns.name",
)
"""The fields that an output is suggested to have, on events of a source that has them."""


def suggested_output(source: str, static_fields: StaticFields = NO_STATIC_FIELDS) -> str:
    """Return the template that names the suggested fields of a source; empty where it has none."""
    names = [f"{STATIC}{name}" for name in sorted(static_fields)]
    names += [name for name in SUGGESTED if not CATALOGUE[name].sources or source in CATALOGUE[name].sources]
    return " ".join(f"{name.replace('.', '_')}=%{name}" for name in names)
