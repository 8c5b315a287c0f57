"""System calls on sockets."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Final

from refengine.backends.syscalls import kernel_bits as kb
from refengine.backends.syscalls.addresses import connection, parse_address
from refengine.backends.syscalls.call import (
    Call,
    Decoder,
    absent,
    integer,
    on_success,
    parameters,
    result,
    signed,
    unsigned,
)
from refengine.backends.syscalls.decode.data import vector
from refengine.event import ParamValue
from refengine.event.sockets import SocketAddress, SocketTuple

_ADDRESS_MAX: Final = 128  # struct sockaddr_storage
_MESSAGE = struct.Struct("=QI4xQQQQ")  # name, name length, vector, vector length, control, control length
_MULTI_MESSAGE_SIZE: Final = 64  # struct mmsghdr: a message, then its result
_TYPE_FLAGS: Final = 0o2004000  # SOCK_CLOEXEC and SOCK_NONBLOCK, which are O_CLOEXEC and O_NONBLOCK
_SOL_SOCKET: Final = 1
_OPTION_MAX: Final = 64
_TIME_OPTIONS: Final = frozenset({20, 21})  # SO_RCVTIMEO, SO_SNDTIMEO
_ERROR_OPTION: Final = 4  # SO_ERROR
_NUMBER_OPTIONS: Final = frozenset(
    {1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 15, 16, 18, 19, 29, 30, 32, 33, 36, 38, 39}
)


def _address(call: Call, pointer: int, length: int) -> SocketAddress | None:
    data = call.memory.bytes_at(call.tid, pointer, min(length & 0xFFFFFFFF, _ADDRESS_MAX))
    return None if data is None else parse_address(data)


def _outgoing(call: Call, number: int, destination: SocketAddress | None) -> SocketTuple | None:
    """Return the pair of a socket's own address and where a packet went."""
    ends = call.process.ends(call.tid, number)
    return connection(ends.local, destination if destination is not None else ends.peer)


def _incoming(call: Call, number: int, sender: SocketAddress | None) -> SocketTuple | None:
    """Return the pair of where a packet came from and the socket's own address."""
    ends = call.process.ends(call.tid, number)
    return connection(sender if sender is not None else ends.peer, ends.local)


def _connect(call: Call) -> list[ParamValue | None]:
    number = signed(call.args[0])
    address = _address(call, call.args[1], call.args[2])
    pair = None if address is None else _outgoing(call, number, address)
    return [call.result, pair, number, address]


def _bind(call: Call) -> list[ParamValue | None]:
    return [call.result, _address(call, call.args[1], call.args[2]), signed(call.args[0])]


def _accepted(call: Call) -> SocketTuple | None:
    ends = call.process.ends(call.tid, call.result)
    return connection(ends.peer, ends.local)


def _socket_flags(call: Call) -> int:
    return kb.file_flags(call.args[1] & _TYPE_FLAGS)


def _sendto(call: Call) -> list[ParamValue | None]:
    number = signed(call.args[0])
    address = _address(call, call.args[4], call.args[5]) if call.args[4] else None
    return [
        call.result,
        call.buffer(call.args[1], call.result if call.result > 0 else call.args[2]),
        number,
        call.args[2] & 0xFFFFFFFF,
        None if address is None else _outgoing(call, number, address),
    ]


def _recvfrom(call: Call) -> list[ParamValue | None]:
    number = signed(call.args[0])
    size = call.args[2] & 0xFFFFFFFF
    if call.result < 0:
        return [call.result, None, None, number, size]
    length = call.memory.unpack(call.tid, call.args[5], struct.Struct("=I")) if call.args[5] else None
    sender = None if length is None else _address(call, call.args[4], length[0])
    data = call.buffer(call.args[1], call.result)
    return [call.result, data, _incoming(call, number, sender), number, size]


def _message(call: Call, pointer: int) -> tuple[SocketAddress | None, bytes | None, int, bytes | None] | None:
    """Return the address, first bytes, size and control data of a `struct msghdr`."""
    members = call.memory.unpack(call.tid, pointer, _MESSAGE)
    if members is None:
        return None
    name, name_length, table, count, control, control_length = members
    data, size = vector(call, table, count)
    ancillary = call.buffer(control, control_length) if call.result >= 0 else None
    return _address(call, name, name_length) if name else None, data, size & 0xFFFFFFFF, ancillary


def _sendmsg(call: Call) -> list[ParamValue | None]:
    number = signed(call.args[0])
    message = _message(call, call.args[1])
    if message is None:
        return [call.result, None, number, None, None]
    address, data, size, _ = message
    return [call.result, data, number, size, None if address is None else _outgoing(call, number, address)]


def _recvmsg(call: Call) -> list[ParamValue | None]:
    number = signed(call.args[0])
    message = _message(call, call.args[1]) if call.result >= 0 else None
    if message is None:
        return [call.result, None, None, None, None, number]
    sender, data, size, ancillary = message
    return [call.result, size, data, _incoming(call, number, sender), ancillary, number]


def _first_of_many(call: Call) -> tuple[SocketAddress | None, bytes | None, int, bytes | None] | None:
    """Return the first message of a `struct mmsghdr` array; its length is the kernel's, not the call's result."""
    if call.result <= 0:
        return None
    length = call.memory.unpack(call.tid, call.args[1] + _MULTI_MESSAGE_SIZE - 8, struct.Struct("=I"))
    messages, call.result = call.result, 0 if length is None else length[0]
    try:
        return _message(call, call.args[1])
    finally:
        call.result = messages


def _sendmmsg(call: Call) -> list[ParamValue | None]:
    number = signed(call.args[0])
    message = _first_of_many(call)
    if message is None:
        return [call.result, number, None, None, None]
    address, data, size, _ = message
    return [call.result, number, size, data, None if address is None else _outgoing(call, number, address)]


def _recvmmsg(call: Call) -> list[ParamValue | None]:
    number = signed(call.args[0])
    message = _first_of_many(call)
    if message is None:
        return [call.result, number, None, None, None, None]
    sender, data, size, ancillary = message
    return [call.result, number, size, data, _incoming(call, number, sender), ancillary]


def _pair(call: Call) -> list[ParamValue | None]:
    numbers = call.memory.unpack(call.tid, call.args[3], struct.Struct("=ii")) if call.result >= 0 else None
    first, second = numbers if numbers is not None else (None, None)
    domain, kind, protocol = (value & 0xFFFFFFFF for value in call.args[:3])
    return [call.result, first, second, 0, 0, domain, kind, protocol]


def _option_value(call: Call, length: int) -> ParamValue | None:
    """Read an option's value in the form that fits it."""
    if call.args[1] & 0xFFFFFFFF == _SOL_SOCKET:
        option = call.args[2] & 0xFFFFFFFF
        if option in _TIME_OPTIONS:
            times = call.memory.unpack(call.tid, call.args[3], struct.Struct("=qq"))
            return None if times is None else times[0] * 1_000_000_000 + times[1] * 1_000
        if option == _ERROR_OPTION or option in _NUMBER_OPTIONS:
            numbers = call.memory.unpack(call.tid, call.args[3], struct.Struct("=i"))
            if numbers is None:
                return None
            return -numbers[0] if option == _ERROR_OPTION else numbers[0] & 0xFFFFFFFF
    return call.buffer(call.args[3], min(length, _OPTION_MAX))


def _option(call: Call, length: int, value: ParamValue | None) -> list[ParamValue | None]:
    level = call.args[1] & 0xFFFFFFFF
    name = call.args[2] & 0xFFFFFFFF if level == _SOL_SOCKET else 0
    return [call.result, signed(call.args[0]), kb.sockopt_levels(level), name, value, length]


def _setsockopt(call: Call) -> list[ParamValue | None]:
    length = call.args[4] & 0xFFFFFFFF
    return _option(call, length, _option_value(call, length))


def _getsockopt(call: Call) -> list[ParamValue | None]:
    lengths = call.memory.unpack(call.tid, call.args[4], struct.Struct("=I"))
    length = 0 if lengths is None else lengths[0]
    return _option(call, length, _option_value(call, length) if call.result >= 0 else None)


def _nothing(_: Call) -> list[ParamValue | None]:
    return []


# The queue of the listening socket is known to the kernel alone.
_ACCEPT = (result, on_success(_accepted), absent, absent, absent)

DECODERS: Final[Mapping[str, Decoder]] = {
    "socket": parameters(result, unsigned(0), unsigned(1), unsigned(2), _socket_flags),
    "socketpair": _pair,
    "bind": _bind,
    "connect": _connect,
    "listen": parameters(result, integer(0), integer(1)),
    "accept": parameters(*_ACCEPT),
    "accept4": parameters(*_ACCEPT, integer(3)),
    "getsockname": _nothing,
    "getpeername": _nothing,
    "shutdown": parameters(result, integer(0), lambda call: kb.shutdown_how(call.args[1] & 0xFFFFFFFF)),
    "sendto": _sendto,
    "sendmsg": _sendmsg,
    "sendmmsg": _sendmmsg,
    "recvfrom": _recvfrom,
    "recvmsg": _recvmsg,
    "recvmmsg": _recvmmsg,
    "setsockopt": _setsockopt,
    "getsockopt": _getsockopt,
}
