"""From the kernel's flag bits to the capture format's, by the names that both have."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final, TypeAlias

from refengine.tables.flags import FLAG_TABLES

Translate: TypeAlias = "Callable[[int], int]"

_CACHED_VALUES: Final = 512  # a program uses few combinations, but may make any number of them up


def flag_bits(table: str, kernel: Mapping[str, int]) -> Translate:
    """Return the translation of sets of flags: each name whose kernel bits are all set gives its own bit."""
    pairs = tuple((bits, FLAG_TABLES[table][name]) for name, bits in kernel.items())

    def translate(value: int) -> int:
        result = 0
        for bits, mine in pairs:
            if value & bits == bits:
                result |= mine
        return result

    return lru_cache(_CACHED_VALUES)(translate)


def enumeration(table: str, kernel: Mapping[str, int], unknown: int) -> Translate:
    """Return the translation of an enumeration; a value without a name gives `unknown`."""
    values = {number: FLAG_TABLES[table][name] for name, number in kernel.items()}
    return lambda value: values.get(value, unknown)


def renamed(table: str, numbering: Mapping[str, int]) -> Mapping[str, int]:
    """Return the part of `numbering` that the flag table has too."""
    return {name: number for name, number in numbering.items() if name in FLAG_TABLES[table]}


O_CREAT: Final = os.O_CREAT
O_TMPFILE_BIT: Final = 0o20000000
_O_SYNC_BIT: Final = 0o4000000
CREATES: Final = O_CREAT | O_TMPFILE_BIT

_FILE = FLAG_TABLES["file_flags"]

_FILE_FLAGS = flag_bits(
    "file_flags",
    {
        "O_CREAT": os.O_CREAT,
        "O_EXCL": os.O_EXCL,
        "O_TRUNC": os.O_TRUNC,
        "O_APPEND": os.O_APPEND,
        "O_NONBLOCK": os.O_NONBLOCK,
        "O_DSYNC": os.O_DSYNC,
        "O_SYNC": _O_SYNC_BIT,
        "O_DIRECT": os.O_DIRECT,
        "O_LARGEFILE": 0o100000,
        "O_DIRECTORY": os.O_DIRECTORY,
        "O_CLOEXEC": os.O_CLOEXEC,
        "O_TMPFILE": O_TMPFILE_BIT,
    },
)

_ACCESS_MODES = (_FILE["O_RDONLY"], _FILE["O_WRONLY"], _FILE["O_RDWR"], _FILE["O_RDONLY"])

file_flags = _FILE_FLAGS
"""Flags of a call that gives a descriptor without an access mode (`dup3`, `pipe2`, `socket`)."""


@lru_cache(_CACHED_VALUES)
def open_flags(value: int) -> int:
    """Return the flags of an open in the capture format, the access mode among them.

    As the format has it, whatever is neither for writing nor for both is for reading, `O_PATH` too.
    """
    return _ACCESS_MODES[value & os.O_ACCMODE] | _FILE_FLAGS(value)


def open_mode(flags: int, mode: int) -> int:
    """Return the permission bits with which an open may create a file, 0 where it cannot create one."""
    return mode & 0o7777 if flags & CREATES else 0


clone_flags = flag_bits(
    "clone_flags",
    {
        "CLONE_FILES": 0x400,
        "CLONE_FS": 0x200,
        "CLONE_IO": 0x80000000,
        "CLONE_NEWIPC": 0x08000000,
        "CLONE_NEWNET": 0x40000000,
        "CLONE_NEWNS": 0x00020000,
        "CLONE_NEWPID": 0x20000000,
        "CLONE_NEWUTS": 0x04000000,
        "CLONE_NEWUSER": 0x10000000,
        "CLONE_NEWCGROUP": 0x02000000,
        "CLONE_PARENT": 0x8000,
        "CLONE_PARENT_SETTID": 0x00100000,
        "CLONE_PTRACE": 0x2000,
        "CLONE_SIGHAND": 0x800,
        "CLONE_SYSVSEM": 0x40000,
        "CLONE_THREAD": 0x10000,
        "CLONE_UNTRACED": 0x800000,
        "CLONE_VM": 0x100,
        "CLONE_VFORK": 0x4000,
        "CLONE_SETTLS": 0x80000,
        "CLONE_CHILD_CLEARTID": 0x200000,
        "CLONE_CHILD_SETTID": 0x1000000,
    },
)

fchownat_flags = flag_bits("fchownat_flags", {"AT_SYMLINK_NOFOLLOW": 0x100, "AT_EMPTY_PATH": 0x1000})
execveat_flags = flag_bits("execveat_flags", {"AT_SYMLINK_NOFOLLOW": 0x100, "AT_EMPTY_PATH": 0x1000})
unlinkat_flags = flag_bits("unlinkat_flags", {"AT_REMOVEDIR": 0x200})
linkat_flags = flag_bits("linkat_flags", {"AT_SYMLINK_FOLLOW": 0x400, "AT_EMPTY_PATH": 0x1000})
newfstatat_flags = flag_bits(
    "newfstatat_flags", {"AT_SYMLINK_NOFOLLOW": 0x100, "AT_NO_AUTOMOUNT": 0x800, "AT_EMPTY_PATH": 0x1000}
)
renameat2_flags = flag_bits(
    "renameat2_flags", {"RENAME_NOREPLACE": 1, "RENAME_EXCHANGE": 2, "RENAME_WHITEOUT": 4}
)
openat2_flags = flag_bits(
    "openat2_flags",
    {
        "RESOLVE_NO_XDEV": 0x01,
        "RESOLVE_NO_MAGICLINKS": 0x02,
        "RESOLVE_NO_SYMLINKS": 0x04,
        "RESOLVE_BENEATH": 0x08,
        "RESOLVE_IN_ROOT": 0x10,
        "RESOLVE_CACHED": 0x20,
    },
)
access_flags = flag_bits("access_flags", {"R_OK": 4, "W_OK": 2, "X_OK": 1})
umount_flags = flag_bits("umount_flags", {"FORCE": 1, "DETACH": 2, "EXPIRE": 4, "NOFOLLOW": 8})
prot_flags = flag_bits(
    "prot_flags",
    {
        "PROT_READ": 1,
        "PROT_WRITE": 2,
        "PROT_EXEC": 4,
        "PROT_SEM": 8,
        "PROT_GROWSDOWN": 0x01000000,
        "PROT_GROWSUP": 0x02000000,
    },
)
mmap_flags = flag_bits(
    "mmap_flags",
    {
        "MAP_SHARED": 0x01,
        "MAP_PRIVATE": 0x02,
        "MAP_FIXED": 0x10,
        "MAP_ANONYMOUS": 0x20,
        "MAP_32BIT": 0x40,
        "MAP_GROWSDOWN": 0x100,
        "MAP_DENYWRITE": 0x800,
        "MAP_EXECUTABLE": 0x1000,
        "MAP_LOCKED": 0x2000,
        "MAP_NORESERVE": 0x4000,
        "MAP_POPULATE": 0x8000,
        "MAP_NONBLOCK": 0x10000,
    },
)
flock_flags = flag_bits("flock_flags", {"LOCK_SH": 1, "LOCK_EX": 2, "LOCK_NB": 4, "LOCK_UN": 8})
delete_module_flags = flag_bits("delete_module_flags", {"O_NONBLOCK": os.O_NONBLOCK, "O_TRUNC": os.O_TRUNC})
close_range_flags = flag_bits("close_range_flags", {"CLOSE_RANGE_UNSHARE": 2, "CLOSE_RANGE_CLOEXEC": 4})
pidfd_open_flags = flag_bits("pidfd_open_flags", {"PIDFD_NONBLOCK": os.O_NONBLOCK})
semget_flags = flag_bits("semget_flags", {"IPC_CREAT": 0o1000, "IPC_EXCL": 0o2000})
semop_flags = flag_bits("semop_flags", {"IPC_NOWAIT": 0o4000, "SEM_UNDO": 0x1000})
epoll_create1_flags = flag_bits("epoll_create1_flags", {"EPOLL_CLOEXEC": os.O_CLOEXEC})
splice_flags = flag_bits(
    "splice_flags", {"SPLICE_F_MOVE": 1, "SPLICE_F_NONBLOCK": 2, "SPLICE_F_MORE": 4, "SPLICE_F_GIFT": 8}
)

fcntl_commands = enumeration(
    "fcntl_commands",
    {
        **renamed(
            "fcntl_commands", {n: v for n, v in vars(fcntl).items() if n.startswith("F_") and "64" not in n}
        ),
        "F_CANCELLK": 1024 + 5,
        "F_GETOWN_EX": 16,
        "F_SETOWN_EX": 15,
        "F_OFD_GETLK": 36,
        "F_OFD_SETLK": 37,
        "F_OFD_SETLKW": 38,
    },
    FLAG_TABLES["fcntl_commands"]["UNKNOWN"],
)

ptrace_requests = enumeration(
    "ptrace_requests",
    {
        "PTRACE_TRACEME": 0,
        "PTRACE_PEEKTEXT": 1,
        "PTRACE_PEEKDATA": 2,
        "PTRACE_PEEKUSR": 3,
        "PTRACE_POKETEXT": 4,
        "PTRACE_POKEDATA": 5,
        "PTRACE_POKEUSR": 6,
        "PTRACE_CONT": 7,
        "PTRACE_KILL": 8,
        "PTRACE_SINGLESTEP": 9,
        "PTRACE_GETREGS": 12,
        "PTRACE_SETREGS": 13,
        "PTRACE_GETFPREGS": 14,
        "PTRACE_SETFPREGS": 15,
        "PTRACE_ATTACH": 16,
        "PTRACE_DETACH": 17,
        "PTRACE_GETFPXREGS": 18,
        "PTRACE_SETFPXREGS": 19,
        "PTRACE_OLDSETOPTIONS": 21,
        "PTRACE_SYSCALL": 24,
        "PTRACE_GET_THREAD_AREA": 25,
        "PTRACE_SET_THREAD_AREA": 26,
        "PTRACE_ARCH_PRCTL": 30,
        "PTRACE_SYSEMU": 31,
        "PTRACE_SYSEMU_SINGLESTEP": 32,
        "PTRACE_SINGLEBLOCK": 33,
        "PTRACE_SETOPTIONS": 0x4200,
        "PTRACE_GETEVENTMSG": 0x4201,
        "PTRACE_GETSIGINFO": 0x4202,
        "PTRACE_SETSIGINFO": 0x4203,
        "PTRACE_GETREGSET": 0x4204,
        "PTRACE_SETREGSET": 0x4205,
        "PTRACE_SEIZE": 0x4206,
        "PTRACE_INTERRUPT": 0x4207,
        "PTRACE_LISTEN": 0x4208,
        "PTRACE_PEEKSIGINFO": 0x4209,
        "PTRACE_GETSIGMASK": 0x420A,
        "PTRACE_SETSIGMASK": 0x420B,
    },
    FLAG_TABLES["ptrace_requests"]["PTRACE_UNKNOWN"],
)

_IPC_COMMANDS = {"IPC_RMID": 0, "IPC_SET": 1, "IPC_STAT": 2, "IPC_INFO": 3}
_SEM_COMMANDS = {
    "GETPID": 11,
    "GETVAL": 12,
    "GETALL": 13,
    "GETNCNT": 14,
    "GETZCNT": 15,
    "SETVAL": 16,
    "SETALL": 17,
    "SEM_STAT": 18,
    "SEM_INFO": 19,
}
semctl_commands = enumeration("semctl_commands", {**_IPC_COMMANDS, **_SEM_COMMANDS}, 0)

quotactl_commands = enumeration(
    "quotactl_cmds",
    {
        "Q_SYNC": 0x800001,
        "Q_QUOTAON": 0x800002,
        "Q_QUOTAOFF": 0x800003,
        "Q_GETFMT": 0x800004,
        "Q_GETINFO": 0x800005,
        "Q_SETINFO": 0x800006,
        "Q_GETQUOTA": 0x800007,
        "Q_SETQUOTA": 0x800008,
        "Q_XQUOTAON": 0x5801,
        "Q_XQUOTAOFF": 0x5802,
        "Q_XGETQUOTA": 0x5803,
        "Q_XSETQLIM": 0x5804,
        "Q_XGETQSTAT": 0x5805,
        "Q_XQUOTARM": 0x5806,
        "Q_XQUOTASYNC": 0x5807,
    },
    0,
)
quotactl_types = enumeration("quotactl_types", {"USRQUOTA": 0, "GRPQUOTA": 1}, 0)

shutdown_how = enumeration(
    "shutdown_how", {"SHUT_RD": 0, "SHUT_WR": 1, "SHUT_RDWR": 2}, FLAG_TABLES["shutdown_how"]["SHUT_UNKNOWN"]
)
sockopt_levels = enumeration("sockopt_levels", {"SOL_SOCKET": 1, "SOL_TCP": 6}, 0)
