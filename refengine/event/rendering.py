"""Parameters as text: what `evt.args`, `evt.arg` and `evt.info` show.

A parameter has two texts: its plain value (`-2`, `4097`, `3`) and what the value stands for (`ENOENT`,
`O_RDONLY|O_CLOEXEC`, `<f>/etc/passwd`), the empty string where it stands for nothing more. `evt.args` shows
both, `value(meaning)`; `evt.arg` shows the meaning where there is one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from time import localtime, strftime

from refengine.event.addresses import printable, sockaddr_text, tuple_text
from refengine.event.event import Event, ParamValue
from refengine.event.paths import ABSENT, AT_FDCWD, base_directory, descriptor_numbered, joined
from refengine.event.sockets import InetAddress, InetTuple, UnixAddress, UnixTuple
from refengine.tables.errnos import ERRNO_NAMES
from refengine.tables.event_types import Parameter
from refengine.tables.flags import FLAG_TABLES
from refengine.tables.signals import SIGNAL_NAMES
from refengine.tables.syscalls import BY_CODE
from refengine.values import Format, ValueType

EMPTY = "NULL"

Texts = tuple[str, str]
"""The plain value and its meaning."""

_PROTOCOL_LETTERS = {"tcp": "t", "udp": "u", "icmp": "i", "raw": "r"}
_EMPTY_TYPES = frozenset(
    {
        ValueType.BYTEBUF,
        ValueType.SOCKTUPLE,
        ValueType.FDLIST,
        ValueType.CHARBUFARRAY,
        ValueType.CHARBUF_PAIR_ARRAY,
        ValueType.DYN,
    }
)
"""Types of which an absent value is shown as `EMPTY`, not as `ABSENT`."""
_UINT64 = (1 << 64) - 1
_UNPRINTED = bytes(byte if 0x20 <= byte < 0x7F else ord(".") for byte in range(256))


def args_text(event: Event) -> str:
    """Return all parameters as `name=value(meaning)`, separated by blanks; none of a generic system call."""
    kind = event.type
    if kind.name == "syscall":
        return ""
    parts = []
    for position in range(min(len(event.params), len(kind.params))):
        value, meaning = param_texts(event, position)
        if meaning and meaning != value:
            value = f"{value}({meaning})"
        parts.append(f"{kind.params[position].name}={value}")
    return " ".join(parts)


def arg_text(event: Event, position: int) -> str:
    """Return what the parameter at `position` stands for, or else its plain value."""
    value, meaning = param_texts(event, position)
    return meaning or value


def param_texts(event: Event, position: int) -> Texts:
    """Return both texts of the parameter at `position`, which the event must have."""
    param = event.type.params[position]
    value = event.params[position]
    if value is None or value == b"":
        return (EMPTY if param.type in _EMPTY_TYPES else ABSENT), ""
    return _RENDERERS[param.type](event, param, value)


@lru_cache(maxsize=4096)
def flags_text(table: str, value: int) -> str:
    """Return the names of the flags that are set in `value`, joined by `|`.

    Each bit is named once, by the first flag of the table that has it; the name of no flags at all stands for 0
    only.
    """
    names = []
    rest = value
    for name, bits in FLAG_TABLES[table].items():
        if (rest & bits == bits) if bits else value == 0:
            names.append(name)
            rest &= ~bits
            if bits == value:
                break
    return "|".join(names)


@lru_cache(maxsize=4096)
def mode_text(table: str, value: int) -> str:
    """Return the names of the permissions in `value`, joined by `|`; one that is all of the value ends the search."""
    names = []
    rest = value
    for name, bits in FLAG_TABLES[table].items():
        if bits == value:
            names.append(name)
            break
        if bits and rest & bits == bits:
            names.append(name)
            rest &= ~bits
    return "|".join(names)


@lru_cache(maxsize=4096)
def enumeration_text(table: str, value: int) -> str:
    """Return the names that stand for exactly `value`, joined by `|`."""
    return "|".join(name for name, number in FLAG_TABLES[table].items() if number == value)


def descriptor_text(event: Event, number: int) -> str:
    """Return `<kind>name` of a descriptor that the acting thread holds, an error's name for a negative number."""
    if number == AT_FDCWD:
        return "AT_FDCWD"
    if number < 0:
        return ERRNO_NAMES.get(-number, "")
    descriptor = descriptor_numbered(event, number)
    if descriptor is None:
        return ""
    letter = _PROTOCOL_LETTERS.get(descriptor.shown_protocol or "", "") if descriptor.type in "46" else ""
    kind = "u" if descriptor.type == "U" else descriptor.type
    return f"<{kind}{letter}>{printable(descriptor.name)}"


def number_text(value: int, form: Format, bits: int) -> str:
    """Return a number in the table's format: as unsigned in hexadecimal and octal digits, else as signed."""
    value &= (1 << bits) - 1
    if form is Format.HEX:
        return f"{value:X}"
    if form is Format.OCT:
        return f"0{value:o}" if value else "0"
    if value >> (bits - 1):
        value -= 1 << bits
    return f"{value:09d}" if form is Format.PADDED_DEC else str(value)


def time_text(nanoseconds: int) -> str:
    """Return a moment as local date, time with nanoseconds, and offset from UTC."""
    seconds, rest = divmod(nanoseconds, 10**9)
    moment = localtime(seconds)
    return f"{strftime('%Y-%m-%d %H:%M:%S', moment)}.{rest:09d} {strftime('%z', moment)}"


def _numeric(bits: int) -> Callable[[Event, Parameter, ParamValue], Texts]:
    def render(_event: Event, param: Parameter, value: ParamValue) -> Texts:
        return (number_text(value, param.format, bits) if isinstance(value, int) else _other(value)), ""

    return render


def _errno(_event: Event, _param: Parameter, value: ParamValue) -> Texts:
    if isinstance(value, int) and value < 0:
        return str(value), ERRNO_NAMES.get(-value, "")
    return _other(value), ""


def _fd(event: Event, _param: Parameter, value: ParamValue) -> Texts:
    return _other(value), descriptor_text(event, value) if isinstance(value, int) else ""


def _pid(event: Event, _param: Parameter, value: ParamValue) -> Texts:
    thread = event.thread
    named = thread.threads.get(value) if thread is not None and isinstance(value, int) else None
    return _other(value), named.comm if named is not None else ""


def _flags(_event: Event, param: Parameter, value: ParamValue) -> Texts:
    table = param.flag_table
    return _other(value), flags_text(table, value) if table is not None and isinstance(value, int) else ""


def _enumeration(_event: Event, param: Parameter, value: ParamValue) -> Texts:
    table = param.flag_table
    return _other(value), enumeration_text(table, value) if table is not None and isinstance(
        value, int
    ) else ""


def _mode(event: Event, param: Parameter, value: ParamValue) -> Texts:
    table = param.flag_table
    names = mode_text(table, value) if table is not None and isinstance(value, int) else ""
    return _numeric(32)(event, param, value)[0], names


def _path(event: Event, param: Parameter, value: ParamValue) -> Texts:
    if not isinstance(value, str) or value == ABSENT:
        return _other(value), ""
    base = None if value.startswith("/") or not value else base_directory(event, param)
    return printable(value), "" if base is None else printable(joined(base, value))


def _bytes(_event: Event, _param: Parameter, value: ParamValue) -> Texts:
    return (dotted(value) if isinstance(value, bytes) else _other(value)), ""


def dotted(data: bytes) -> str:
    """Return bytes as text, with a full stop for each that is not printable ASCII."""
    return data.translate(_UNPRINTED).decode("ascii")


def _sockaddr(_event: Event, _param: Parameter, value: ParamValue) -> Texts:
    return (sockaddr_text(value) if isinstance(value, (InetAddress, UnixAddress)) else _other(value)), ""


def _socktuple(_event: Event, _param: Parameter, value: ParamValue) -> Texts:
    return (tuple_text(value) if isinstance(value, (InetTuple, UnixTuple)) else _other(value)), ""


def _fdlist(event: Event, _param: Parameter, value: ParamValue) -> Texts:
    items = []
    for item in value if isinstance(value, tuple) else ():
        if isinstance(item, tuple) and len(item) == 2:
            number, flags = item
            if isinstance(number, int) and isinstance(flags, int):
                descriptor = descriptor_numbered(event, number)
                items.append(f"{number}:{'?' if descriptor is None else descriptor.type}{flags:x}")
    return " ".join(items), ""


def _syscall(_event: Event, _param: Parameter, value: ParamValue) -> Texts:
    call = BY_CODE.get(value) if isinstance(value, int) else None
    return _other(value), call.name if call is not None else ""


def _signal(_event: Event, _param: Parameter, value: ParamValue) -> Texts:
    return _other(value), SIGNAL_NAMES.get(value, "") if isinstance(value, int) else ""


def _signal_set(_event: Event, _param: Parameter, value: ParamValue) -> Texts:
    bits = value if isinstance(value, int) else 0
    return " ".join(name for number, name in SIGNAL_NAMES.items() if bits >> (number - 1) & 1), ""


def _duration(_event: Event, _param: Parameter, value: ParamValue) -> Texts:
    if not isinstance(value, int) or value in (-1, _UINT64):
        return "none", ""
    return str(value), f"{value / 10**9:g}s"


def _moment(_event: Event, _param: Parameter, value: ParamValue) -> Texts:
    return (time_text(value) if isinstance(value, int) else _other(value)), ""


def _user(event: Event, _param: Parameter, value: ParamValue) -> Texts:
    if value == 0xFFFFFFFF:
        return "-1", "<NONE>"
    user = event.state.users.user(value) if event.state is not None and isinstance(value, int) else None
    return _other(value), user.name if user is not None else ABSENT


def _group(event: Event, _param: Parameter, value: ParamValue) -> Texts:
    if value == 0xFFFFFFFF:
        return "-1", "<NONE>"
    group = event.state.users.group(value) if event.state is not None and isinstance(value, int) else None
    return _other(value), group.name if group is not None else ABSENT


def _bool(_event: Event, _param: Parameter, value: ParamValue) -> Texts:
    return ("true" if value else "false"), ""


def _texts(_event: Event, _param: Parameter, value: ParamValue) -> Texts:
    return ".".join(map(str, value)) if isinstance(value, tuple) else _other(value), ""


def _pairs(_event: Event, _param: Parameter, value: ParamValue) -> Texts:
    pairs = [item for item in value if isinstance(item, tuple)] if isinstance(value, tuple) else ()
    return ",".join([":".join(map(str, pair)) for pair in pairs]), ""


def _charbuf(_event: Event, _param: Parameter, value: ParamValue) -> Texts:
    return _other(value), ""


def _dynamic(event: Event, param: Parameter, value: ParamValue) -> Texts:
    """Render a value by its looks: which alternative it was is not kept."""
    if isinstance(value, bytes):
        return dotted(value), ""
    if not isinstance(value, int):
        return _other(value), ""
    if param.alternatives[:1] == (ValueType.FD,):
        return _fd(event, param, value)
    return number_text(value, param.format, 64), ""


def _other(value: ParamValue) -> str:
    return str(value)


Renderer = Callable[[Event, Parameter, ParamValue], Texts]

_RENDERERS: Mapping[ValueType, Renderer] = {
    # Numbers of less than 32 bits are widened first.
    ValueType.INT8: _numeric(32),
    ValueType.INT16: _numeric(32),
    ValueType.INT32: _numeric(32),
    ValueType.INT64: _numeric(64),
    ValueType.UINT8: _numeric(32),
    ValueType.UINT16: _numeric(32),
    ValueType.UINT32: _numeric(32),
    ValueType.UINT64: _numeric(64),
    ValueType.PORT: _numeric(32),
    ValueType.ERRNO: _errno,
    ValueType.FD: _fd,
    ValueType.FD32: _fd,
    ValueType.PID: _pid,
    ValueType.PID32: _pid,
    ValueType.SYSCALLID: _syscall,
    ValueType.SIGTYPE: _signal,
    ValueType.SIGSET: _signal_set,
    ValueType.RELTIME: _duration,
    ValueType.ABSTIME: _moment,
    ValueType.FLAGS8: _flags,
    ValueType.FLAGS16: _flags,
    ValueType.FLAGS32: _flags,
    ValueType.ENUMFLAGS8: _enumeration,
    ValueType.ENUMFLAGS16: _enumeration,
    ValueType.ENUMFLAGS32: _enumeration,
    ValueType.MODE: _mode,
    ValueType.DOUBLE: _charbuf,
    ValueType.BOOL: _bool,
    ValueType.CHARBUF: _charbuf,
    ValueType.FSPATH: _path,
    ValueType.FSRELPATH: _path,
    ValueType.BYTEBUF: _bytes,
    ValueType.IPV4ADDR: _bytes,
    ValueType.IPV6ADDR: _bytes,
    ValueType.IPADDR: _bytes,
    ValueType.IPV4NET: _bytes,
    ValueType.IPV6NET: _bytes,
    ValueType.IPNET: _bytes,
    ValueType.UID: _user,
    ValueType.GID: _group,
    ValueType.SOCKADDR: _sockaddr,
    ValueType.SOCKTUPLE: _socktuple,
    ValueType.SOCKFAMILY: _numeric(32),
    ValueType.FDLIST: _fdlist,
    ValueType.CHARBUFARRAY: _texts,
    ValueType.CHARBUF_PAIR_ARRAY: _pairs,
    ValueType.DYN: _dynamic,
}
