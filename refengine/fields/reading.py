"""A field as a condition or an output refers to it: the catalogue's entry with the argument that was given."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum
from types import MappingProxyType

from refengine.fields.catalogue import CATALOGUE, SYSCALL, Field
from refengine.fields.static import NO_STATIC_FIELDS, STATIC, StaticFields, static_field, static_value
from refengine.tables.event_types import EVENT_TYPES
from refengine.tables.syscalls import SYSCALLS
from refengine.values import ValueType

EVENT_NAMES: frozenset[str] = frozenset(row.name for row in EVENT_TYPES) | frozenset(
    call.name for call in SYSCALLS
)
"""Every value that `evt.type` can have."""

TWO_ENDED = frozenset({"fd.ip", "fd.port", "fd.net", "fd.proto"})
"""Fields that stand for both ends of a connection."""

ANCESTRAL = frozenset({"proc.apid", "proc.aname", "proc.aexe", "proc.aexepath", "proc.acmdline", "proc.aenv"})
"""Fields that, without an argument, stand for every ancestor of a process."""


class Many(str, Enum):
    """What a comparison does with a field that offers several values for one event."""

    ONE = "one"
    ENDS = "ends"
    """Both ends of a connection: either may compare, but `!=` asks both."""
    ANCESTORS = "ancestors"
    """All ancestors of a process: any may compare."""


@dataclass(frozen=True, slots=True)
class FieldRead:
    """The value of a field. `key` is its full text, argument included, and stands for it in every table.

    `given` is the value of a field that the configuration defines, which no event is asked for; None of all others.
    """

    key: str
    field: Field
    argument: str | None
    type: ValueType
    is_list: bool
    many: Many = Many.ONE
    given: str | None = None


class FieldError(ValueError):
    """A field that does not exist for the source, or an argument that it cannot have."""

    def __init__(self, message: str, suggestion: str | None = None) -> None:
        super().__init__(message)
        self.suggestion = suggestion


class UnknownFieldError(FieldError):
    """A field that does not exist for the source."""


def field_of(name: str, source: str = SYSCALL) -> Field | None:
    """Return the field called exactly `name`, None where events of `source` do not have it."""
    field = CATALOGUE.get(name)
    if field is None or (field.sources and source not in field.sources):
        return None
    return field


def read_field(
    name: str,
    argument: str | None = None,
    source: str = SYSCALL,
    static_fields: StaticFields = NO_STATIC_FIELDS,
) -> FieldRead:
    """Return the reading of a field by its written name and the text in brackets behind it.

    Some fields take their argument behind a dot as well: `evt.arg.flags`, `thread.cgroup.cpu`. `static_fields` are
    those that the configuration defines.

    :raises FieldError: when there is no such field, or it cannot have the argument.
    """
    given = static_value(name, static_fields)
    if given is not None:
        if argument is not None:
            raise FieldError(f"field '{name}' takes no argument")
        return FieldRead(name, static_field(name[len(STATIC) :]), None, ValueType.CHARBUF, False, given=given)
    key = name if argument is None else f"{name}[{argument}]"
    field = field_of(name, source)
    dotted = False
    if field is None:
        base = next((base for base in _DOTTED if name.startswith(f"{base}.")), None)
        field = None if base is None else field_of(base, source)
        if field is None:
            raise _unknown(name, source, static_fields)
        if argument is not None:
            raise FieldError(f"'{name}' has its argument behind the dot and takes no other in brackets")
        assert base is not None
        argument, dotted = name[len(base) + 1 :], True
    if argument is None:
        if field.argument_required:
            raise FieldError(f"field '{name}' needs an argument, as in {name}[...]")
    elif not field.argument_allowed:
        raise FieldError(f"field '{name}' takes no argument")
    else:
        _check_argument(field, argument, dotted)
    many = Many.ONE
    if name in TWO_ENDED:
        many = Many.ENDS
    elif argument is None and name in ANCESTRAL:
        many = Many.ANCESTORS
    type = field.type
    if field.name == "evt.rawarg":
        assert argument is not None
        type = _PARAMETER_TYPES[argument]
    return FieldRead(key, field, argument, type, field.is_list, many)


def read_key(key: str, source: str = SYSCALL) -> FieldRead:
    """Return the reading of a field by its full text, argument included: `proc.aname[2]`.

    :raises FieldError: when there is no such field, or it cannot have the argument.
    """
    found = _KEY.fullmatch(key)
    if found is None:
        raise FieldError(f"'{key}' is not the text of a field")
    return read_field(found[1], found[2], source)


_KEY = re.compile(r"([^\[\]]+)(?:\[(.*)\])?", re.DOTALL)


def _unknown(name: str, source: str, static_fields: StaticFields) -> UnknownFieldError:
    known = CATALOGUE.get(name)
    if known is not None:
        others = " and ".join(sorted(known.sources))
        return UnknownFieldError(f"field '{name}' exists for events of source {others}, not for {source}")
    names = [field.name for field in CATALOGUE.values() if not field.sources or source in field.sources]
    names.extend(f"{STATIC}{defined}" for defined in static_fields)
    near = get_close_matches(name, names, 1)
    return UnknownFieldError(f"unknown field '{name}'", f"did you mean '{near[0]}'?" if near else None)


def _number(field: Field, argument: str) -> None:
    if not re.fullmatch(r"[ \t\n\v\f\r]*[+-]?[0-9]+", argument):
        raise FieldError(f"field '{field.name}' takes a number in brackets, not '{argument}'")


def _parameter(field: Field, argument: str, dotted: bool) -> None:
    if not dotted:
        if field.name == "evt.rawarg":
            raise FieldError(f"'{field.name}' takes the name of a parameter, as in {field.name}.flags")
        _number(field, argument)
    elif argument not in _PARAMETER_TYPES:
        near = get_close_matches(argument, _PARAMETER_TYPES, 1)
        raise FieldError(
            f"no event has a parameter '{argument}'", f"did you mean '{near[0]}'?" if near else None
        )


def _event_name(field: Field, argument: str, _dotted: bool) -> None:
    if argument not in EVENT_NAMES:
        near = get_close_matches(argument, EVENT_NAMES, 1)
        raise FieldError(
            f"unknown event type '{argument}' for '{field.name}'",
            f"did you mean '{near[0]}'?" if near else None,
        )


def _end(field: Field, argument: str, dotted: bool) -> None:
    if not dotted or argument not in ("src", "dst"):
        raise FieldError(f"'{field.name}' may only be followed by .src or .dst")


def _index(field: Field, argument: str, _dotted: bool) -> None:
    _number(field, argument)


_DOTTED = (
    "evt.arg",
    "evt.rawarg",
    "evt.type.is",
    "evt.abspath",
    "thread.cgroup",
    "proc.env",
    "ka.target.labels",
)
"""Fields whose argument may stand behind a dot."""

_ARGUMENTS: Mapping[str, Callable[[Field, str, bool], None]] = MappingProxyType(
    {
        "evt.arg": _parameter,
        "evt.rawarg": _parameter,
        "evt.type.is": _event_name,
        "evt.abspath": _end,
        "proc.apid": _index,
        "proc.aname": _index,
        "proc.aexe": _index,
        "proc.aexepath": _index,
        "proc.acmdline": _index,
        "proc.aargs": _index,
        "proc.args": _index,
        "fd.types": _index,
    }
)
"""What the argument of a field may be, for the fields that say so themselves."""


def _check_argument(field: Field, argument: str, dotted: bool) -> None:
    check = _ARGUMENTS.get(field.name)
    if check is not None:
        check(field, argument, dotted)
    elif "arg_index" in field.flags and "arg_key" not in field.flags:
        if not (argument.isascii() and argument.isdigit()):
            raise FieldError(f"field '{field.name}' takes an index of digits only, not '{argument}'")
        if argument != "0" and argument.startswith("0"):
            raise FieldError(f"the index '{argument}' of '{field.name}' begins with a zero")
        if int(argument) >= 1 << 64:
            raise FieldError(f"the index '{argument}' of '{field.name}' does not fit into 64 bits")


def _parameter_types() -> dict[str, ValueType]:
    types: dict[str, ValueType] = {}
    for row in EVENT_TYPES:
        for param in row.params:
            types.setdefault(param.name, param.type)
    return types


_PARAMETER_TYPES: Mapping[str, ValueType] = MappingProxyType(_parameter_types())
