"""The status of files that others have open or run, without asking whoever serves them.

A file may lie on a filesystem whose server is a program of the one that is watched, or a machine that is not there any
more. To ask it would be to wait for it, and no signal ends that. The kernel tells what it knows itself at once.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Callable
from typing import Final, NamedTuple

_AT_FDCWD: Final = -100
_DONT_SYNC: Final = 0x4000
_BASIC: Final = 0x7FF
_STATX: Final = struct.Struct("=16x III H 2x Q 56x qI4x qI4x 8x II 112x")
_BILLION: Final = 10**9


class FileStatus(NamedTuple):
    """What the kernel knows of a file, named and counted as in `os.stat_result`."""

    st_ino: int
    st_dev: int
    st_mode: int
    st_nlink: int
    st_uid: int
    st_gid: int
    st_ctime_ns: int
    st_mtime_ns: int


def _find_statx() -> Callable[..., int] | None:
    try:
        found: Callable[..., int] = ctypes.CDLL(None, use_errno=True).statx
    except (AttributeError, OSError):
        return None
    return found


_statx: Final = _find_statx()


def file_status(path: str) -> FileStatus:
    """Return the status of the file that `path`, a link under `/proc`, leads to.

    Times and rights of a file of another machine may be those of when the kernel was last told them.

    :raises OSError: when there is none, or we may not see it.
    """
    if _statx is not None:
        buffer = ctypes.create_string_buffer(_STATX.size)
        if _statx(_AT_FDCWD, os.fsencode(path), _DONT_SYNC, _BASIC, buffer) == 0:
            links, uid, gid, mode, ino, changed, changed_ns, written, written_ns, major, minor = (
                _STATX.unpack(buffer)
            )
            return FileStatus(
                ino,
                os.makedev(major, minor),
                mode,
                links,
                uid,
                gid,
                changed * _BILLION + changed_ns,
                written * _BILLION + written_ns,
            )
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), path)
    found = os.stat(path)  # noqa: PTH116  (a C library from before 2018)
    return FileStatus(
        found.st_ino,
        found.st_dev,
        found.st_mode,
        found.st_nlink,
        found.st_uid,
        found.st_gid,
        found.st_ctime_ns,
        found.st_mtime_ns,
    )
