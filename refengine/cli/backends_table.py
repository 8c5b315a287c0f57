"""The command `refengine backends`: what each backend can observe, and whether it can run here."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from refengine.backends.base import Availability, Capabilities
from refengine.backends.registry import BACKENDS, Entry, availability, connect
from refengine.cli.arguments import CommandParser
from refengine.cli.exit_codes import OK
from refengine.errors import BackendError

_EPILOG = """\
examples:
  refengine backends                  every backend in a line
  refengine backends fanotify         all that there is to say of one
  refengine backends --format json    everything, for programs"""

_GAP = "  "


@dataclass(frozen=True, slots=True)
class Described:
    """A backend, whether it can run here, and what it observes, None where that cannot be told here."""

    entry: Entry
    availability: Availability
    capabilities: Capabilities | None

    def as_json(self) -> dict[str, Any]:
        """Return everything as JSON values; `event_types` null means all of them."""
        found = self.capabilities
        types = None if found is None or found.event_types is None else sorted(found.event_types)
        return {
            "name": self.entry.name,
            "description": self.entry.description,
            "available": self.availability.available,
            "reason": self.availability.reason,
            "remedy": self.availability.remedy,
            "capabilities": None
            if found is None
            else {
                "source": found.source,
                "privileges": found.privileges,
                "event_types": types,
                "told_as_another": dict(sorted(found.told_as_another.items())),
                "absent_fields": dict(sorted(found.absent_fields.items())),
                "approximate_fields": dict(sorted(found.approximate_fields.items())),
                "exact": found.exact,
            },
        }


def main(arguments: Sequence[str]) -> int:
    """Print the table, or everything on one backend; return the exit code."""
    parser = CommandParser(
        "backends",
        "Show where events can come from: what is available, what it needs, what it can tell.",
        _EPILOG,
    )
    parser.add_argument("name", nargs="?", choices=sorted(BACKENDS), help="only this backend, in full")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    options = parser.parse_args(arguments)
    names = BACKENDS if options.name is None else (options.name,)
    described = [describe(name) for name in names]
    if options.format == "json":
        json.dump([one.as_json() for one in described], sys.stdout, indent=2)
        print()
    elif options.name is None:
        print("\n".join(table(described)))
    else:
        print("\n".join(details(described[0])))
    return OK


def describe(name: str) -> Described:
    """Return what is known of a backend here."""
    entry = BACKENDS[name]
    for target in entry.examples:
        try:
            connection = connect(name, target)
        except BackendError:
            continue
        connection.backend.close()
        return Described(entry, availability(name), connection.backend.capabilities)
    return Described(entry, availability(name), None)


def table(described: Sequence[Described]) -> list[str]:
    """Return the lines of a table with a row for each backend, and below it why some cannot run."""
    rows = [("BACKEND", "AVAILABLE", "EVENT TYPES", "FIELDS", "VALUES", "PRIVILEGES")]
    rows += [_row(one) for one in described]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        _GAP.join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    for one in described:
        if not one.availability.available:
            lines += ["", f"{one.entry.name} cannot run here: {one.availability.reason}"]
            if one.availability.remedy:
                lines.append(f"  to change that: {one.availability.remedy}")
    return lines


def details(one: Described) -> list[str]:
    """Return everything on one backend, in lines."""
    lines = [f"{one.entry.name}: {one.entry.description}"]
    found = one.capabilities
    if one.availability.available:
        lines.append("available here")
    else:
        lines.append(f"not available: {one.availability.reason}")
        if one.availability.remedy:
            lines.append(f"to change that: {one.availability.remedy}")
    if found is None:
        return lines
    types = "all" if found.event_types is None else ", ".join(sorted(found.event_types))
    lines += [f"privileges: {found.privileges}", f"source: {found.source or 'said by each event'}"]
    lines.append(f"event types: {types}")
    lines.append(f"values: {'exact' if found.exact else 'approximations where said below'}")
    lines += _listed("told of under the name of another call:", found.told_as_another)
    lines += _listed("fields without a value:", found.absent_fields)
    lines += _listed("fields whose values differ:", found.approximate_fields)
    return lines


def _row(one: Described) -> tuple[str, str, str, str, str, str]:
    available = "yes" if one.availability.available else "no"
    found = one.capabilities
    if found is None:
        return (one.entry.name, available, "?", "?", "?", "?")
    types = "all" if found.event_types is None else str(len(found.event_types))
    fields = f"all but {len(found.absent_fields)}" if found.absent_fields else "all"
    values = "exact" if found.exact else f"{len(found.approximate_fields)} differ"
    return (one.entry.name, available, types, fields, values, found.privileges)


def _listed(title: str, reasons: Mapping[str, str]) -> list[str]:
    """Return the names by reason, since many share one."""
    if not reasons:
        return []
    names: dict[str, list[str]] = {}
    for name, reason in sorted(reasons.items()):
        names.setdefault(reason, []).append(name)
    return [title, *(f"  {', '.join(found)}: {reason}" for reason, found in names.items())]
