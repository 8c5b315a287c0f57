"""What the kernel copies at the exit of each system call: the memory and open files that its decoder looks at.

Everything is read at the exit. By then the kernel has read strings and structures itself, so that their pages
are there, and it has written what it gives back. What another thread changes in between is seen changed; the
kernel's own descriptions of open files and directories cannot be changed like that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from refengine.backends.ebpf.layout import CAPTURE, CAPTURES_MAX, PLAN_SIZE, CaptureKind

STRINGS_MAX: Final = 8
"""How many entries of a vector of strings are copied."""

WORKING_DIRECTORY: Final = 7
"""Stands for the argument that names a directory where paths are relative to the working directory."""


@dataclass(frozen=True, slots=True)
class Capture:
    """One thing to copy; `argument` and `length` are positions of arguments, `size` is in bytes."""

    kind: CaptureKind
    argument: int = 0
    length: int = 0
    size: int = 0

    def pack(self) -> bytes:
        """Return it as the kernel side reads it."""
        return CAPTURE.pack(self.kind, self.argument, self.length, self.size)


def text(position: int, directory: int = WORKING_DIRECTORY) -> tuple[Capture, ...]:
    """Return the captures of a path: the text, and the directory that it is relative to."""
    return Capture(CaptureKind.TEXT, position), Capture(CaptureKind.DIRECTORY, directory, position)


def word(position: int) -> Capture:
    """Return the capture of a string that is no path."""
    return Capture(CaptureKind.TEXT, position)


def structure(position: int, size: int) -> Capture:
    """Return the capture of a structure of `size` bytes."""
    return Capture(CaptureKind.BYTES, position, size=size)


def sized(position: int, length: int, size: int) -> Capture:
    """Return the capture of at most `size` bytes, as many as argument `length` says."""
    return Capture(CaptureKind.BUFFER, position, length, size)


def open_file(position: int) -> Capture:
    """Return the capture of what is open under the number in an argument."""
    return Capture(CaptureKind.DESCRIPTOR, position)


def strings(position: int) -> tuple[Capture, ...]:
    """Return the captures of a vector of strings: the table, and as many of its entries as there is room for."""
    entries = (Capture(CaptureKind.ENTRY, position, size=entry) for entry in range(STRINGS_MAX))
    return structure(position, STRINGS_MAX * 8), *entries


_CREATED: Final = Capture(CaptureKind.CREATED)
_ADDRESS: Final = 128


def _table(snap_length: int, *, identify: bool, arguments: bool) -> dict[str, tuple[Capture, ...]]:
    """Return the captures by system call, with at most `snap_length` bytes of each buffer."""
    made = (_CREATED,) if identify else ()
    snap = snap_length
    fd = open_file(0)
    received = Capture(CaptureKind.RESULT, 1, size=snap)
    message = (fd, Capture(CaptureKind.MESSAGE, 1, size=snap))
    vector = (fd, Capture(CaptureKind.VECTOR, 1, 2, snap))
    path, path_at = text(0), text(1, 0)
    two_paths = (*text(0), *text(1))
    two_paths_at = (*text(1, 0), *text(3, 2))
    on_descriptor = dict.fromkeys(
        (
            "close",
            "dup",
            "dup2",
            "dup3",
            "fcntl",
            "flock",
            "fchdir",
            "fstat",
            "fchmod",
            "fchown",
            "getdents",
            "getdents64",
            "lseek",
            "ioctl",
            "listen",
            "shutdown",
            "finit_module",
            "setns",
            "pidfd_getfd",
            "sendfile",
            "splice",
            "inotify_add_watch",
            "epoll_wait",
            "mmap",
        ),
        (fd,),
    )
    on_path = dict.fromkeys(
        (
            "chdir",
            "chroot",
            "access",
            "stat",
            "lstat",
            "unlink",
            "rmdir",
            "mkdir",
            "mknod",
            "chmod",
            "chown",
            "lchown",
            "umount2",
        ),
        path,
    )
    on_path_at = dict.fromkeys(
        ("newfstatat", "unlinkat", "mkdirat", "mknodat", "fchmodat", "fchownat", "faccessat"),
        path_at,
    )
    return {
        **on_descriptor,
        **on_path,
        **on_path_at,
        "mmap": (open_file(4),),
        "open": (*path, *made),
        "creat": (*path, *made),
        "openat": (*path_at, *made),
        "openat2": (*path_at, structure(2, 24), *made),
        "open_by_handle_at": (_CREATED,),
        "getcwd": (word(0),),
        "rename": two_paths,
        "link": two_paths,
        "renameat": two_paths_at,
        "renameat2": two_paths_at,
        "linkat": two_paths_at,
        "symlink": (word(0), *text(1)),
        "symlinkat": (word(0), *text(2, 1)),
        "mount": (*text(1), word(0), word(2)),
        "quotactl": (word(1),),
        "execve": (*path, *(strings(1) if arguments else ())),
        "execveat": (*path_at, *(strings(2) if arguments else ())),
        "read": (fd, received),
        "pread64": (fd, received),
        "write": (fd, sized(1, 2, snap)),
        "pwrite64": (fd, sized(1, 2, snap)),
        "readv": vector,
        "preadv": vector,
        "writev": vector,
        "pwritev": vector,
        "copy_file_range": (fd, structure(1, 8), structure(3, 8)),
        "poll": (structure(0, 512),),
        "ppoll": (structure(0, 512), structure(2, 16), structure(3, 8)),
        "nanosleep": (structure(0, 16),),
        "getresuid": (structure(0, 4), structure(1, 4), structure(2, 4)),
        "getresgid": (structure(0, 4), structure(1, 4), structure(2, 4)),
        "capset": (structure(1, 24),),
        "init_module": (sized(0, 1, snap), word(2)),
        "finit_module": (fd, word(1)),
        "delete_module": (word(0),),
        "fsconfig": (fd, word(2), word(3), sized(3, 4, snap)),
        "memfd_create": (word(0),),
        "pipe": (structure(0, 8),),
        "pipe2": (structure(0, 8),),
        "prctl": (word(1), structure(1, 4)),
        "ptrace": (structure(3, 8),),
        "setrlimit": (structure(1, 16),),
        "getrlimit": (structure(1, 16),),
        "prlimit64": (structure(2, 16), structure(3, 16)),
        "process_vm_readv": (Capture(CaptureKind.VECTOR, 1, 2, snap),),
        "process_vm_writev": (Capture(CaptureKind.VECTOR, 1, 2, snap),),
        "semop": (structure(1, 12),),
        "connect": (fd, sized(1, 2, _ADDRESS)),
        "bind": (fd, sized(1, 2, _ADDRESS)),
        "accept": (_CREATED, fd),
        "accept4": (_CREATED, fd),
        "socketpair": (structure(3, 8),),
        "getsockname": (fd,),
        "getpeername": (fd,),
        "sendto": (fd, sized(1, 2, snap), sized(4, 5, _ADDRESS)),
        "recvfrom": (fd, received, Capture(CaptureKind.SIZED, 4, 5, _ADDRESS)),
        "sendmsg": message,
        "recvmsg": message,
        "sendmmsg": (*message, structure(1, 64)),
        "recvmmsg": (*message, structure(1, 64)),
        "setsockopt": (fd, sized(3, 4, 64)),
        "getsockopt": (fd, Capture(CaptureKind.SIZED, 3, 4, 64)),
    }


def captures(
    snap_length: int, *, identify: bool = False, arguments: bool = False
) -> Mapping[str, tuple[Capture, ...]]:
    """Return what to copy by the names of system calls; nothing for those that are not there.

    With `identify` device, inode and making of opened files are told, with `arguments` those of executions that failed,
    which costs something.
    """
    table = _table(snap_length, identify=identify, arguments=arguments)
    assert all(len(wanted) <= CAPTURES_MAX for wanted in table.values())
    return MappingProxyType(table)


def with_directory(wanted: tuple[Capture, ...]) -> tuple[Capture, ...]:
    """Return captures to which that of the working directory is added, whatever paths there are."""
    others = (capture for capture in wanted if capture.argument != WORKING_DIRECTORY)
    return *others, Capture(CaptureKind.DIRECTORY, WORKING_DIRECTORY, size=1)


def packed(wanted: tuple[Capture, ...]) -> bytes:
    """Return a system call's captures as the kernel side reads them."""
    return b"".join(capture.pack() for capture in wanted).ljust(PLAN_SIZE, b"\0")
