"""`--list-events`: the event types, with the parameters that `evt.arg` reads."""

from __future__ import annotations

import json

from refengine.cli.exit_codes import OK
from refengine.cli.request import Request
from refengine.cli.version import SCHEMA_VERSION
from refengine.tables.event_types import EVENT_TYPES, EventType, Parameter
from refengine.tables.flags import FLAG_TABLES
from refengine.tables.syscalls import SYSCALLS

_SECTIONS = (
    ("Syscall events", "syscall_events", frozenset({"syscall"})),
    ("Tracepoint events", "tracepoint_events", frozenset({"tracepoint", "iter"})),
    ("Plugin events", "plugin_events", frozenset({"plugin"})),
    ("Metaevents", "metaevents", frozenset({"metaevent"})),
)


def run(request: Request) -> int:
    """Print the event types in the form asked for, or those that are left alone by default."""
    options = request.options
    if options.all_events:
        print("No event type is left alone by default: every one that an enabled rule can match is observed,")
        print("and no other, since no rule could tell the difference.")
        return OK
    if options.format == "json":
        print(json.dumps({key: _records(sources) for _, key, sources in _SECTIONS}, indent=2))
        return OK
    print(f"The events below are those of Falco's event schema {SCHEMA_VERSION}.")
    for title, _, sources in _SECTIONS:
        print(f"\n## {title}\n")
        if options.format == "markdown":
            print("Dir | Name | Params\n:---|:-----|:------")
            for name, is_exit, params in _rows(sources):
                print(
                    f"`{'<' if is_exit else '>'}` | `{name}` | {', '.join(map(_markdown, params))}".rstrip()
                )
        else:
            for name, is_exit, params in _rows(sources):
                print(f"{'<' if is_exit else '>'} {name}({', '.join(map(_text, params))})")
    return OK


def is_current(type: EventType) -> bool:
    """Return whether events of a type are still made; the others occur in old captures only."""
    return not type.flags & {"unused", "old_version"}


def _rows(sources: frozenset[str]) -> list[tuple[str, bool, tuple[Parameter, ...]]]:
    """Return name, direction and parameters; the system calls without a type of their own one by one."""
    rows = []
    for type in EVENT_TYPES:
        if type.source not in sources or not is_current(type):
            continue
        if type.enum == "GENERIC_X":
            rows += [(call.name, True, type.params) for call in SYSCALLS if call.exit is type]
        else:
            rows.append((type.name, type.is_exit, type.params))
    return rows


def _flags(param: Parameter) -> list[str]:
    return list(FLAG_TABLES[param.flag_table]) if param.flag_table else []


def _text(param: Parameter) -> str:
    flags = ", ".join(_flags(param))
    return f"{param.type.value.upper()} {param.name}" + (f": {flags}" if flags else "")


def _markdown(param: Parameter) -> str:
    flags = ", ".join(_flags(param))
    return f"{param.type.value.upper()} **{param.name}**" + (f": *{flags}*" if flags else "")


def _records(sources: frozenset[str]) -> list[dict[str, object]]:
    return [
        {
            "name": name,
            "dir": "<" if is_exit else ">",
            "params": [
                {"name": param.name, "type": param.type.value.upper(), "flags": _flags(param)}
                for param in params
            ],
        }
        for name, is_exit, params in _rows(sources)
    ]
