"""The groups of types that share operators, and which operators each group has."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from refengine.values import ValueType

_EQUALITY = frozenset({"=", "==", "!="})
_ORDER = frozenset({"<", "<=", ">", ">="})
_SETS = frozenset({"in", "intersects"})


class Group(NamedTuple):
    """Types that compare alike; `name` is the words for them in messages. `exists` is always allowed."""

    name: str
    operators: frozenset[str]
    with_modifier: frozenset[str]


def _group(name: str, operators: frozenset[str], with_modifier: frozenset[str] | None = None) -> Group:
    return Group(name, operators, operators if with_modifier is None else with_modifier)


NUMBERS = _group("numbers", _EQUALITY | _ORDER | _SETS)
BOOLEANS = _group("booleans", _EQUALITY | _SETS)
STRINGS = _group(
    "text",
    _EQUALITY
    | _ORDER
    | _SETS
    | {"contains", "icontains", "startswith", "endswith", "glob", "iglob", "pmatch", "regex"},
)
BUFFERS = _group(
    "byte buffers",
    _EQUALITY | _SETS | {"contains", "startswith", "endswith", "bcontains", "bstartswith"},
)
ADDRESSES = _group("addresses and networks", _EQUALITY | _SETS, _EQUALITY)
OPAQUE = _group("values of this type", frozenset())

LIST_OPERATORS = _SETS
"""The operators of list fields, besides `exists`."""

LISTABLE = frozenset(
    {
        ValueType.CHARBUF,
        ValueType.UINT64,
        ValueType.RELTIME,
        ValueType.ABSTIME,
        ValueType.BOOL,
        ValueType.IPADDR,
        ValueType.IPNET,
    }
)
"""The types that a list field may have."""

INTEGER_BITS: Mapping[ValueType, tuple[int, bool]] = MappingProxyType(
    {
        ValueType.INT8: (8, True),
        ValueType.INT16: (16, True),
        ValueType.INT32: (32, True),
        ValueType.INT64: (64, True),
        ValueType.UINT8: (8, False),
        ValueType.UINT16: (16, False),
        ValueType.UINT32: (32, False),
        ValueType.UINT64: (64, False),
        ValueType.ERRNO: (64, True),
        ValueType.FD: (64, True),
        ValueType.PID: (64, True),
        ValueType.SYSCALLID: (16, False),
        ValueType.SIGTYPE: (8, False),
        ValueType.RELTIME: (64, False),
        ValueType.ABSTIME: (64, False),
        ValueType.PORT: (16, False),
        ValueType.FLAGS8: (8, False),
        ValueType.FLAGS16: (16, False),
        ValueType.FLAGS32: (32, False),
        ValueType.ENUMFLAGS8: (8, False),
        ValueType.ENUMFLAGS16: (16, False),
        ValueType.ENUMFLAGS32: (32, False),
        ValueType.MODE: (32, False),
    }
)
"""Width in bits, and whether there is a sign, of every integer type."""

TEXT_TYPES = frozenset({ValueType.CHARBUF, ValueType.FSPATH, ValueType.FSRELPATH})
ADDRESS_TYPES = frozenset({ValueType.IPV4ADDR, ValueType.IPV6ADDR, ValueType.IPADDR})
NETWORK_TYPES = frozenset({ValueType.IPV4NET, ValueType.IPV6NET, ValueType.IPNET})


def group_of(type: ValueType) -> Group:
    """Return the group that `type` belongs to."""
    if type in TEXT_TYPES:
        return STRINGS
    if type in INTEGER_BITS or type is ValueType.DOUBLE:
        return NUMBERS
    if type is ValueType.BOOL:
        return BOOLEANS
    if type is ValueType.BYTEBUF:
        return BUFFERS
    if type in ADDRESS_TYPES or type in NETWORK_TYPES:
        return ADDRESSES
    return OPAQUE
