"""The types of the language and how their values are held in Python.

Every value of a field or of an event parameter has one of these types. A value that is not there is `None`
everywhere (absent, LANGUAGE: "absent values").

| types | held as |
|---|---|
| character strings, paths | `str`; bytes that are not UTF-8 become lone surrogates (`surrogateescape`), so nothing is lost |
| byte buffers | `bytes` |
| integers, flags, modes, identifiers, ports, times (nanoseconds) | `int` |
| booleans | `bool` |
| `double` | `float` |
| addresses and networks' addresses | `bytes`, 4 or 16 of them, in network order |
| list fields | `tuple` of the above |
"""

from __future__ import annotations

from enum import Enum
from typing import TypeAlias

Value: TypeAlias = "str | int | float | bytes | tuple[Value, ...]"
"""A present value; `bool` is an `int` here as everywhere in Python."""


class ValueType(str, Enum):
    """The type of a field or of an event parameter, by its name in the event and field tables."""

    INT8 = "int8"
    INT16 = "int16"
    INT32 = "int32"
    INT64 = "int64"
    UINT8 = "uint8"
    UINT16 = "uint16"
    UINT32 = "uint32"
    UINT64 = "uint64"
    ERRNO = "errno"
    FD = "fd"
    FD32 = "fd32"
    PID = "pid"
    PID32 = "pid32"
    SYSCALLID = "syscallid"
    SIGTYPE = "sigtype"
    SIGSET = "sigset"
    RELTIME = "reltime"
    ABSTIME = "abstime"
    PORT = "port"
    FLAGS8 = "flags8"
    FLAGS16 = "flags16"
    FLAGS32 = "flags32"
    ENUMFLAGS8 = "enumflags8"
    ENUMFLAGS16 = "enumflags16"
    ENUMFLAGS32 = "enumflags32"
    MODE = "mode"
    DOUBLE = "double"
    BOOL = "bool"
    CHARBUF = "charbuf"
    FSPATH = "fspath"
    FSRELPATH = "fsrelpath"
    BYTEBUF = "bytebuf"
    IPV4ADDR = "ipv4addr"
    IPV6ADDR = "ipv6addr"
    IPADDR = "ipaddr"
    IPV4NET = "ipv4net"
    IPV6NET = "ipv6net"
    IPNET = "ipnet"
    UID = "uid"
    GID = "gid"
    SOCKADDR = "sockaddr"
    SOCKTUPLE = "socktuple"
    SOCKFAMILY = "sockfamily"
    FDLIST = "fdlist"
    CHARBUFARRAY = "charbufarray"
    CHARBUF_PAIR_ARRAY = "charbuf_pair_array"
    DYN = "dyn"

    def __str__(self) -> str:
        return self.value


class Format(str, Enum):
    """How a number is printed."""

    NA = "na"
    DEC = "dec"
    HEX = "hex"
    OCT = "oct"
    ID = "id"
    PADDED_DEC = "10_padded_dec"
    DIR = "dir"
