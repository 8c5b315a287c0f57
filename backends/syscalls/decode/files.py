"""System calls that name or open files."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Final

from refengine.backends.syscalls import kernel_bits as kb
from refengine.backends.syscalls.call import (
    Call,
    Decoder,
    Reader,
    absent,
    bits,
    integer,
    masked,
    on_success,
    parameters,
    result,
    text,
    unsigned,
)
from refengine.event import ParamValue
from refengine.tables.flags import FLAG_TABLES

_CREATED: Final = FLAG_TABLES["file_flags"]["O_F_CREATED"]
_OPEN_HOW = struct.Struct("=QQQ")  # flags, mode, resolve
_PERMISSIONS: Final = 0o7777
_open_flags: Final = kb.open_flags
_open_mode: Final = kb.open_mode
_MOUNT_MAGIC: Final = 0xFFFF0000  # programs of old set it in the upper half of mount flags
_MOUNT_MAGIC_VALUE: Final = 0xC0ED0000


def _opened(call: Call, flags: int) -> tuple[int, int | None, int | None]:
    """Return the flags with what the kernel found out, and the device and inode of the opened file."""
    mine = _open_flags(flags)
    if call.result < 0:
        return mine, 0, 0
    if call.created:
        mine |= _CREATED
    if not call.identify:
        return mine, None, None
    identity = call.process.identity(call.tid, call.result)
    return (mine, *identity) if identity is not None else (mine, None, None)


def _open(call: Call) -> list[ParamValue | None]:
    name, flags, mode = call.args[:3]
    mine, dev, ino = _opened(call, flags)
    return [call.result, call.memory.string(call.tid, name), mine, _open_mode(flags, mode), dev, ino]


def _openat(call: Call) -> list[ParamValue | None]:
    directory, name, flags, mode, _, _ = call.args
    mine, dev, ino = _opened(call, flags)
    return [
        call.result,
        ((directory & 0xFFFFFFFF) ^ 0x80000000) - 0x80000000,
        call.memory.string(call.tid, name),
        mine,
        _open_mode(flags, mode),
        dev,
        ino,
    ]


def _openat2(call: Call) -> list[ParamValue | None]:
    directory, name, how = call.args[:3]
    path = call.memory.string(call.tid, name)
    number = ((directory & 0xFFFFFFFF) ^ 0x80000000) - 0x80000000
    members = call.memory.unpack(call.tid, how, _OPEN_HOW)
    if members is None:
        return [call.result, number, path, None, None, None, None, None]
    flags, mode, resolve = members
    mine, dev, ino = _opened(call, flags)
    return [
        call.result,
        number,
        path,
        mine,
        _open_mode(flags, mode),
        kb.openat2_flags(resolve),
        dev,
        ino,
    ]


def _creat(call: Call) -> list[ParamValue | None]:
    identity = call.process.identity(call.tid, call.result) if call.identify and call.result >= 0 else None
    dev, ino = identity if identity is not None else (None, None)
    return [call.result, call.memory.string(call.tid, call.args[0]), call.args[1] & _PERMISSIONS, dev, ino, 0]


def _open_by_handle_at(call: Call) -> list[ParamValue | None]:
    mount, _, flags = call.args[:3]
    mine, dev, ino = _opened(call, flags)
    path = call.process.path(call.tid, call.result) if call.result >= 0 else None
    return [call.result, ((mount & 0xFFFFFFFF) ^ 0x80000000) - 0x80000000, mine, path, dev, ino]


def _mount_flags(call: Call) -> int:
    flags = call.args[3] & 0xFFFFFFFF
    return flags & ~_MOUNT_MAGIC if flags & _MOUNT_MAGIC == _MOUNT_MAGIC_VALUE else flags


def _getcwd(call: Call) -> str | None:
    return call.memory.string(call.tid, call.args[0])


_path: Reader = text(0)
_path_at: Reader = text(1)

DECODERS: Final[Mapping[str, Decoder]] = {
    "open": _open,
    "openat": _openat,
    "openat2": _openat2,
    "creat": _creat,
    "open_by_handle_at": _open_by_handle_at,
    "close": parameters(result, integer(0)),
    "close_range": parameters(result, unsigned(0), unsigned(1), bits(2, kb.close_range_flags)),
    "dup": parameters(result, integer(0)),
    "dup2": parameters(result, integer(0), integer(1)),
    "dup3": parameters(result, integer(0), integer(1), bits(2, kb.file_flags)),
    "fcntl": parameters(result, integer(0), bits(1, kb.fcntl_commands), lambda call: call.args[2]),
    "flock": parameters(result, integer(0), bits(1, kb.flock_flags)),
    "chdir": parameters(result, _path),
    "fchdir": parameters(result, integer(0)),
    "chroot": parameters(result, _path),
    "getcwd": parameters(result, on_success(_getcwd)),
    "access": parameters(result, _path, bits(1, kb.access_flags)),
    "stat": parameters(result, _path),
    "lstat": parameters(result, _path),
    "fstat": parameters(result, integer(0)),
    "newfstatat": parameters(result, integer(0), _path_at, bits(3, kb.newfstatat_flags)),
    "rename": parameters(result, _path, text(1)),
    "renameat": parameters(result, integer(0), text(1), integer(2), text(3)),
    "renameat2": parameters(result, integer(0), text(1), integer(2), text(3), bits(4, kb.renameat2_flags)),
    "unlink": parameters(result, _path),
    "unlinkat": parameters(result, integer(0), _path_at, bits(2, kb.unlinkat_flags)),
    "rmdir": parameters(result, _path),
    "mkdir": parameters(result, _path, unsigned(1)),
    "mkdirat": parameters(result, integer(0), _path_at, unsigned(2)),
    "link": parameters(result, _path, text(1)),
    "linkat": parameters(result, integer(0), text(1), integer(2), text(3), bits(4, kb.linkat_flags)),
    "symlink": parameters(result, _path, text(1)),
    "symlinkat": parameters(result, text(0), integer(1), text(2)),
    "mknod": parameters(result, _path, unsigned(1), unsigned(2)),
    "mknodat": parameters(result, integer(0), _path_at, unsigned(2), unsigned(3)),
    "chmod": parameters(result, _path, masked(1, _PERMISSIONS)),
    "fchmod": parameters(result, integer(0), masked(1, _PERMISSIONS)),
    "fchmodat": parameters(result, integer(0), _path_at, masked(2, _PERMISSIONS)),
    "chown": parameters(result, _path, unsigned(1), unsigned(2)),
    "lchown": parameters(result, _path, unsigned(1), unsigned(2)),
    "fchown": parameters(result, integer(0), unsigned(1), unsigned(2)),
    "fchownat": parameters(
        result, integer(0), _path_at, unsigned(2), unsigned(3), bits(4, kb.fchownat_flags)
    ),
    "mount": parameters(result, text(0), text(1), text(2), _mount_flags),
    "umount2": parameters(result, _path, bits(1, kb.umount_flags)),
    "getdents": parameters(result, integer(0)),
    "getdents64": parameters(result, integer(0)),
    "quotactl": parameters(
        result,
        text(1),
        # The quota's values come in structures that differ by command; whose quota it is comes after them.
        *[absent] * 12,
        lambda call: kb.quotactl_commands(call.args[0] >> 8 & 0xFFFFFF),
        lambda call: kb.quotactl_types(call.args[0] & 0xFF),
        unsigned(2),
        absent,
    ),
}
