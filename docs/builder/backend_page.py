"""The reference of backends: what each can tell, as it says itself."""

from __future__ import annotations

from collections.abc import Mapping

from builder.markdown import code, page, plain, table
from refengine.backends.base import Capabilities
from refengine.backends.registry import BACKENDS
from refengine.cli.backends_table import describe


def capabilities() -> dict[str, Capabilities]:
    """Return what each backend can observe, by its name; those that cannot tell on this machine are left out."""
    found = {name: describe(name).capabilities for name in BACKENDS}
    return {name: known for name, known in found.items() if known is not None}


def backends_page(known: Mapping[str, Capabilities]) -> str:
    """Return the page."""
    parts = []
    for name, entry in BACKENDS.items():
        parts += [f"## `{name}`", f"{plain(entry.description.capitalize())}."]
        found = known.get(name)
        if found is None:
            parts.append(
                f"It could not be asked where this page was made; `refengine backends {name}` tells more."
            )
            continue
        parts.append(_facts(found))
        for title, reasons in (
            ("### Fields without a value", found.absent_fields),
            ("### Fields with another value", found.approximate_fields),
            ("### Calls told as another", found.told_as_another),
        ):
            if reasons:
                parts += [f"{title} under `{name}`", _reasons(reasons)]
    return page(
        "Backends",
        "Where events come from is exchangeable. `refengine backends` prints this, and whether each can run on the machine at hand; "
        "`refengine doctor` says how to get what is missing. Rules that a backend cannot evaluate are named at the start.",
        *parts,
    )


def _facts(found: Capabilities) -> str:
    types = "all" if found.event_types is None else f"{len(found.event_types)}"
    if found.event_types is not None and len(found.event_types) < 30:
        types = ", ".join(map(code, sorted(found.event_types)))
    return (
        f"- event source: {code(found.source) if found.source else 'said by each event'}\n"
        f"- privileges: {plain(found.privileges)}\n"
        f"- event types: {types}\n"
        f"- values: {'exact' if found.exact else 'approximations where said below'}"
    )


def _reasons(reasons: Mapping[str, str]) -> str:
    names: dict[str, list[str]] = {}
    for name, reason in sorted(reasons.items()):
        names.setdefault(reason, []).append(name)
    return table(
        ("name", "why, or as what"),
        ((", ".join(map(code, found)), plain(reason)) for reason, found in names.items()),
    )
