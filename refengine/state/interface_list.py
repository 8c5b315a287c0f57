"""The interfaces of the machine that the program itself runs on."""

from __future__ import annotations

import ctypes
import fcntl
import socket
import struct
from pathlib import Path

from refengine.state.interfaces import Interface, Interfaces

_SIOCGIFCONF, _SIOCGIFNETMASK = 0x8912, 0x891B
_REQUEST = struct.Struct("16s2xH4s16x")
"""`struct ifreq` with an IPv4 address: name, (family), port, address."""

_LARGEST = 1 << 20


def read_interfaces() -> Interfaces:
    """Return the addresses of all interfaces; those that cannot be found out are left out."""
    return Interfaces([*_inet_interfaces(), *_inet6_interfaces(Path("/proc/net/if_inet6"))])


def _inet_interfaces() -> list[Interface]:
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for name, _, address in _REQUEST.iter_unpack(_configuration(control)):
            text = name.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")
            found.append(Interface(text, address, _netmask(control, name)))
    return found


def _configuration(control: socket.socket) -> bytes:
    """Return the requests of every configured interface, with a buffer large enough for all."""
    size = 64 * _REQUEST.size
    while True:
        buffer = ctypes.create_string_buffer(size)
        argument = struct.pack("iP", size, ctypes.addressof(buffer))
        try:
            used: int = struct.unpack("iP", fcntl.ioctl(control, _SIOCGIFCONF, argument))[0]
        except OSError:
            return b""
        if used < size or size >= _LARGEST:
            return buffer.raw[:used]
        size *= 4


def _netmask(control: socket.socket, name: bytes) -> bytes:
    try:
        answer = fcntl.ioctl(control, _SIOCGIFNETMASK, _REQUEST.pack(name, 0, bytes(4)))
    except OSError:
        return b""
    netmask: bytes = _REQUEST.unpack(answer)[2]
    return netmask


def _inet6_interfaces(table: Path) -> list[Interface]:
    try:
        rows = [line.split() for line in table.read_bytes().split(b"\n")]
    except OSError:
        return []
    return [
        Interface(row[5].decode("utf-8", "surrogateescape"), bytes.fromhex(row[0].decode("ascii")))
        for row in rows
        if len(row) == 6
    ]
