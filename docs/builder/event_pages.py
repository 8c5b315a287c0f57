"""The reference of event types, from the event table."""

from __future__ import annotations

from collections.abc import Iterable

from builder.markdown import code, page, table
from refengine.cli.list_events import is_current
from refengine.tables.event_types import EVENT_TYPES, EventType, Parameter
from refengine.tables.flags import FLAG_TABLES
from refengine.tables.syscalls import SYSCALLS, Syscall

_GENERIC = "GENERIC_X"
_CATEGORIES = {
    "file": "Files", "net": "Network", "process": "Processes", "user": "Users and identities", "memory": "Memory", "ipc": "Communication between processes",
    "signal": "Signals", "io_read": "Reading", "io_write": "Writing", "io_other": "Other operations on descriptors", "wait": "Waiting",
    "sleep": "Sleeping", "time": "Time", "system": "The system", "scheduler": "The scheduler",
}  # fmt: skip


def event_types_page() -> str:
    """Return the page of event types."""
    current = [type for type in EVENT_TYPES if is_current(type)]
    calls = [type for type in current if type.source == "syscall" and type.is_exit and type.enum != _GENERIC]
    parts = []
    for category, title in _CATEGORIES.items():
        found = [type for type in calls if type.category == category]
        if found:
            parts += [f"### {title}", _rows(found)]
    rest = [type for type in calls if type.category not in _CATEGORIES]
    generic = ", ".join(code(call.name) for call in SYSCALLS if call.exit.enum == _GENERIC)
    others = [
        type for type in current if type.source in ("tracepoint", "iter", "plugin", "metaevent", "syscall")
        and not (type.source == "syscall" and (type.is_exit or "unused" in type.flags)) and type.name != "NA"
    ]  # fmt: skip
    used = sorted({param.flag_table for type in current for param in type.params if param.flag_table})
    return page(
        "Event types",
        "The values of `evt.type`, with the parameters that `evt.arg.NAME` and `evt.rawarg.NAME` read, in their order. "
        "System calls are told when they return. `refengine --list-events` prints the same.",
        "## System calls",
        *parts,
        *(("### Others", _rows(rest)) if rest else ()),
        "## System calls without parameters of their own",
        "Their events have the parameters `ID` and `nativeID`, the number of the call.",
        generic + ".",
        "## System calls with the name of another",
        "Variants of a call have its name and its parameters.",
        table(
            ("call", "event type"),
            ((code(call.name), code(call.exit.name)) for call in SYSCALLS if _is_variant(call)),
        ),
        "## Events that are no system calls",
        _rows(_first_of_name(others)),
        "## Flags and enumerations",
        "The names that `evt.arg` shows for the parameters marked above.",
        *(
            f"### {table_name.replace('_', ' ')}\n\n{', '.join(map(code, FLAG_TABLES[table_name]))}."
            for table_name in used
        ),
    )


def _is_variant(call: Syscall) -> bool:
    return call.exit.enum != _GENERIC and call.exit.name != call.name


def _rows(types: Iterable[EventType]) -> str:
    return table(
        ("event type", "parameters"),
        ((code(type.name), ", ".join(map(_parameter, type.params)) or "none") for type in types),
    )


def _first_of_name(types: Iterable[EventType]) -> list[EventType]:
    found: dict[str, EventType] = {}
    for type in types:
        found.setdefault(type.name, type)
    return list(found.values())


def _parameter(param: Parameter) -> str:
    name = f"**{param.name}** {param.type}"
    if param.flag_table is None:
        return name
    return f"**{param.name}** [{param.type}](#{param.flag_table.replace('_', '-')})"
