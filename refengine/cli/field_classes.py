"""The classes of fields as listings present them."""

from __future__ import annotations

from dataclasses import dataclass

from refengine.fields.catalogue import CATALOGUE, K8S_AUDIT, SYSCALL, Field
from refengine.fields.static import NO_STATIC_FIELDS, StaticFields, static_field

SOURCES = (SYSCALL, K8S_AUDIT)
"""The event sources that this version knows."""

_DESCRIPTIONS = {
    ("evt", False): ("evt", "What every event has, whatever its source: its number and its times"),
    ("evt", True): (
        "evt (for system calls)",
        "What system events have besides: their type, arguments and result",
    ),
    ("process", True): ("process", "The thread that acts, its process, and the ancestors of that"),
    ("user", True): ("user", "The user that the acting thread runs as"),
    ("group", True): ("group", "The group that the acting thread runs as"),
    ("fd", True): ("fd", "The file descriptor that the event concerns: a file, a socket, a pipe"),
    ("fs.path", True): ("fs.path", "The paths that a file operation names"),
    ("fdlist", True): ("fdlist", "The file descriptors that a poll waits for"),
    ("util", True): ("util", "Counters for use by tools"),
    ("container", True): ("container", "The container that the acting thread runs in"),
    ("k8s", True): ("k8s", "The pod that the acting thread's container belongs to"),
    ("ka", True): ("ka", "Requests to a Kubernetes API server, as its audit log records them"),
    ("jevt", False): ("jevt", "Values of events that are JSON documents"),
    ("jevt", True): ("jevt", "Values of events that are JSON documents"),
    ("json", False): ("json", "Values of events that are JSON documents"),
    ("json", True): ("json", "Values of events that are JSON documents"),
    ("static", False): ("static", "Constants that the configuration defines"),
}


@dataclass(frozen=True, slots=True)
class FieldClass:
    """A class of fields of the same sources; `sources` names every source that has it."""

    name: str
    description: str
    sources: tuple[str, ...]
    fields: tuple[Field, ...]


def field_classes(source: str = "", static_fields: StaticFields = NO_STATIC_FIELDS) -> tuple[FieldClass, ...]:
    """Return the classes, those of one source or, with an empty one, all; without fields for tables only.

    `static_fields` are those that the configuration defines.
    """
    groups: dict[tuple[str, frozenset[str]], list[Field]] = {}
    for field in (*CATALOGUE.values(), *map(static_field, sorted(static_fields))):
        if "table_only" in field.flags or (source and field.sources and source not in field.sources):
            continue
        groups.setdefault((field.field_class, field.sources), []).append(field)
    classes = []
    for (name, sources), fields in groups.items():
        title, description = _DESCRIPTIONS[name, bool(sources)]
        named = tuple(known for known in SOURCES if not sources or known in sources)
        classes.append(FieldClass(title, description, named, tuple(fields)))
    return tuple(sorted(classes, key=lambda each: (each.sources == (K8S_AUDIT,), each.name != "evt")))
