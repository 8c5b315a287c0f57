"""Which parameters of executions and births are read: those on which a field depends that rules read.

Most of them cost the reading of another file under `/proc`, and a build starts programs by the hundred. A new process
has all else from the one that made it, and the state follows the calls that change a process's ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from refengine.backends.base import Interest
from refengine.tables.syscalls import BY_NAME

_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "fdlimit": ("proc.fdlimit", "proc.fdusage"),
    "pgft_maj": ("thread.pfmajor",),
    "pgft_min": ("thread.pfminor",),
    "vm_size": ("proc.vmsize", "thread.vmsize"),
    "vm_rss": ("proc.vmrss", "thread.vmrss"),
    "vm_swap": ("proc.vmswap",),
    "cgroups": ("container.", "k8s.", "thread.cgroup", "fd.container"),
    "env": ("proc.env", "proc.penv", "proc.aenv"),
    "tty": ("proc.tty",),
    "pgid": ("proc.pgid", "proc.is_pgid_leader"),
    "vpgid": ("proc.vpgid", "proc.is_vpgid_leader"),
    "loginuid": ("user.login",),
    "flags": ("proc.is_exe_",),
    "cap_inheritable": ("thread.cap_inheritable",),
    "cap_permitted": ("thread.cap_permitted",),
    "cap_effective": ("thread.cap_effective",),
    "exe_ino": ("proc.exe_ino",),
    "exe_ino_ctime": ("proc.exe_ino",),
    "exe_ino_mtime": ("proc.exe_ino",),
    "pidns_init_start_ts": ("proc.pidns_init_start_ts", "proc.exe_ino.ctime_duration_pidns_start"),
}
"""By parameter, how the fields begin that depend on it otherwise than as an argument of the event."""

_EXECUTION: Final = frozenset({"exe", "args", "tid", "comm", "uid", "gid", "trusted_exepath"})
_BIRTH: Final = frozenset({"tid", "pid", "ptid", "uid", "gid", "vtid", "vpid"})

_ARGUMENTS: Final = ("evt.arg", "evt.rawarg")
_ALL_ARGUMENTS: Final = frozenset({"evt.args", "evt.info"})


class Details(NamedTuple):
    """The names of the parameters to be read of an execution, of one that failed, and of a birth."""

    execution: frozenset[str]
    failure: frozenset[str]
    birth: frozenset[str]


def make_details(interest: Interest) -> Details:
    """Return what has to be read for `interest`."""
    in_state = frozenset(name for name, fields in _FIELDS.items() if _reads(interest, fields))
    executions = _arguments(interest, "execve") | _arguments(interest, "execveat")
    births = frozenset().union(*(_arguments(interest, name) for name in ("clone", "clone3", "fork", "vfork")))
    return Details(_EXECUTION | in_state | executions, executions, _BIRTH | in_state | births)


def reads_argument(interest: Interest, event_type: str, *names: str) -> bool:
    """Return whether rules read an argument of these names: by its name, by a position, or with all others.

    Without rules, when events are only printed or recorded, everything is read.
    """
    fields = interest.reads(event_type)
    if (interest.event_types is None and not fields) or not _ALL_ARGUMENTS.isdisjoint(fields):
        return True
    return any(_may_be(field, names) for field in fields)


def _arguments(interest: Interest, event_type: str) -> frozenset[str]:
    if not interest.wants(event_type):
        return frozenset()
    names = (parameter.name for parameter in BY_NAME[event_type].exit.params)
    return frozenset(name for name in names if reads_argument(interest, event_type, name))


def _reads(interest: Interest, beginnings: tuple[str, ...]) -> bool:
    return any(field.startswith(beginnings) for field in interest.fields)


def _may_be(field: str, names: Iterable[str]) -> bool:
    for prefix in _ARGUMENTS:
        if field.startswith(prefix):
            return field[len(prefix) :].startswith("[") or field[len(prefix) + 1 :] in names
    return False
