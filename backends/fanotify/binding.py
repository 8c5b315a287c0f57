"""The system calls of fanotify and of file handles, through ctypes, with their constants."""

from __future__ import annotations

import ctypes
import os
from typing import Final

CLASS_CONTENT: Final = 0x4
CLOEXEC: Final = 0x1
NONBLOCK: Final = 0x2
REPORT_TID: Final = 0x100
REPORT_DFID_NAME: Final = 0x400 | 0x800
"""Events name a file by a handle of its folder and its name there."""

MARK_ADD: Final = 0x1
MARK_ONLYDIR: Final = 0x8
MARK_MOUNT: Final = 0x10
MARK_FILESYSTEM: Final = 0x100

ACCESS: Final = 0x1
MODIFY: Final = 0x2
CLOSE_WRITE: Final = 0x8
CLOSE_NOWRITE: Final = 0x10
OPEN: Final = 0x20
CREATE: Final = 0x100
DELETE: Final = 0x200
OPEN_EXEC: Final = 0x1000
Q_OVERFLOW: Final = 0x4000
OPEN_PERM: Final = 0x10000
EVENT_ON_CHILD: Final = 0x08000000
RENAME: Final = 0x10000000
ONDIR: Final = 0x40000000

ALLOW: Final = 0x1

_HANDLE_MAX: Final = 128
_AT_FDCWD: Final = -100

_libc: Final = ctypes.CDLL(None, use_errno=True)
_libc.fanotify_init.argtypes = [ctypes.c_uint, ctypes.c_uint]
_libc.fanotify_mark.argtypes = [
    ctypes.c_int,
    ctypes.c_uint,
    ctypes.c_uint64,
    ctypes.c_int,
    ctypes.c_char_p,
]
_libc.open_by_handle_at.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_int]
_libc.name_to_handle_at.argtypes = [
    ctypes.c_int,
    ctypes.c_char_p,
    ctypes.c_void_p,
    ctypes.POINTER(ctypes.c_int),
    ctypes.c_int,
]


def fanotify_init(flags: int, event_flags: int = os.O_RDONLY | os.O_CLOEXEC) -> int:
    """Return the descriptor of a new group.

    :raises OSError: when the kernel refuses it.
    """
    return _checked(_libc.fanotify_init(flags, event_flags))


def fanotify_mark(group: int, flags: int, mask: int, path: str) -> None:
    """Add to what a group is told of.

    :raises OSError: when the kernel refuses it.
    """
    _checked(_libc.fanotify_mark(group, flags, mask, _AT_FDCWD, os.fsencode(path)))


def open_by_handle(mount: int, handle: bytes, flags: int) -> int:
    """Return a descriptor of the file with that handle on the filesystem of the descriptor `mount`.

    :raises OSError: when there is no such file any more, or we may not.
    """
    return _checked(_libc.open_by_handle_at(mount, handle, flags))


def handle_of(path: str) -> bytes:
    """Return the handle of a file: its length, its type, and as many bytes.

    :raises OSError: when there is no such file, or its filesystem has no handles.
    """
    buffer = ctypes.create_string_buffer(8 + _HANDLE_MAX)
    ctypes.c_uint.from_buffer(buffer).value = _HANDLE_MAX
    mount = ctypes.c_int()
    _checked(_libc.name_to_handle_at(_AT_FDCWD, os.fsencode(path), buffer, ctypes.byref(mount), 0))
    return buffer.raw[: 8 + ctypes.c_uint.from_buffer(buffer).value]


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
